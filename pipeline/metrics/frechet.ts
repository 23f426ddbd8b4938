/**
 * Distances between the distributions of the features of real and of synthesised pictures. They are
 * called by the name of the network that made the features; "FID" and "KID" are only those of the
 * canonical Inception weights.
 *
 * @module
 */
import type { Vector } from "./csim.ts";
import {
  covarianceRoot,
  dotProducts,
  featureRows,
  meanRow,
  nuclearNorm,
  type Rows,
  shorten,
} from "./features.ts";

const sumOfSquares = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value * value, 0);

/**
 * Fréchet distance |μx − μy|² + tr(Σx + Σy − 2 (Σx Σy)^½) of two lists of feature vectors, with
 * sample covariances. The trace of the root is the sum of the singular values of A Bᵀ, where
 * AᵀA = Σx and BᵀB = Σy: exact also where there are fewer vectors than dimensions. Throws where a
 * list has fewer than 2 vectors, or where they differ in length or are not finite. Say how many
 * vectors there were: the distance is biased for few.
 *
 * @example
 * ```ts
 * import { frechetDistance } from "./frechet.ts";
 * const distance = frechetDistance([[0, 0], [0, 2]], [[3, 0], [3, 2]]);
 * if (Math.abs(distance - 9) > 1e-9) throw new Error("not the distance of the means");
 * ```
 */
export const frechetDistance = (x: readonly Vector[], y: readonly Vector[]): number => {
  const [first, second] = featureRows("Fréchet distance", x, y);
  const a = covarianceRoot(first), b = covarianceRoot(second);
  const other = meanRow(second);
  const means = sumOfSquares(meanRow(first).map((value, i) => value - (other[i] ?? 0)));
  const traces = sumOfSquares(a.values) + sumOfSquares(b.values);
  const root = nuclearNorm(dotProducts(shorten(a), shorten(b)));
  return Math.max(0, means + traces - 2 * root);
};

/** Mean of (x·y / d + 1)³ over pairs of rows; of one set with itself, over different ones. */
const kernelMean = (a: Rows, b: Rows): number => {
  const same = a === b;
  const products = dotProducts(a, b).values;
  let sum = 0;
  for (let i = 0; i < products.length; i++) {
    if (same && i % (a.count + 1) === 0) continue;
    const base = (products[i] ?? 0) / a.length + 1;
    sum += base * base * base;
  }
  return sum / (a.count * (same ? a.count - 1 : b.count));
};

/**
 * Kernel distance of two lists of feature vectors: the unbiased estimate of the squared maximum mean
 * discrepancy with the kernel (x·y / d + 1)³, over all vectors at once. It does not depend on how
 * many there are, and can be a little below 0. Throws as {@link frechetDistance} does.
 */
export const kernelDistance = (x: readonly Vector[], y: readonly Vector[]): number => {
  const [a, b] = featureRows("kernel distance", x, y);
  return kernelMean(a, a) + kernelMean(b, b) - 2 * kernelMean(a, b);
};
