/**
 * How sure a mean over people is.
 *
 * @module
 */
import type { Rng } from "../core/rng.ts";

/** A mean with an interval that holds the true one with the asked probability. */
export interface Interval {
  /** The mean over all values. */
  readonly mean: number;
  /** The lower end. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
}

/** How the interval is made. */
export interface BootstrapOptions {
  /** How often people are drawn anew. Default 1000. */
  readonly draws?: number;
  /** The probability that the interval holds the true mean. Default 0.95. */
  readonly level?: number;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The value below which a share of sorted values lies, between neighbours in proportion. */
const quantile = (sorted: readonly number[], share: number): number => {
  const at = share * (sorted.length - 1), below = Math.floor(at);
  const low = sorted[below] ?? NaN, high = sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN;
  return low + (high - low) * (at - below);
};

/**
 * The mean over all values with a percentile bootstrap interval over identities: frames of one
 * person are not independent, so people are drawn with replacement, with all their values. The same
 * `rng` gives the same interval. Throws where there is no value.
 */
export const bootstrapInterval = (
  byIdentity: ReadonlyMap<string, readonly number[]>,
  rng: Rng,
  { draws = 1000, level = 0.95 }: BootstrapOptions = {},
): Interval => {
  const people = [...byIdentity.entries()].filter(([, values]) => values.length > 0)
    .sort(([a], [b]) => a < b ? -1 : 1).map(([, values]) => values);
  if (people.length === 0) {
    throw new RangeError("Cannot compute an interval: there are no values, expected at least one");
  }
  const draw = rng.fold("bootstrap").draw();
  const means = Array.from(
    { length: draws },
    () => mean(people.flatMap(() => draw.pick(people))),
  ).sort((a, b) => a - b);
  return {
    mean: mean(people.flat()),
    low: quantile(means, (1 - level) / 2),
    high: quantile(means, (1 + level) / 2),
  };
};
