/**
 * Whether training is still alive: the ways in which everybody who tried this paper saw it die,
 * told apart by name.
 *
 * @module
 */
import type { Figures } from "../core/events.ts";
import type { Image } from "../core/image.ts";

/** Below this standard deviation of its pixels, of 255, a picture is one flat colour. */
const flat = 4;
/** The share of black and white bytes above which pictures are saturated. */
const saturated = 0.9;
/** Below this mean difference, of 255, pictures of different people and poses are one picture. */
const same = 0.5;
/** Below this hinge loss D tells all frames apart with its whole margin. */
const wonLoss = 0.02;
/** Steps in a row with such a loss after which D has won. */
const wonSteps = 100;

const standardDeviation = ({ data }: Image): number => {
  let sum = 0, squares = 0;
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(Math.max(0, squares / data.length - (sum / data.length) ** 2));
};

const extremeShare = ({ data }: Image): number => {
  let extremes = 0;
  for (const value of data) if (value < 2 || value > 253) extremes++;
  return extremes / data.length;
};

/** How much pictures differ from the first of them, of 255. */
const variety = ([first, ...rest]: readonly Image[]): number =>
  mean(
    rest.map(({ data }) =>
      data.reduce((sum, value, i) => sum + Math.abs(value - (first?.data[i] ?? 0)), 0) / data.length
    ),
  );

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** What can be seen of a collapsed generator in pictures that it made beside the real ones. */
export interface Pictures {
  /** Of several people. */
  readonly outputs: readonly Image[];
  /** What they should look like. */
  readonly truths: readonly Image[];
}

/**
 * The collapse of a generator in words, undefined where there is none: flat pictures, black and
 * white where the real ones are not, or one picture for everybody in every pose. A new generator is
 * flat too: ask only after it has learnt.
 */
export const collapseOf = ({ outputs, truths }: Pictures): string | undefined => {
  if (outputs.length === 0) return undefined;
  const spread = mean(outputs.map(standardDeviation)), real = mean(truths.map(standardDeviation));
  if (spread < flat && real >= flat) {
    return `the generator paints one flat colour (its pixels vary by ${
      spread.toFixed(1)
    } of 255, ` +
      `those of real frames by ${real.toFixed(1)})`;
  }
  const extremes = mean(outputs.map(extremeShare)), usual = mean(truths.map(extremeShare));
  if (outputs.length > 1 && variety(outputs) < same && variety(truths) >= same) {
    return "the generator paints the same picture for everybody in every pose";
  }
  return extremes > saturated && usual < saturated / 2
    ? `the generator is saturated (${(100 * extremes).toFixed(0)} % of its values are black or ` +
      `white, of real frames ${(100 * usual).toFixed(0)} %)`
    : undefined;
};

/**
 * Below this share of what real pictures differ by, those of everybody are nearly one (measured:
 * 0.11 at rates a hundred times too high, 0.14 and more of methods that know no person, 0.7 and
 * more of those that do).
 */
const alike = 0.125;

/**
 * That pictures of different people and poses are nearly one, in words. So are those of every
 * generator at first: it is a death only where looks at unseen people do not improve and nothing in
 * them is the person's, see `stagnates`.
 */
export const likenessOf = ({ outputs, truths }: Pictures): string | undefined => {
  if (outputs.length < 2) return undefined;
  const made = variety(outputs), real = variety(truths);
  return made < alike * real
    ? "the generator paints nearly the same picture for everybody and does not learn (its " +
      `pictures differ by ${made.toFixed(1)} of 255, real frames by ${real.toFixed(1)})`
    : undefined;
};

/** What a collapse would show in, as figures for the log. */
export const looksOf = ({ outputs }: Pictures): Figures => ({
  /** Standard deviation of the pixels of a picture, of 255. */
  spread: outputs.length === 0 ? 0 : mean(outputs.map(standardDeviation)),
  /** The share of values that are black or white. */
  saturated: outputs.length === 0 ? 0 : mean(outputs.map(extremeShare)),
});

/** Whether a generator has ever painted more than one flat colour. */
export const isAlive = ({ outputs }: Pictures): boolean =>
  outputs.length > 0 && mean(outputs.map(standardDeviation)) >= 2 * flat;

/** Steps in a row in which D has told everything apart, this step included. */
export const wonFor = (before: number, { discriminator }: Figures): number =>
  discriminator !== undefined && discriminator < wonLoss ? before + 1 : 0;

/**
 * What is said, once, when D has won: its gradient is then 0 and the adversarial term teaches
 * nothing. The content terms go on, so this is a warning and no reason to roll back.
 */
export const wonWarning = (steps: number): string | undefined =>
  steps === wonSteps
    ? `The discriminator has won: its loss has been under ${wonLoss} for ${wonSteps} steps, so the ` +
      "adversarial term teaches nothing; lower the discriminator's rate or its steps"
    : undefined;

/** Steps with a loss and no gradient after which D is dead. */
const deadSteps = 10;

/**
 * Steps in a row, this one included, in which D had a hinge loss above 1 and a gradient of exactly
 * 0: none of its ReLUs lets anything through. (One that has won has no gradient either, but no loss.)
 */
export const deadFor = (
  before: number,
  { discriminator, discriminatorGradient }: Figures,
): number =>
  discriminator !== undefined && discriminator > 1 && discriminatorGradient === 0 ? before + 1 : 0;

/** What is said of a D that is dead, which it stays: undefined of a living one. */
export const deadDiagnosis = (steps: number): string | undefined =>
  steps >= deadSteps
    ? `the discriminator is dead (a loss above 1 and no gradient for ${steps} steps)`
    : undefined;
