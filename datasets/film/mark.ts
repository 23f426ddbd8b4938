/**
 * The visible mark of a synthetic picture, and enlarging for small presets.
 *
 * @module
 */
import type { Image } from "../../pipeline/core/image.ts";

/** "AI" in a pixel font, with a frame of one pixel. */
const MARK = [
  ".........",
  "..#..###.",
  ".#.#..#..",
  ".###..#..",
  ".#.#..#..",
  ".#.#.###.",
  ".........",
] as const;

/** Side of the mark's pixels, for a picture of that width. */
const markScale = (width: number): number => Math.max(1, Math.round(width / 128));

/**
 * A copy with the letters AI, white on black, in the lower right corner of the square of `side`
 * pixels that begins at `left`: 9 × 7 pixels up to a side of 128, twice that at 256.
 */
export const markSynthetic = (image: Image, left = 0, side = image.width): Image => {
  const scale = markScale(side), data = image.data.slice();
  const x0 = left + side - MARK[0].length * scale, y0 = image.height - MARK.length * scale;
  for (let y = Math.max(0, y0); y < image.height; y++) {
    for (let x = Math.max(left, x0); x < left + side; x++) {
      const row = MARK[Math.floor((y - y0) / scale)] ?? "";
      data.fill(
        row[Math.floor((x - x0) / scale)] === "#" ? 255 : 0,
        (y * image.width + x) * 3,
        (y * image.width + x + 1) * 3,
      );
    }
  }
  return { ...image, data };
};

/** A picture with every pixel as a square of `times` × `times`. */
export const enlarge = (image: Image, times: number): Image => {
  if (times === 1) return image;
  const width = image.width * times, height = image.height * times;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < image.height; y++) {
    const row = data.subarray(y * times * width * 3, (y * times + 1) * width * 3);
    for (let x = 0; x < image.width; x++) {
      const from = (y * image.width + x) * 3;
      for (let k = 0; k < times; k++) {
        row.set(image.data.subarray(from, from + 3), (x * times + k) * 3);
      }
    }
    for (let k = 1; k < times; k++) {
      data.copyWithin((y * times + k) * width * 3, row.byteOffset, row.byteOffset + row.length);
    }
  }
  return { width, height, channels: 3, data };
};
