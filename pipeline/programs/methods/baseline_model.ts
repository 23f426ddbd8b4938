/**
 * What the paper's rivals share as methods: checkpoints of runs as weights on the device, training
 * behind the common interface, pictures from tensors a few at a time.
 *
 * @module
 */
import type { Tensor } from "../../../backends/tf.ts";
import type { Tensors } from "../../../models/parameters.ts";
import { loadCheckpoint } from "../checkpoint/load.ts";
import type { HasBackend, HasEvents } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import type { Frame, Image } from "../../core/image.ts";
import { mutate, type Owned, owned, upload } from "../../core/owned.ts";
import { bracket, type Stage } from "../../core/stage.ts";
import type { StepReport } from "../adversarial_step.ts";
import { type DeviceStep, tensorToImages } from "../device_batch.ts";
import { uploadTensors } from "../host_tensors.ts";
import type { DeviceError, MethodTraining, TrainableMethod, TrainedMethod } from "../method.ts";
import { decodeRunConfig, type RunConfig } from "../run_config.ts";
import type { TrainedModel } from "../trained_model.ts";
import {
  baselineFiles,
  type BaselineShape,
  type BaselineState,
  checkWeights,
  copyWeights,
} from "./baseline_state.ts";

const configOf = (path: string, config: unknown): E.Either<Err<"Checkpoint">, RunConfig> =>
  F.pipe(
    decodeRunConfig(typeof config === "object" && config !== null ? { ...config } : {}),
    E.mapLeft(({ problems }): Err<"Checkpoint"> => ({
      _tag: "Checkpoint",
      path,
      message: `Cannot use the model of ${path}: ${problems.join("; ")}`,
    })),
  );

/**
 * The newest whole checkpoint of a run. `Checkpoint` where there is none, or one whose arrays are
 * not those of the method.
 */
export const readBaseline = (
  shapeOf: (config: RunConfig) => BaselineShape,
): Stage<HasEvents, Err<"Checkpoint">, string, TrainedModel> =>
(run) =>
  F.pipe(
    loadCheckpoint(["weights"] as const)(run),
    RTE.flatMap(({ path, meta, parts: { weights } }) =>
      F.pipe(
        configOf(path, meta.config),
        E.tap((config) => checkWeights(shapeOf(config), path, weights)),
        E.map((config) => ({ path, hash: meta.files.weights.sha256, config, weights })),
        RTE.fromEither,
      )
    ),
  );

/** Puts networks on the device; the ways to learn a person use them as long as they are owned. */
export const openBaseline = (
  waysOf: (config: RunConfig, weights: Tensors) => TrainedMethod["fewShot"],
): TrainableMethod["open"] =>
({ hash, config, weights }) =>
  F.pipe(
    upload("weights", uploadTensors)(weights),
    RTE.map((device): Owned<TrainedMethod> =>
      owned(
        { source: hash, fewShot: waysOf(config, device.value) },
        () => device[Symbol.dispose](),
      )
    ),
  );

/** What the training of a rival does in its own way. */
export interface BaselineSteps {
  /** One step as tensor maths: the next state, and the report of what was done. */
  readonly advance: (
    state: BaselineState,
    batch: DeviceStep,
  ) => readonly [BaselineState, StepReport];
  /** The networks of now as they would be evaluated; `weights` outlive it. */
  readonly trained: (weights: Tensors) => TrainedMethod;
}

/** The training of a rival behind the common interface. */
export const trainBaseline = (
  state: Owned<BaselineState>,
  { advance, trained }: BaselineSteps,
): Owned<MethodTraining> =>
  owned({
    steps: () => state.value.step,
    step: bracket(
      (batch: Owned<DeviceStep>) => RTE.right(batch),
      (batch: Owned<DeviceStep>): ReaderTaskEither<HasBackend, DeviceError, Owned<StepReport>> =>
        mutate(
          "training step",
          (now: BaselineState) => advance(now, batch.value),
        )(state),
      (batch) => batch[Symbol.dispose](),
    ),
    settle: RTE.right(undefined),
    files: F.pipe(RTE.right(state), RTE.flatMap(baselineFiles)),
    trained: F.pipe(
      copyWeights(state),
      RTE.map((weights): Owned<TrainedMethod> =>
        owned(trained(weights.value), () => weights[Symbol.dispose]())
      ),
    ),
  }, () => state[Symbol.dispose]());

/** Frames that are synthesised at once: bounds the memory of a long drive. */
const renderedAtOnce = 8;

const renderSome = (
  paint: (frames: readonly Frame[]) => Tensor,
): Stage<HasBackend, DeviceError, readonly Frame[], readonly Image[]> =>
(frames) =>
(env) =>
async () => {
  const [side = 0] = frames.map(({ image }) => image.width);
  const made = await upload("frames", paint)(frames)(env)();
  if (E.isLeft(made)) return made;
  using tensor = made.right;
  const values = await env.backend.read("frames", () => tensor.value.data<"float32">())();
  return E.isLeft(values) ? values : E.right(tensorToImages(values.right, side));
};

/** Pictures for driving frames, a few at a time. // `paint`: [n] frames → [n, S, S, 3] in [-1, 1] */
export const renderFrames = (
  paint: (frames: readonly Frame[]) => Tensor,
): Stage<HasBackend, DeviceError, readonly Frame[], readonly Image[]> =>
(frames) =>
  F.pipe(
    Array.from(
      { length: Math.ceil(frames.length / renderedAtOnce) },
      (_, i) => frames.slice(i * renderedAtOnce, (i + 1) * renderedAtOnce),
    ),
    RTE.traverseSeqArray(renderSome(paint)),
    RTE.map((images) => images.flat()),
  );
