/**
 * Distances of pictures pixel by pixel.
 *
 * @module
 */
import type { Image } from "../core/image.ts";

/** Throws where two pictures that are to be compared differ in size. */
export const requireSameSize = (what: string, a: Image, b: Image): void => {
  if (a.width !== b.width || a.height !== b.height || a.data.length !== b.data.length) {
    throw new RangeError(
      `Cannot compute ${what}: one picture is ${a.width}×${a.height}, the other ` +
        `${b.width}×${b.height}, expected equal sizes`,
    );
  }
};

/**
 * Mean absolute difference of two pictures of the same size with values taken as [-1, 1], the scale
 * of the networks: 0 where they are equal, 2 between black and white. Throws where sizes differ.
 */
export const meanAbsoluteError = (a: Image, b: Image): number => {
  requireSameSize("mean absolute error", a, b);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0));
  return sum / a.data.length / 127.5;
};
