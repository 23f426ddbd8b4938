/**
 * The one resampler of raw pictures: antialiased when it shrinks, bilinear when it enlarges,
 * edge-replicated where the rectangle leaves the picture.
 *
 * @module
 */
import type { Image } from "./image.ts";

/** A rectangle in pixels of a picture; its corner pixel covers [x, x + 1) × [y, y + 1). */
export interface Rect {
  /** Its left edge. */
  readonly x: number;
  /** Its upper edge. */
  readonly y: number;
  /** Above 0. */
  readonly width: number;
  /** Above 0. */
  readonly height: number;
}

/** For each output position `taps` source indices, clamped to the picture, and their weights. */
interface Kernel {
  readonly taps: number;
  /** In steps of `unit` numbers. */
  readonly indices: Int32Array;
  readonly weights: Float32Array;
}

// A triangle as wide as one output pixel (at least one source pixel on each side): bilinear when
// enlarging, a low pass when shrinking, and exactly the identity at scale 1 and whole offsets.
const triangle = (
  start: number,
  extent: number,
  out: number,
  bound: number,
  unit: number,
): Kernel => {
  const scale = extent / out;
  const radius = Math.max(1, scale);
  const taps = Math.ceil(2 * radius); // so many whole numbers lie inside the triangle at most
  const indices = new Int32Array(out * taps);
  const weights = new Float32Array(out * taps);
  for (let i = 0; i < out; i++) {
    const centre = start + (i + 0.5) * scale - 0.5;
    const first = Math.ceil(centre - radius);
    let total = 0;
    for (let k = 0; k < taps; k++) {
      const weight = Math.max(0, 1 - Math.abs(first + k - centre) / radius);
      indices[i * taps + k] = unit * Math.min(bound - 1, Math.max(0, first + k));
      weights[i * taps + k] = weight;
      total += weight;
    }
    for (let k = 0; k < taps; k++) weights[i * taps + k]! /= total;
  }
  return { taps, indices, weights };
};

/**
 * Resamples a rectangle of a picture to `width × height` pixels. The rectangle may leave the
 * picture (edge pixels are repeated) and need not have the same shape as the result.
 * Throws a `RangeError` when the rectangle has no area or is not finite: a bug of the caller.
 */
export const resample = (image: Image, rect: Rect, width: number, height: number): Image => {
  if (!(rect.width > 0 && rect.height > 0 && Number.isFinite(rect.x + rect.y))) {
    throw new RangeError(
      `Cannot resample: the rectangle is ${JSON.stringify(rect)}, expected a finite one with area`,
    );
  }
  const across = triangle(rect.x, rect.width, width, image.width, 3);
  const down = triangle(rect.y, rect.height, height, image.height, 1);
  let top = image.height, bottom = 0;
  for (const row of down.indices) {
    if (row < top) top = row;
    if (row >= bottom) bottom = row + 1;
  }
  // Horizontally first, on the rows that are needed.
  const { data: source } = image, { taps, indices, weights } = across;
  const rows = new Float32Array((bottom - top) * width * 3);
  for (let y = top, o = 0; y < bottom; y++) {
    const line = y * image.width * 3;
    for (let x = 0, t = 0; x < width; x++, o += 3) {
      let r = 0, g = 0, b = 0;
      for (const end = t + taps; t < end; t++) {
        const weight = weights[t]!, s = line + indices[t]!;
        r += weight * source[s]!;
        g += weight * source[s + 1]!;
        b += weight * source[s + 2]!;
      }
      rows[o] = r;
      rows[o + 1] = g;
      rows[o + 2] = b;
    }
  }
  const data = new Uint8Array(width * height * 3);
  const stride = width * 3;
  const sum = new Float32Array(stride);
  for (let y = 0, t = 0; y < height; y++) {
    sum.fill(0.5); // rounds to nearest when truncated
    for (let k = 0; k < down.taps; k++, t++) {
      const weight = down.weights[t]!;
      if (weight === 0) continue;
      const s = (down.indices[t]! - top) * stride;
      for (let i = 0; i < stride; i++) sum[i]! += weight * rows[s + i]!;
    }
    const o = y * stride;
    for (let i = 0; i < stride; i++) data[o + i] = Math.min(255, sum[i]!);
  }
  return { width, height, channels: 3, data };
};
