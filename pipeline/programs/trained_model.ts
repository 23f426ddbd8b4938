/**
 * A meta-learnt model as few-shot learning takes it: the newest whole checkpoint of a run.
 *
 * @module
 */
import {
  discriminatorParameters,
  embedderParameters,
  generatorParameters,
  type ParameterSpec,
  spectralName,
} from "../../models/parameter_specs.ts";
import type { Model } from "../../models/adversarial.ts";
import {
  iterateSpectral,
  need,
  type Network,
  type Tensors,
  warmUpIterations,
} from "../../models/parameters.ts";
import type { HasEvents } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { fileProblem } from "../core/files.ts";
import { E, F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { HostTensors } from "../core/safetensors.ts";
import type { Stage } from "../core/stage.ts";
import { type Checkpoint, loadCheckpoint } from "./checkpoint/load.ts";
import { uploadTensors } from "./host_tensors.ts";
import { decodeRunConfig, presetOf, type RunConfig } from "./run_config.ts";

/** A model in host memory: averaged E, G, P and the live D without W. */
export interface TrainedModel {
  /** The checkpoint that it comes from. */
  readonly path: string;
  /** SHA-256 of its `weights.safetensors`, in hex. */
  readonly hash: string;
  /** How it was trained. */
  readonly config: RunConfig;
  /** By name, with the vectors u of the spectral norms. */
  readonly weights: HostTensors;
}

type Failure = Err<"Checkpoint">;

const refuse = (path: string, problem: string): E.Either<Failure, never> =>
  E.left({ _tag: "Checkpoint", path, message: `Cannot use the model of ${path}: ${problem}` });

const specsOf = ({ architecture }: Model): readonly ParameterSpec[] => [
  ...embedderParameters(architecture),
  ...generatorParameters(architecture),
  ...discriminatorParameters(architecture),
];

/** What is missing or misshapen among the weights, in words. */
const weightProblem = (weights: HostTensors, specs: readonly ParameterSpec[]) => {
  const expected = specs.flatMap(({ name, shape, spectral }) => [
    { name, shape },
    ...(spectral ? [{ name: spectralName(name), shape: [shape.at(-1) ?? 1] }] : []),
  ]);
  for (const { name, shape } of expected) {
    const found = weights[name];
    if (!found) return `${name} is missing, expected [${shape}]`;
    if (found.dtype !== "F32" || found.shape.join() !== shape.join()) {
      return `${name} is ${found.dtype} [${found.shape}], expected F32 [${shape}]`;
    }
  }
  return undefined;
};

/** How the networks of a model are read. */
export const modelFrom = (config: RunConfig): Model => {
  const { architecture, training: { pooling, gain } } = presetOf(config);
  return { architecture, pooling, gain };
};

const configOf = (path: string, config: unknown): E.Either<Failure, RunConfig> => {
  if (typeof config !== "object" || config === null) {
    return refuse(path, "its configuration is missing, expected one");
  }
  const decoded = decodeRunConfig({ ...config });
  return E.isRight(decoded) ? decoded : refuse(path, decoded.left.problems.join("; "));
};

const asModel = (
  { path, meta, parts: { weights } }: Checkpoint<"weights">,
): E.Either<Failure, TrainedModel> =>
  F.pipe(
    configOf(path, meta.config),
    E.flatMap((config) => {
      const problem = weightProblem(weights, specsOf(modelFrom(config)));
      return problem === undefined
        ? E.right({ path, hash: meta.files.weights.sha256, config, weights })
        : refuse(path, problem);
    }),
  );

/**
 * Loads the model of a run folder: its newest whole checkpoint. `Checkpoint` where there is no such
 * folder, no checkpoint in it, none that is whole, or one whose weights are not those of its preset.
 */
export const loadModel: Stage<HasEvents, Err<"Checkpoint">, string, TrainedModel> = (
  run,
): ReaderTaskEither<HasEvents, Failure, TrainedModel> =>
  F.pipe(
    RTE.fromTaskEither(async (): Promise<E.Either<Failure, void>> => {
      try {
        const { isDirectory } = await Deno.stat(run);
        return isDirectory
          ? E.right(undefined)
          : refuse(run, "it is a file, expected a run folder");
      } catch (cause) {
        return refuse(run, `${fileProblem(cause)}, expected the folder of a meta-train run`);
      }
    }),
    RTE.flatMap((): ReaderTaskEither<HasEvents, Failure, Checkpoint<"weights">> =>
      loadCheckpoint(["weights"] as const)(run)
    ),
    RTE.flatMap((checkpoint) => RTE.fromEither(asModel(checkpoint))),
  );

const networkOf = (weights: Tensors, specs: readonly ParameterSpec[]): Network => ({
  parameters: Object.fromEntries(specs.map(({ name }) => [name, need(weights, name)])),
  spectral: Object.fromEntries(
    specs.filter(({ spectral }) => spectral)
      .map(({ name }) => [name, need(weights, spectralName(name))]),
  ),
});

/** The networks of a model on the device. */
export interface DeviceModel {
  /** E alone. */
  readonly embedder: Network;
  /** G and P. */
  readonly generator: Network;
  /** D without W. */
  readonly discriminator: Network;
}

/** u of the live weights does not fit their average: some power iterations make it fit. */
const refreshed = (network: Network): Network => ({
  ...network,
  spectral: iterateSpectral(network, warmUpIterations),
});

/**
 * Puts E, G, P and D on the device, u refreshed for the averaged ones (DESIGN 5). Call inside
 * `backend.run`; what is not part of its result is freed.
 */
export const uploadModel = ({ config, weights }: TrainedModel): DeviceModel => {
  const { architecture } = modelFrom(config);
  const tensors = uploadTensors(weights);
  return {
    embedder: refreshed(networkOf(tensors, embedderParameters(architecture))),
    generator: refreshed(networkOf(tensors, generatorParameters(architecture))),
    discriminator: networkOf(tensors, discriminatorParameters(architecture)),
  };
};
