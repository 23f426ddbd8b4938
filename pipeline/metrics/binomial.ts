/**
 * How sure a share of yes-or-no answers is.
 *
 * @module
 */
import type { Interval } from "./bootstrap.ts";

/** The 97.5 % point of the normal distribution: a two-sided interval of 95 %. */
const z95 = 1.959963984540054;

/**
 * The share of `hits` among `trials` with Wilson's interval, 95 % by default: the values that a
 * score test does not reject. It stays within [0, 1] and is not empty at 0 or all hits. Trials
 * count as independent. Throws where `trials` is not positive or `hits` is not among them: a bug.
 *
 * @example
 * ```ts
 * import { wilsonInterval } from "./binomial.ts";
 * const { mean, low, high } = wilsonInterval(20, 60);
 * if (mean !== 1 / 3 || !(low < mean && mean < high)) throw new Error("unexpected");
 * ```
 */
export const wilsonInterval = (hits: number, trials: number, z = z95): Interval => {
  if (!(trials > 0 && hits >= 0 && hits <= trials)) {
    throw new RangeError(`Cannot bound a share: ${hits} of ${trials}, expected 0 to all of some`);
  }
  const mean = hits / trials, below = 1 + z * z / trials;
  const middle = (mean + z * z / (2 * trials)) / below;
  const half = z / below * Math.sqrt(mean * (1 - mean) / trials + z * z / (4 * trials * trials));
  return {
    mean,
    low: hits === 0 ? 0 : middle - half,
    high: hits === trials ? 1 : middle + half,
  };
};
