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
import type { ContentTerms, Model, SideGradients } from "../../models/adversarial.ts";
import {
  generatePerson,
  type PersonBatch,
  personDiscriminatorGradients,
  personGeneratorGradients,
} from "../../models/few_shot.ts";
import { type FineTuning, partsOf } from "../../models/fine_tuning.ts";
import {
  averageDecay,
  averageOver,
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
import { flagOf, meanTerms, rateFactor, type StepReport } from "./adversarial_step.ts";
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

/** Frames that stand in every batch, with their activations in the content networks. */
interface FixedPart extends PersonBatch {
  readonly targets: ContentTargets;
}

/** The frames of a person on the device: the parts of the one batch there is, or all to draw from. */
export type FewShotFrames =
  | { readonly fixed: readonly FixedPart[] }
  | { readonly pool: PersonBatch };

/** Puts T frames on the device; the caller owns them. Errors: those of the backend. */
export const uploadFrames = (
  content: ContentNetworks,
  settings: FineTuning,
): Stage<HasBackend, Device, readonly Frame[], Owned<FewShotFrames>> =>
  upload("a person's frames", (given: readonly Frame[]): FewShotFrames => {
    const tensorsOf = (some: readonly Frame[]): PersonBatch => ({
      frames: imagesToTensor(some.map(({ image }) => image)),
      landmarks: imagesToTensor(some.map((frame) => mapFrame(frame).map)),
    });
    if (given.length > settings.batch) return { pool: tensorsOf(given) };
    const fixed = partsOf(given, settings).map(tensorsOf).map((part): FixedPart => {
      // Pixels are their own activation: a clone, so that each tensor is owned once.
      const targets = contentTargets(content, part.frames)
        .map((taps) => taps.map((tap) => tap === part.frames ? tf.clone(tap) : tap));
      return { ...part, targets };
    });
    return { fixed };
  });

/** A part of a batch and what its fakes are compared with. */
interface Part extends PersonBatch {
  readonly terms: ContentTerms;
}

const pick = (
  content: ContentNetworks,
  settings: FineTuning,
  data: FewShotFrames,
  chosen: readonly number[],
): readonly Part[] => {
  if ("fixed" in data) { // all frames: their order does not matter
    return data.fixed.map((part) => ({ ...part, terms: compareContent(content, part.targets) }));
  }
  return partsOf(chosen, settings).map((places) => {
    const indices = tf.tensor1d([...places], "int32");
    const frames = tf.gather(data.pool.frames, indices);
    const landmarks = tf.gather(data.pool.landmarks, indices);
    return { frames, landmarks, terms: prepareContent(content, frames) };
  });
};

const iterate = (learner: Learner): Learner => ({
  ...learner,
  network: { ...learner.network, spectral: iterateSpectral(learner.network) },
});

const update = (
  learner: Learner,
  { sides, gradients }: ReturnType<typeof averageOver<unknown, SideGradients>>,
  rate: number,
) => {
  const norm = totalSquaredNorm(gradients), finite = flagOf(sides, norm);
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
  const parts = pick(content, settings, data, chosen);
  const factor = rateFactor({ steps, rateDecay: settings.rateDecay }, state.step);
  const generator = iterate(state.generator);
  let discriminator = iterate(state.discriminator);
  const judge = effectiveWeights(discriminator.network);
  const made = averageOver(
    parts,
    (part) => ({
      part,
      ...personGeneratorGradients(model, generator.network, judge, part, part.terms, settings),
    }),
  );
  const moved = update(generator, made, settings.generatorRate * factor);
  const figures: Record<string, Tensor> = {
    ...meanTerms(made.sides),
    generatorGradient: tf.sqrt(moved.norm),
    generatorFinite: moved.finite,
  };
  const needsDiscriminator = settings.adversarial !== 0 || settings.featureMatching !== 0;
  for (let k = 0; k < (needsDiscriminator ? settings.discriminatorSteps : 0); k++) {
    if (k > 0) discriminator = iterate(discriminator);
    const { network } = discriminator;
    const judged = averageOver(
      made.sides,
      ({ part, fake }) => personDiscriminatorGradients(model, network, part, fake),
    );
    const updated = update(discriminator, judged, settings.discriminatorRate * factor);
    discriminator = updated.learner;
    Object.assign(figures, meanTerms(judged.sides), {
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
