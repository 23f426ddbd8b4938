/**
 * How a person is fine-tuned, for each preset (section 3.3): the paper's numbers for `paper-256`,
 * what was measured to work for the small ones.
 *
 * @module
 */
import type { PresetName } from "./presets.ts";

/** Settings of fine-tuning. The content loss is the one that the model was trained with. */
export interface FineTuning {
  /** Each of the T frames is seen at least so often, as it is or moved. */
  readonly epochs: number;
  /** Fewer updates than that are not made: with few frames there are more epochs. */
  readonly leastSteps: number;
  /**
   * The frames are learnt in turn with about so many copies of them, a little moved, picture and
   * landmarks together: half of what is drawn is real. 0 for none, as in the paper.
   */
  readonly movedCopies: number;
  /** B: frames of one update, at most T. */
  readonly batch: number;
  /** At most so many of them pass the networks at once: less memory for the same update. */
  readonly together: number;
  /** Updates of D′ after each one of G′. */
  readonly discriminatorSteps: number;
  /** Adam's rate for ψ and ψ′. */
  readonly generatorRate: number;
  /** Adam's rate for θ, w′ and b. */
  readonly discriminatorRate: number;
  /** Both rates are multiplied by this, in fractions of the length: flat, then linear. */
  readonly rateDecay: { readonly from: number; readonly to: number };
  /** Weight of −D′(x̂) (equation 9); with this and `featureMatching` 0 there is no D′. */
  readonly adversarial: number;
  /** Weight of L_FM (equation 9). */
  readonly featureMatching: number;
  /** Largest decay of the moving average of G′, which is the result. */
  readonly averageDecay: number;
  /** Updates between two looks at the person. */
  readonly watchEvery: number;
  /** With a held-out photo: looks without a better one before it stops. */
  readonly patience: number;
}

const paper: FineTuning = {
  epochs: 40,
  leastSteps: 40,
  movedCopies: 0,
  batch: 8,
  together: 2,
  discriminatorSteps: 2,
  generatorRate: 5e-5,
  discriminatorRate: 2e-4,
  rateDecay: { from: 1, to: 1 },
  adversarial: 1,
  featureMatching: 10,
  averageDecay: 0.972,
  watchEvery: 10,
  patience: 3,
};

// Measured at this scale: at 1e-3 forty updates take SSIM of real people from 0.36 to 0.84. Eighty
// leave eyes and mouth so blurred that the face detector finds them displaced, or finds nothing;
// after 240 it finds them where the driver has them. By then few photos would be learnt by heart;
// beside moved copies they are not, and heads that turn are followed better (docs/longer.md).
const small: FineTuning = {
  ...paper,
  leastSteps: 240,
  movedCopies: 60,
  together: 8,
  rateDecay: { from: 0.5, to: 0.1 },
  discriminatorSteps: 1,
  generatorRate: 1e-3,
  discriminatorRate: 1e-3,
};

/** The settings by preset. */
export const fineTunings: Readonly<Record<PresetName, FineTuning>> = {
  "paper-256": paper,
  "small-128": small,
  "toy-64": small,
  "test-16": { ...small, epochs: 4, leastSteps: 4, watchEvery: 2 },
};

/** How many updates T frames get: enough for `epochs`, and never fewer than the least. */
export const fineTuningSteps = (
  { epochs, leastSteps, batch }: Pick<FineTuning, "epochs" | "leastSteps" | "batch">,
  frames: number,
): number => Math.max(leastSteps, Math.ceil(epochs * frames / Math.min(batch, frames)));

/** How many moved copies each of T frames has beside it. */
export const copiesOfEach = (
  { movedCopies }: Pick<FineTuning, "movedCopies">,
  frames: number,
): number => Math.ceil(movedCopies / frames);

/** A batch in parts of one size, so that the mean over parts is the mean over the batch. */
export const partsOf = <A>(
  batch: readonly A[],
  { together }: Pick<FineTuning, "together">,
): readonly (readonly A[])[] => {
  let size = Math.min(together, batch.length);
  while (batch.length % size !== 0) size--;
  return Array.from(
    { length: batch.length / size },
    (_, i) => batch.slice(i * size, (i + 1) * size),
  );
};

/** So many updates in place of a preset's least; `epochs` may ask for more. */
export const leastUpdates = (updates: number): Pick<FineTuning, "leastSteps"> => ({
  leastSteps: updates,
});

/** So many updates, however many frames there are. */
export const exactUpdates = (
  updates: number,
): Pick<FineTuning, "epochs" | "leastSteps"> => ({
  ...leastUpdates(updates),
  epochs: 0,
});
