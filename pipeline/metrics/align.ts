/**
 * Aligning a face for a recogniser: the similarity transform that puts eyes, nose and corners of
 * the mouth where the recogniser expects them.
 *
 * @module
 */
import { type Image, type Landmarks, makeImage } from "../core/image.ts";

/** Pairs of coordinates: x0, y0, x1, y1, … */
export type Points = ArrayLike<number>;

/** x ↦ a·x − b·y + dx, y ↦ b·x + a·y + dy: turning, scaling, shifting. */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly dx: number;
  readonly dy: number;
}

/**
 * Where the five points of a face lie in a square of 112 pixels for recognisers that were trained
 * on such faces: left eye, right eye, nose, corners of the mouth. // [5, 2]
 */
export const faceTemplate112: Points = [
  ...[38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366],
  ...[41.5493, 92.3655, 70.7299, 92.2041],
];

const centre = (landmarks: Landmarks, from: number, to: number): readonly [number, number] => {
  let x = 0, y = 0;
  for (let i = from; i < to; i++) {
    x += (landmarks[2 * i] ?? 0) / (to - from);
    y += (landmarks[2 * i + 1] ?? 0) / (to - from);
  }
  return [x, y];
};

/** The five points of 68 landmarks: centres of the eyes, tip of the nose, corners of the mouth. */
export const fivePoints = (landmarks: Landmarks): Points => [
  ...centre(landmarks, 36, 42),
  ...centre(landmarks, 42, 48),
  ...centre(landmarks, 30, 31),
  ...centre(landmarks, 48, 49),
  ...centre(landmarks, 54, 55),
];

/**
 * The similarity that brings `from` to `to` with the least squared distance; undefined where all
 * points are one, or not finite.
 */
export const fitSimilarity = (from: Points, to: Points): Similarity | undefined => {
  const count = from.length / 2;
  let fx = 0, fy = 0, tx = 0, ty = 0;
  for (let i = 0; i < count; i++) {
    fx += (from[2 * i] ?? NaN) / count;
    fy += (from[2 * i + 1] ?? NaN) / count;
    tx += (to[2 * i] ?? NaN) / count;
    ty += (to[2 * i + 1] ?? NaN) / count;
  }
  let along = 0, across = 0, size = 0;
  for (let i = 0; i < count; i++) {
    const x = (from[2 * i] ?? NaN) - fx, y = (from[2 * i + 1] ?? NaN) - fy;
    const u = (to[2 * i] ?? NaN) - tx, v = (to[2 * i + 1] ?? NaN) - ty;
    along += x * u + y * v;
    across += x * v - y * u;
    size += x * x + y * y;
  }
  const a = along / size, b = across / size;
  return size > 0 && Number.isFinite(a + b) && a * a + b * b > 0
    ? { a, b, dx: tx - a * fx + b * fy, dy: ty - b * fx - a * fy }
    : undefined;
};

/**
 * The square of `size` pixels into which the similarity puts a picture; black where there is none.
 * Where the picture shrinks, each pixel is a mean of several samples.
 */
export const warp = (image: Image, { a, b, dx, dy }: Similarity, size: number): Image => {
  const warped = makeImage(size, size), scale = Math.hypot(a, b);
  const samples = Math.min(16, Math.max(1, Math.ceil(1 / scale)));
  const square = scale * scale;
  const { width, height, data } = image;
  const pixel = (x: number, y: number, c: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : data[(y * width + x) * 3 + c] ?? 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let red = 0, green = 0, blue = 0;
      for (let k = 0; k < samples * samples; k++) {
        const u = column + ((k % samples) + 0.5) / samples - 0.5 - dx;
        const v = row + (Math.floor(k / samples) + 0.5) / samples - 0.5 - dy;
        const x = (a * u + b * v) / square, y = (a * v - b * u) / square;
        const left = Math.floor(x), top = Math.floor(y), p = x - left, q = y - top;
        const mix = (c: number): number =>
          (1 - q) * ((1 - p) * pixel(left, top, c) + p * pixel(left + 1, top, c)) +
          q * ((1 - p) * pixel(left, top + 1, c) + p * pixel(left + 1, top + 1, c));
        red += mix(0);
        green += mix(1);
        blue += mix(2);
      }
      const at = (row * size + column) * 3, n = samples * samples;
      warped.data[at] = Math.round(red / n);
      warped.data[at + 1] = Math.round(green / n);
      warped.data[at + 2] = Math.round(blue / n);
    }
  }
  return warped;
};
