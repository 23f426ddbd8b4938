/**
 * Sets of feature vectors as matrices in float64, for the distances between distributions.
 *
 * @module
 */
import { Matrix, QrDecomposition, SingularValueDecomposition } from "npm:ml-matrix@6.15.1";
import type { Vector } from "./csim.ts";

/** Rows of equal length, one after the other. */
export interface Rows {
  /** How many rows. */
  readonly count: number;
  /** How many numbers a row has. */
  readonly length: number;
  /** All rows. // [count, length] */
  readonly values: Float64Array;
}

/** Two sets of features of one network; throws where a vector differs in length or is not finite. */
export const featureRows = (
  what: string,
  x: readonly Vector[],
  y: readonly Vector[],
): readonly [Rows, Rows] => {
  const length = x[0]?.length ?? 0;
  const pack = (vectors: readonly Vector[]): Rows => {
    const values = new Float64Array(vectors.length * length);
    vectors.forEach((vector, i) => {
      if (vector.length !== length) {
        throw new RangeError(
          `Cannot compute ${what}: a feature has ${vector.length} numbers, expected ${length}`,
        );
      }
      values.set(vector, i * length);
    });
    if (vectors.length < 2 || length === 0 || !values.every(Number.isFinite)) {
      throw new RangeError(
        `Cannot compute ${what}: there are ${vectors.length} features of ${length} numbers, ` +
          "expected at least 2 of at least 1, all finite",
      );
    }
    return { count: vectors.length, length, values };
  };
  return [pack(x), pack(y)];
};

/** The dot products of all rows of one set with all rows of another. // [a.count, b.count] */
export const dotProducts = (a: Rows, b: Rows): Rows => {
  const { values: x, length } = a, y = b.values;
  const values = new Float64Array(a.count * b.count);
  for (let i = 0; i < a.count; i++) {
    // Four rows at a time: independent sums, and each x is fetched once for all of them.
    for (let j = 0; j < b.count; j += 4) {
      const rows = Math.min(4, b.count - j), at = i * b.count + j;
      const y0 = j * length;
      const y1 = y0 + (rows > 1 ? length : 0), y2 = y0 + (rows > 2 ? 2 * length : 0);
      const y3 = y0 + (rows > 3 ? 3 * length : 0);
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let k = 0; k < length; k++) {
        const v = x[i * length + k] as number;
        s0 += v * (y[y0 + k] as number);
        s1 += v * (y[y1 + k] as number);
        s2 += v * (y[y2 + k] as number);
        s3 += v * (y[y3 + k] as number);
      }
      values.set([s0, s1, s2, s3].slice(0, rows), at);
    }
  }
  return { count: a.count, length: b.count, values };
};

/** The mean row. */
export const meanRow = ({ count, length, values }: Rows): Float64Array => {
  const mean = new Float64Array(length);
  values.forEach((value, i) => mean[i % length] = (mean[i % length] ?? 0) + value / count);
  return mean;
};

/** A with AᵀA the sample covariance: the centred rows over √(count − 1). */
export const covarianceRoot = (rows: Rows): Rows => {
  const mean = meanRow(rows), scale = 1 / Math.sqrt(rows.count - 1);
  return {
    ...rows,
    values: rows.values.map((value, i) => (value - (mean[i % rows.length] ?? 0)) * scale),
  };
};

const toMatrix = ({ count, length, values }: Rows): Matrix =>
  Matrix.from1DArray(count, length, values);

/** R with RᵀR = AᵀA and no more rows than columns. */
export const shorten = (rows: Rows): Rows =>
  rows.count <= rows.length ? rows : {
    count: rows.length,
    length: rows.length,
    values: Float64Array.from(
      new QrDecomposition(toMatrix(rows)).upperTriangularMatrix.to1DArray(),
    ),
  };

/** The sum of the singular values. */
export const nuclearNorm = (rows: Rows): number =>
  new SingularValueDecomposition(toMatrix(rows), {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  }).diagonal.reduce((sum, value) => sum + value, 0);
