/**
 * Likeness of two people in the eyes of a face recogniser (section 4: CSIM).
 *
 * @module
 */

/** A descriptor or a feature of a picture. */
export type Vector = ArrayLike<number>;

/**
 * Cosine similarity of two identity descriptors of the same length: 1 for the same direction, 0 for
 * unrelated ones, and 0 where one is all zeros. The recogniser must not be one of the loss. Throws
 * where lengths differ.
 */
export const csim = (a: Vector, b: Vector): number => {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(
      `Cannot compute CSIM: the descriptors have ${a.length} and ${b.length} numbers, expected equally many`,
    );
  }
  const first = Math.hypot(...Array.from(a)), second = Math.hypot(...Array.from(b));
  if (first === 0 || second === 0) return 0;
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += ((a[i] ?? 0) / first) * ((b[i] ?? 0) / second);
  return dot;
};
