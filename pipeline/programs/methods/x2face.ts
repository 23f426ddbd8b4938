/**
 * X2Face as a method (section 4 of the paper compares with it): trained by L1 on episodes, a
 * person is the face embedded from T frames. Its driver is the real frame, not the landmarks: an
 * advantage that the others do not have.
 *
 * @module
 */
import { type Tensor, tf } from "../../../backends/tf.ts";
import { surviving } from "../../../backends/scope.ts";
import { meanAbsoluteDifference } from "../../../backends/ops.ts";
import type { Batch } from "../../../models/adversarial.ts";
import {
  averagedNorm,
  type Moments,
  runningParameters,
  trainingNorm,
  updateRunning,
} from "../../../models/baselines/batch_norm.ts";
import {
  driveFace,
  drivingParameters,
  embeddingParameters,
  embedFace,
  type X2FaceArchitecture,
  type X2FaceNetworks,
  x2faceNorms,
  x2faceSizes,
} from "../../../models/baselines/x2face.ts";
import {
  averageOver,
  differentiate,
  finiteFlag,
  totalSquaredNorm,
  updateLearner,
} from "../../../models/optimiser.ts";
import { plainWeights, type Tensors } from "../../../models/parameters.ts";
import type { Training } from "../../../models/presets.ts";
import { F, RTE } from "../../core/fp.ts";
import type { Frame } from "../../core/image.ts";
import { type Owned, owned, upload } from "../../core/owned.ts";
import { rateFactor, type StepReport } from "../adversarial_step.ts";
import { type DeviceStep, imagesToTensor } from "../device_batch.ts";
import type { FewShot, LearntPerson, MethodSetting, TrainableMethod } from "../method.ts";
import { openBaseline, readBaseline, renderFrames, trainBaseline } from "./baseline_model.ts";
import {
  baselineAdam,
  type BaselineShape,
  type BaselineState,
  countBaseline,
  createBaseline,
  learnerOf,
  restoreBaseline,
} from "./baseline_state.ts";

const shapeOf = (sizes: X2FaceArchitecture): BaselineShape => ({
  networks: { embedding: embeddingParameters(sizes), driving: drivingParameters(sizes) },
  running: runningParameters(x2faceNorms(sizes)),
});

/** [-1, 1] → [0, 1], where outside of the picture is black. */
const toUnit = (x: Tensor): Tensor => tf.mul(tf.add(x, 1), 0.5);
const fromUnit = (x: Tensor): Tensor => tf.sub(tf.mul(x, 2), 1);

interface Side {
  readonly loss: Tensor;
  readonly gradients: Tensors;
  readonly seen: Readonly<Record<string, Moments>>;
}

/** L1 between the driven face and the driving frame, which is the target itself. */
const gradientsOf = (sizes: X2FaceArchitecture, parameters: Tensors, batch: Batch): Side =>
  surviving((survive) => {
    const seen: Record<string, Moments> = {};
    const weights = plainWeights(parameters);
    const norm = trainingNorm(weights, (path, { mean, variance }) => {
      seen[path] = { mean: survive(mean), variance: survive(variance) };
    });
    const networks: X2FaceNetworks = { sizes, weights, norm };
    const sources = toUnit(batch.sources), target = toUnit(batch.target);
    const shots = (batch.sources.shape[0] ?? 1) / (batch.target.shape[0] ?? 1);
    const { loss, gradients } = differentiate(
      () =>
        meanAbsoluteDifference(
          driveFace(networks, embedFace(networks, sources, shots), target),
          target,
        ),
      parameters,
    );
    return { loss, gradients, seen };
  });

const advance = (sizes: X2FaceArchitecture, training: Training) =>
(
  state: BaselineState,
  { step, parts }: DeviceStep,
): readonly [BaselineState, StepReport] => {
  const embedding = learnerOf(state, "embedding"), driving = learnerOf(state, "driving");
  const parameters = { ...embedding.network.parameters, ...driving.network.parameters };
  const { sides, gradients } = averageOver(parts, (batch) => gradientsOf(sizes, parameters, batch));
  const l1 = tf.div(
    sides.reduce<Tensor>((sum, { loss }) => tf.add(sum, loss), tf.scalar(0)),
    sides.length,
  );
  const norm = totalSquaredNorm(gradients), finite = finiteFlag(tf.add(norm, l1));
  const how = {
    rate: training.generatorRate * rateFactor(training, step),
    finite,
    adam: baselineAdam,
  };
  return [{
    step: step + 1,
    learners: {
      embedding: updateLearner(embedding, gradients, how),
      driving: updateLearner(driving, gradients, how),
    },
    running: sides.reduce<Tensors>(
      (running, { seen }) => updateRunning(running, seen, finite),
      state.running,
    ),
  }, {
    step: step + 1,
    names: ["l1", "generatorGradient", "generatorFinite"],
    values: tf.stack([l1.asScalar(), tf.sqrt(norm).asScalar(), finite.asScalar()]),
  }];
};

const pictures = (frames: readonly Frame[]): Tensor =>
  toUnit(imagesToTensor(frames.map(({ image }) => image)));

/** T frames are just fed through. */
const feeding = (sizes: X2FaceArchitecture, weights: Tensors): FewShot => {
  const look = plainWeights(weights);
  const networks: X2FaceNetworks = { sizes, weights: look, norm: averagedNorm(look, weights) };
  return {
    name: "feed-forward",
    learn: F.flow(
      upload(
        "embedded face",
        (sources: readonly Frame[]) => embedFace(networks, pictures(sources), sources.length),
      ),
      RTE.map((face): Owned<LearntPerson> =>
        owned({
          render: renderFrames((frames) => {
            const own = tf.tile(face.value, [frames.length, 1, 1, 1]);
            return fromUnit(driveFace(networks, own, pictures(frames)));
          }),
        }, () => face[Symbol.dispose]())
      ),
    ),
  };
};

const trainingOf = ({ name, preset }: MethodSetting) => (state: Owned<BaselineState>) => {
  const sizes = x2faceSizes[name];
  return trainBaseline(state, {
    advance: advance(sizes, preset.training),
    trained: (weights) => ({ fewShot: [feeding(sizes, weights)] }),
  });
};

const open = openBaseline(({ preset }, weights) => [feeding(x2faceSizes[preset], weights)]);

/** Wiles et al. 2018. */
export const x2face: TrainableMethod = {
  name: "x2face",
  about: "X2Face: warps the source frames into a face, and that face after the driving frame",
  parameters: ({ name }) => countBaseline(shapeOf(x2faceSizes[name])),
  create: (setting) =>
    F.pipe(createBaseline(shapeOf(x2faceSizes[setting.name])), RTE.map(trainingOf(setting))),
  restore: (setting, _, source) =>
    F.pipe(
      restoreBaseline(shapeOf(x2faceSizes[setting.name]), source),
      RTE.map(trainingOf(setting)),
    ),
  open,
  load: F.flow(
    readBaseline(({ preset }) => shapeOf(x2faceSizes[preset])),
    RTE.flatMap(open),
  ),
};
