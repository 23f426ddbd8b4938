/**
 * One update of fine-tuning (section 3.3): G′ and ψ′, then D′ and w′ on the same frames.
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import {
  compareContent,
  type ContentNetworks,
  type ContentTargets,
  contentTargets,
  prepareContent,
} from "../../models/content_loss.ts";
import { type Model, type SideGradients } from "../../models/adversarial.ts";
import {
  generatePerson,
  type PersonBatch,
  personDiscriminatorGradients,
  personGeneratorGradients,
} from "../../models/few_shot.ts";
import type { FineTuning } from "../../models/fine_tuning.ts";
import {
  averageDecay,
  finiteFlag,
  type Learner,
  totalSquaredNorm,
  updateAverage,
  updateLearner,
} from "../../models/optimiser.ts";
import {
  effectiveWeights,
  foldSpectralNorm,
  iterateSpectral,
  need,
  plainWeights,
  type Tensors,
  warmUpIterations,
} from "../../models/parameters.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import type { Frame } from "../core/image.ts";
import { mutate, type Owned, upload } from "../core/owned.ts";
import type { Stage } from "../core/stage.ts";
import { rateFactor, type StepReport } from "./adversarial_step.ts";
import { imagesToTensor, mapFrame } from "./device_batch.ts";

type Device = Err<"Backend" | "DeviceLost">;

/** Everything that fine-tuning changes, after `step` updates. */
export interface FewShotState {
  /** Updates made. */
  readonly step: number;
  /** ψ and ψ′. */
  readonly generator: Learner;
  /** θ, w′ and b. */
  readonly discriminator: Learner;
  /** The moving average of ψ and ψ′: the result. */
  readonly average: Tensors;
}

/** The frames of a person on the device. */
export interface FewShotFrames extends PersonBatch {
  /** Activations of all frames in the content networks, where one batch holds them all. */
  readonly targets?: ContentTargets;
}

/** Puts T frames on the device; the caller owns them. Errors: those of the backend. */
export const uploadFrames = (
  content: ContentNetworks,
  { batch }: FineTuning,
): Stage<HasBackend, Device, readonly Frame[], Owned<FewShotFrames>> =>
  upload("a person's frames", (given: readonly Frame[]): FewShotFrames => {
    const frames = imagesToTensor(given.map(({ image }) => image));
    const landmarks = imagesToTensor(given.map((frame) => mapFrame(frame).map));
    if (given.length > batch) return { frames, landmarks };
    // Pixels are their own activation: a clone, so that each tensor is owned once.
    const targets = contentTargets(content, frames)
      .map((taps) => taps.map((tap) => tap === frames ? tf.clone(tap) : tap));
    return { frames, landmarks, targets };
  });

const pick = ({ frames, landmarks, targets }: FewShotFrames, chosen: readonly number[]) => {
  if (targets) return { frames, landmarks }; // all of them: their order does not matter
  const indices = tf.tensor1d([...chosen], "int32");
  return { frames: tf.gather(frames, indices), landmarks: tf.gather(landmarks, indices) };
};

const iterate = (learner: Learner): Learner => ({
  ...learner,
  network: { ...learner.network, spectral: iterateSpectral(learner.network) },
});

const update = (learner: Learner, { loss, gradients }: SideGradients, rate: number) => {
  const norm = totalSquaredNorm(gradients), finite = finiteFlag(tf.add(loss, norm));
  return { learner: updateLearner(learner, gradients, { rate, finite }), norm, finite };
};

const advance = (
  model: Model,
  settings: FineTuning,
  steps: number,
  content: ContentNetworks,
  data: FewShotFrames,
  state: FewShotState,
  chosen: readonly number[],
): readonly [FewShotState, StepReport] => {
  const batch = pick(data, chosen);
  const factor = rateFactor({ steps, rateDecay: settings.rateDecay }, state.step);
  const generator = iterate(state.generator);
  let discriminator = iterate(state.discriminator);
  const made = personGeneratorGradients(
    model,
    generator.network,
    effectiveWeights(discriminator.network),
    batch,
    data.targets ? compareContent(content, data.targets) : prepareContent(content, batch.frames),
    settings,
  );
  const moved = update(generator, made, settings.generatorRate * factor);
  const figures: Record<string, Tensor> = {
    ...made.terms,
    generatorGradient: tf.sqrt(moved.norm),
    generatorFinite: moved.finite,
  };
  const needsDiscriminator = settings.adversarial !== 0 || settings.featureMatching !== 0;
  for (let k = 0; k < (needsDiscriminator ? settings.discriminatorSteps : 0); k++) {
    if (k > 0) discriminator = iterate(discriminator);
    const side = personDiscriminatorGradients(model, discriminator.network, batch, made.fake);
    const updated = update(discriminator, side, settings.discriminatorRate * factor);
    discriminator = updated.learner;
    Object.assign(figures, side.terms, {
      discriminatorGradient: tf.sqrt(updated.norm),
      discriminatorFinite: updated.finite,
    });
  }
  const decay = averageDecay(state.step, settings.averageDecay);
  const names = Object.keys(figures), step = state.step + 1;
  return [{
    step,
    generator: moved.learner,
    discriminator,
    average: updateAverage(state.average, moved.learner.network.parameters, decay),
  }, {
    step,
    names,
    values: tf.stack(names.map((name) => need(figures, name).asScalar())),
  }];
};

/** What an update of fine-tuning works with, beside its state. */
export interface FewShotContext {
  readonly model: Model;
  readonly settings: FineTuning;
  /** How many updates there will be: the rates may decay towards the end. */
  readonly steps: number;
  readonly content: ContentNetworks;
  readonly frames: Owned<FewShotFrames>;
}

/**
 * Updates the state in place by one step of fine-tuning on the frames of these places (equations 9
 * and 10). E and P have no part in it. A loss or gradient that is not finite changes no parameter:
 * the report's flags tell.
 */
export const fewShotStep = (
  { model, settings, steps, content, frames }: FewShotContext,
  state: Owned<FewShotState>,
): Stage<HasBackend, Device, readonly number[], Owned<StepReport>> =>
(chosen) =>
  mutate(
    "fine-tuning step",
    (now: FewShotState) => advance(model, settings, steps, content, frames.value, now, chosen),
  )(state);

/** The averaged G′ as it is driven: spectral norms folded, ψ′ beside them. */
const foldAverage = ({ average, generator }: FewShotState): Tensors => {
  const network = { parameters: average, spectral: generator.network.spectral };
  return foldSpectralNorm({ ...network, spectral: iterateSpectral(network, warmUpIterations) });
};

/** The averaged G′ of now, folded; the caller owns it. Errors: those of the backend. */
export const foldedPerson: Stage<HasBackend, Device, Owned<FewShotState>, Owned<Tensors>> = upload(
  "a fine-tuned generator",
  ({ value }: Owned<FewShotState>) => foldAverage(value),
);

/** Frames of the person as G′ is now, for landmark images. // [B, S, S, 3] → the same */
export const paintNow = (model: Model, state: FewShotState, landmarks: Tensor): Tensor =>
  generatePerson(plainWeights(foldAverage(state)), model, landmarks);
