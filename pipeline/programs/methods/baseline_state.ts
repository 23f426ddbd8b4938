/**
 * The training state of the paper's rivals: named networks with their moments and averaged
 * statistics, one owner, to files and back. Their steps and what they learn a person with are in
 * the file of each.
 *
 * @module
 */
import { type Tensor, tf } from "../../../backends/tf.ts";
import {
  type BaselineParameter,
  countNumbers,
  createParameters,
} from "../../../models/baselines/parameters.ts";
import { type Adam, createLearner, type Learner } from "../../../models/optimiser.ts";
import type { Tensors } from "../../../models/parameters.ts";
import type { HasBackend, HasRng } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import type { Figures } from "../../core/events.ts";
import { E, F, type ReaderTaskEither, RTE, TE } from "../../core/fp.ts";
import { type Owned, owned, upload } from "../../core/owned.ts";
import type { Stage } from "../../core/stage.ts";
import type { HostTensors } from "../../core/safetensors.ts";
import { downloadTensors, uploadTensors } from "../host_tensors.ts";
import type { DeviceError, StateSource } from "../method.ts";
import type { StateFiles } from "../state_files.ts";

/** What a rival consists of. */
export interface BaselineShape {
  /** Parameters of each network, by the network's name; one optimiser each. */
  readonly networks: Readonly<Record<string, readonly BaselineParameter[]>>;
  /** Averaged statistics of batch norms. */
  readonly running: readonly BaselineParameter[];
}

/** The state after `step` steps. */
export interface BaselineState {
  /** Steps done. */
  readonly step: number;
  /** Networks under training by name. */
  readonly learners: Readonly<Record<string, Learner>>;
  /** Averaged statistics of batch norms by name. */
  readonly running: Tensors;
}

/** Adam as the authors of pix2pixHD use it; both rivals are trained with it. */
export const baselineAdam: Adam = { beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };

/** How many parameters each network has. */
export const countBaseline = ({ networks }: BaselineShape): Figures =>
  Object.fromEntries(
    Object.entries(networks).map(([name, parameters]) => [name, countNumbers(parameters)]),
  );

/** The learner of that name; a missing one is a bug. */
export const learnerOf = ({ learners }: BaselineState, name: string): Learner => {
  const learner = learners[name];
  if (!learner) throw new Error(`Cannot train: there is no network ${name}`);
  return learner;
};

/** A new state from the seed, owned by the caller. */
export const createBaseline = (
  { networks, running }: BaselineShape,
): ReaderTaskEither<HasBackend & HasRng, DeviceError, Owned<BaselineState>> =>
({ backend, rng }) =>
  TE.map((state: BaselineState) => owned(state, backend.dispose))(
    backend.run("new networks", () => {
      const start = rng.fold("parameters");
      const learners = Object.entries(networks).map(([name, parameters]) => [
        name,
        createLearner(
          { parameters: createParameters(parameters, start), spectral: {} },
          baselineAdam,
        ),
      ]);
      return {
        step: 0,
        learners: Object.fromEntries(learners),
        running: createParameters(running, start),
      };
    }),
  );

/** All that is evaluated: parameters of every network and averaged statistics. */
export const weightsOf = ({ learners, running }: BaselineState): Tensors =>
  Object.values(learners).reduce<Tensors>(
    (all, { network }) => ({ ...all, ...network.parameters }),
    running,
  );

/** A copy of {@link weightsOf} that outlives the next step; the caller owns it. */
export const copyWeights: Stage<HasBackend, DeviceError, Owned<BaselineState>, Owned<Tensors>> =
  upload("weights", ({ value }: Owned<BaselineState>) =>
    Object.fromEntries(
      Object.entries(weightsOf(value)).map(([name, tensor]) => [name, tf.clone(tensor)]),
    ));

const prefixed = (prefix: string, tensors: Tensors): [string, Tensor][] =>
  Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]);

/** Reads the state back from the device: what is evaluated, and what resuming needs besides. */
export const baselineFiles: Stage<
  HasBackend,
  DeviceError,
  Owned<BaselineState>,
  StateFiles
> = ({ value: state }) => {
  const learners = Object.values(state.learners);
  const moments: Tensors = Object.fromEntries(learners.flatMap(({ first, second }) => [
    ...prefixed("first/", first),
    ...prefixed("second/", second),
  ]));
  const counters = Int32Array.of(state.step, ...learners.map(({ updates }) => updates));
  return F.pipe(
    downloadTensors(weightsOf(state)),
    RTE.flatMap((weights) =>
      F.pipe(
        downloadTensors(moments),
        RTE.map((live): StateFiles => ({
          weights,
          state: {
            ...live,
            counters: { dtype: "I32", shape: [counters.length], data: counters },
          },
        })),
      )
    ),
  );
};

/** What is missing or misshapen among arrays, in words. */
const problemsOf = (
  found: HostTensors,
  expected: readonly BaselineParameter[],
  prefix = "",
): readonly string[] =>
  expected.flatMap(({ name, shape }) => {
    const array = found[prefix + name];
    if (!array) return [`${prefix}${name} is missing, expected [${shape}]`];
    return array.dtype === "F32" && array.shape.join() === shape.join() ? [] : [
      `${prefix}${name} is ${array.dtype} [${array.shape}], expected F32 [${shape}]`,
    ];
  });

/** `Checkpoint` with the first problems, where there are any. */
const refuse = (path: string, problems: readonly string[]): E.Either<Err<"Checkpoint">, void> =>
  problems.length === 0 ? E.right(undefined) : E.left({
    _tag: "Checkpoint",
    path,
    message: `Cannot load ${path}: ${problems.slice(0, 3).join("; ")}` +
      (problems.length > 3 ? ` and ${problems.length - 3} more` : ""),
  });

const allOf = ({ networks }: BaselineShape): readonly BaselineParameter[] =>
  Object.values(networks).flat();

/** Whether a file of weights holds every array of the shape; `Checkpoint` names those it lacks. */
export const checkWeights = (
  shape: BaselineShape,
  path: string,
  weights: HostTensors,
): E.Either<Err<"Checkpoint">, void> =>
  refuse(path, problemsOf(weights, [...allOf(shape), ...shape.running]));

/** Puts a checkpoint back on the device; `Checkpoint` names what is missing or misshapen. */
export const restoreBaseline = (
  shape: BaselineShape,
  { path, files: { weights, state } }: StateSource,
): ReaderTaskEither<HasBackend, DeviceError | Err<"Checkpoint">, Owned<BaselineState>> => {
  const names = Object.keys(shape.networks), counters = state.counters;
  const pick = (
    from: HostTensors,
    parameters: readonly BaselineParameter[],
    prefix = "",
  ): HostTensors =>
    Object.fromEntries(parameters.flatMap(({ name }) => {
      const array = from[prefix + name];
      return array ? [[name, array]] : [];
    }));
  const problems = [
    ...problemsOf(weights, [...allOf(shape), ...shape.running]),
    ...problemsOf(state, allOf(shape), "first/"),
    ...problemsOf(state, allOf(shape), "second/"),
    ...(counters?.dtype === "I32" && counters.data.length === names.length + 1
      ? []
      : [`counters are not there, expected I32 [${names.length + 1}]`]),
  ];
  return F.pipe(
    RTE.fromEither(refuse(path, problems)),
    RTE.flatMap((): ReaderTaskEither<HasBackend, DeviceError, Owned<BaselineState>> =>
      upload("state", () => ({
        step: counters?.data[0] ?? 0,
        learners: Object.fromEntries(
          Object.entries(shape.networks).map(([name, parameters], i) => [name, {
            network: { parameters: uploadTensors(pick(weights, parameters)), spectral: {} },
            first: uploadTensors(pick(state, parameters, "first/")),
            second: uploadTensors(pick(state, parameters, "second/")),
            updates: counters?.data[i + 1] ?? 0,
          }]),
        ),
        running: uploadTensors(pick(weights, shape.running)),
      }))(undefined)
    ),
  );
};
