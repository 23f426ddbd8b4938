/**
 * Structural similarity of two pictures, as scikit-image computes it with Gaussian weights:
 * `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
 * data_range=255, channel_axis=-1)`.
 *
 * @module
 */
import type { Image } from "../core/image.ts";
import { requireSameSize } from "./pixels.ts";

const radius = 5; // 3.5 standard deviations of 1.5, rounded
const c1 = (0.01 * 255) ** 2, c2 = (0.03 * 255) ** 2;

const window = (() => {
  const raw = Array.from(
    { length: 2 * radius + 1 },
    (_, i) => Math.exp(-((i - radius) ** 2) / 4.5),
  );
  const sum = raw.reduce((a, b) => a + b, 0);
  return Float64Array.from(raw, (value) => value / sum);
})();

/** Weighs windows of a plane; only windows that lie wholly inside are kept. */
const blur = (plane: Float64Array, width: number, height: number): Float64Array => {
  const inner = width - 2 * radius, rows = height - 2 * radius;
  const across = new Float64Array(inner * height), both = new Float64Array(inner * rows);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < inner; x++) {
      let sum = 0;
      for (let k = 0; k < window.length; k++) {
        sum += (window[k] ?? 0) * (plane[y * width + x + k] ?? 0);
      }
      across[y * inner + x] = sum;
    }
  }
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < inner; x++) {
      let sum = 0;
      for (let k = 0; k < window.length; k++) {
        sum += (window[k] ?? 0) * (across[(y + k) * inner + x] ?? 0);
      }
      both[y * inner + x] = sum;
    }
  }
  return both;
};

const channel = ({ data }: Image, c: number): Float64Array =>
  Float64Array.from({ length: data.length / 3 }, (_, i) => data[3 * i + c] ?? 0);

const product = (a: Float64Array, b: Float64Array): Float64Array =>
  a.map((value, i) => value * (b[i] ?? 0));

const planeSsim = (a: Float64Array, b: Float64Array, width: number, height: number): number => {
  const [ma, mb, aa, bb, ab] = [a, b, product(a, a), product(b, b), product(a, b)]
    .map((plane) => blur(plane, width, height)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
  let sum = 0;
  for (let i = 0; i < ma.length; i++) {
    const x = ma[i] ?? 0, y = mb[i] ?? 0;
    const varX = (aa[i] ?? 0) - x * x, varY = (bb[i] ?? 0) - y * y, both = (ab[i] ?? 0) - x * y;
    sum += ((2 * x * y + c1) * (2 * both + c2)) / ((x * x + y * y + c1) * (varX + varY + c2));
  }
  return sum / ma.length;
};

/**
 * SSIM of two pictures of the same size, at least 11×11: the mean over colour channels of the mean
 * over all 11×11 windows inside the picture; 1 where they are equal. Throws where the sizes differ
 * or are too small.
 *
 * @example
 * ```ts
 * import { makeImage } from "../core/image.ts";
 * import { ssim } from "./ssim.ts";
 * const picture = makeImage(16, 16, [200, 100, 50]);
 * if (ssim(picture, picture) !== 1) throw new Error("not similar to itself");
 * ```
 */
export const ssim = (a: Image, b: Image): number => {
  requireSameSize("SSIM", a, b);
  const { width, height } = a;
  if (Math.min(width, height) <= 2 * radius) {
    throw new RangeError(`Cannot compute SSIM: the picture is ${width}×${height}, expected 11×11`);
  }
  const values = [0, 1, 2].map((c) => planeSsim(channel(a, c), channel(b, c), width, height));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
};
