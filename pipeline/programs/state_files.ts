/**
 * Training state as named arrays for files, and back (DESIGN 8): `weights` hold the averaged E, G,
 * P and the live D without W, which is what a user of the model needs; `state` holds the rest of
 * what resuming needs.
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import {
  discriminatorParameters,
  embedderParameters,
  generatorParameters,
  type ParameterSpec,
  spectralName,
} from "../../models/parameter_specs.ts";
import type { Learner } from "../../models/optimiser.ts";
import type { Tensors } from "../../models/parameters.ts";
import type { Preset } from "../../models/presets.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, type TE } from "../core/fp.ts";
import { type Owned, owned } from "../core/owned.ts";
import type { Stage } from "../core/stage.ts";
import type { HostTensor, HostTensors } from "../core/safetensors.ts";
import type { TrainState } from "./train_state.ts";

/** The two files of a checkpoint as named arrays. */
export interface StateFiles {
  /** What a user of the model needs: averaged networks, D without W. */
  readonly weights: HostTensors;
  /** The rest of what resuming needs. */
  readonly state: HostTensors;
}

const prefixed = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));

const spectralTensors = ({ network }: Learner): Tensors =>
  Object.fromEntries(
    Object.entries(network.spectral).map(([name, u]) => [spectralName(name), u]),
  );

const download = (
  { backend }: HasBackend,
  tensors: Tensors,
): TE.TaskEither<Err<"Backend" | "DeviceLost">, HostTensors> =>
  backend.read("state", async () => {
    const entries: [string, HostTensor][] = [];
    for (const [name, tensor] of Object.entries(tensors)) {
      const data = new Float32Array(await tensor.data<"float32">());
      entries.push([name, { dtype: "F32", shape: tensor.shape, data }]);
    }
    return Object.fromEntries(entries);
  });

/** Reads a state back from the device; rows of W must have been settled before. */
export const stateToFiles: Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  Owned<TrainState>,
  StateFiles
> = ({ value: state }) => (env) => async () => {
  const { generator, discriminator, average, table } = state;
  const weights = await download(env, {
    ...average,
    ...spectralTensors(generator),
    ...discriminator.network.parameters,
    ...spectralTensors(discriminator),
  })();
  if (E.isLeft(weights)) return weights;
  const live = await download(env, {
    ...generator.network.parameters,
    ...prefixed("second/", generator.second),
    ...prefixed("second/", discriminator.second),
  })();
  if (E.isLeft(live)) return live;
  const shape = [table.rows, table.width];
  const counters = Int32Array.of(state.step, generator.updates, discriminator.updates);
  return E.right({
    weights: weights.right,
    state: {
      ...live.right,
      "D/W": { dtype: "F32", shape, data: table.values },
      "second/D/W": { dtype: "F32", shape, data: table.second },
      "last/D/W": { dtype: "I32", shape: [table.rows], data: table.last },
      counters: { dtype: "I32", shape: [counters.length], data: counters },
    },
  });
};

/** Takes named arrays one by one and remembers what did not fit. */
const reader = (path: string) => {
  const problems: string[] = [];
  const array = (
    from: HostTensors,
    name: string,
    shape: readonly number[],
    dtype: "F32" | "I32",
  ): HostTensor["data"] => {
    const found = from[name];
    if (found === undefined) problems.push(`${name} is missing, expected [${shape}]`);
    else if (found.dtype !== dtype || found.shape.join() !== shape.join()) {
      problems.push(`${name} is ${found.dtype} [${found.shape}], expected ${dtype} [${shape}]`);
    } else return found.data;
    const size = shape.reduce((a, b) => a * b, 1);
    return dtype === "F32" ? new Float32Array(size) : new Int32Array(size);
  };
  const failure = (): Err<"Checkpoint"> => ({
    _tag: "Checkpoint",
    path,
    message: `Cannot load ${path}: ${problems.slice(0, 3).join("; ")}` +
      (problems.length > 3 ? ` and ${problems.length - 3} more` : ""),
  });
  return { problems, array, failure };
};

type Reader = ReturnType<typeof reader>;

const upload = (
  { array }: Reader,
  from: HostTensors,
  specs: readonly ParameterSpec[],
  prefix = "",
): Tensors =>
  Object.fromEntries(specs.map(({ name, shape }): [string, Tensor] => [
    name,
    tf.tensor(array(from, prefix + name, shape, "F32"), [...shape], "float32"),
  ]));

const uploadSpectral = (
  { array }: Reader,
  from: HostTensors,
  specs: readonly ParameterSpec[],
): Tensors =>
  Object.fromEntries(
    specs.filter(({ spectral }) => spectral).map(({ name, shape }) => {
      const size = shape.at(-1) ?? 1;
      return [name, tf.tensor(array(from, spectralName(name), [size], "F32"), [size])];
    }),
  );

/** What a state is read for: the networks and the number of rows of W must fit. */
export interface StateSource {
  readonly path: string;
  readonly preset: Preset;
  readonly sequences: number;
  readonly files: StateFiles;
}

/** Puts a state back on the device; `Checkpoint` names the arrays that are missing or misshapen. */
export const filesToState: Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost" | "Checkpoint">,
  StateSource,
  Owned<TrainState>
> = ({ path, preset: { architecture }, sequences, files }) => ({ backend }) => async () => {
  const read = reader(path), { weights, state } = files;
  const generatorSpecs = [
    ...embedderParameters(architecture),
    ...generatorParameters(architecture),
  ];
  const discriminatorSpecs = discriminatorParameters(architecture);
  const shape = [sequences, architecture.embedding];
  const counters = read.array(state, "counters", [3], "I32");
  const [step = 0, generatorUpdates = 0, discriminatorUpdates = 0] = counters;
  const made = await backend.run("state", (): TrainState => ({
    step,
    generator: {
      network: {
        parameters: upload(read, state, generatorSpecs),
        spectral: uploadSpectral(read, weights, generatorSpecs),
      },
      second: upload(read, state, generatorSpecs, "second/"),
      first: {},
      updates: generatorUpdates,
    },
    discriminator: {
      network: {
        parameters: upload(read, weights, discriminatorSpecs),
        spectral: uploadSpectral(read, weights, discriminatorSpecs),
      },
      second: upload(read, state, discriminatorSpecs, "second/"),
      first: {},
      updates: discriminatorUpdates,
    },
    average: upload(read, weights, generatorSpecs),
    table: {
      rows: sequences,
      width: architecture.embedding,
      values: Float32Array.from(read.array(state, "D/W", shape, "F32")),
      second: Float32Array.from(read.array(state, "second/D/W", shape, "F32")),
      last: Int32Array.from(read.array(state, "last/D/W", [sequences], "I32")),
    },
    pending: [],
  }))();
  if (E.isLeft(made)) return made;
  if (read.problems.length === 0) return E.right(owned(made.right, backend.dispose));
  backend.dispose(made.right);
  return E.left(read.failure());
};
