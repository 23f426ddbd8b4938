/**
 * Layers that the paper's rivals have and our networks have not: strided and transposed
 * convolutions, reflection padding, bilinear upsampling. Composed so that each is fast with its
 * gradients on every backend. Call them inside `backend.run`.
 *
 * @module
 */
import { convolve } from "../../backends/ops.ts";
import { type Tensor, type Tensor3D, tf } from "../../backends/tf.ts";

/** [B, 2h, 2w, C] → [B, h, w, 4C]: each 2×2 square becomes one pixel, rows first. */
const squaresToPixels = (x: Tensor): Tensor => {
  const [batch = 1, height = 2, width = 2, channels = 1] = x.shape;
  const h = height / 2, w = width / 2;
  return tf.transpose(x.reshape([batch * h, 2, w, 2 * channels]), [0, 2, 1, 3])
    .reshape([batch, h, w, 4 * channels]);
};

/** A 4×4 filter for pixels as the 2×2 filter for squares that does the same. */
const filterOfSquares = (filter: Tensor): Tensor => {
  const [, , input = 1, output = 1] = filter.shape;
  return tf.transpose(filter.reshape([2, 2, 2, 2 * input * output]), [0, 2, 1, 3])
    .reshape([2, 2, 4 * input, output]);
};

/** What stride 2 needs: the filter's side k is 3 or 4, `padding` pixels of zeros all around. */
export interface StridedShape {
  /** Pixels of zeros above and left. */
  readonly padding: number;
}

/**
 * Convolution with stride 2 and a 3×3 or 4×4 filter [k, k, in, out], zero padding.
 *
 * The squares of the padded image are moved into the channels: what is left is a 2×2 convolution
 * with stride 1, which is one product of matrices.
 */
export const convolveStrided = (
  x: Tensor, // [B, H, W, in]
  filter: Tensor,
  { padding }: StridedShape,
): Tensor => {
  const [side = 4] = filter.shape, [, height = 1, width = 1] = x.shape;
  const outOf = (length: number): number => Math.floor((length + 2 * padding - side) / 2) + 1;
  const missing = (length: number): number => 2 * outOf(length) + 2 - padding - length;
  const cut = (length: number): number => Math.min(length, length + missing(length));
  const whole = tf.slice(x, [0, 0, 0, 0], [-1, cut(height), cut(width), -1]);
  const padded = tf.pad(whole, [
    [0, 0],
    [padding, Math.max(0, missing(height))],
    [padding, Math.max(0, missing(width))],
    [0, 0],
  ]);
  const square = side === 4 ? filter : tf.pad(filter, [[0, 1], [0, 1], [0, 0], [0, 0]]);
  return convolveSquares(squaresToPixels(padded), filterOfSquares(square)); // [B, h, w, out]
};

/**
 * A 2×2 convolution without padding as one product of matrices: the four pixels that an output
 * sees side by side in the channels. // [B, h + 1, w + 1, in] → [B, h, w, out]
 */
const convolveSquares = (x: Tensor, filter: Tensor): Tensor => {
  const [batch = 1, height = 2, width = 2, input = 1] = x.shape, [, , , output = 1] = filter.shape;
  const h = height - 1, w = width - 1;
  const seen = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([down = 0, right = 0]) =>
    tf.slice(x, [0, down, right, 0], [-1, h, w, -1])
  );
  return tf.matMul(
    tf.concat(seen, 3).reshape([batch * h * w, 4 * input]),
    filter.reshape([4 * input, output]),
  ).reshape([batch, h, w, output]);
};

/**
 * Convolution with stride 1, any filter [k, k, in, out] and zero padding: our own convolution, of
 * which the rim is cut off. An even filter is made odd by zeros. // → [B, h, w, out]
 */
export const convolvePadded = (
  x: Tensor, // [B, H, W, in]
  filter: Tensor,
  padding: number,
): Tensor => {
  const [side = 1] = filter.shape, even = 1 - side % 2, rim = (side + even - 1) / 2;
  const around: [number, number] = [padding, padding];
  const padded = padding === 0 ? x : tf.pad(x, [[0, 0], around, around, [0, 0]]);
  const odd = even === 0 ? filter : tf.pad(filter, [[0, 1], [0, 1], [0, 0], [0, 0]]);
  const [, height = 1, width = 1] = padded.shape;
  return tf.slice(
    convolve(padded, odd),
    [0, rim, rim, 0],
    [-1, height - side + 1, width - side + 1, -1],
  );
};

/**
 * Transposed convolution 3×3 with stride 2, padding 1 and output padding 1: each pixel becomes the
 * upper left one of a square of zeros, then an ordinary convolution. // [B, H, W, in] → [B, 2H, 2W, out]
 */
export const convolveTransposed = (x: Tensor, filter: Tensor, bias: Tensor): Tensor => {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const wide = tf.pad(x.reshape([batch * height, width, 1, channels]), [
    [0, 0],
    [0, 0],
    [0, 1],
    [0, 0],
  ]).reshape([batch * height, 1, 2 * width * channels]);
  const spread = tf.pad(wide, [[0, 0], [0, 1], [0, 0]])
    .reshape([batch, 2 * height, 2 * width, channels]);
  return convolve(spread, filter, { bias });
};

/** Mirrors `by` pixels over each edge, which itself is not repeated. // → [B, H + 2by, W + 2by, C] */
export const padReflecting = (x: Tensor, by: number): Tensor => {
  const along = (t: Tensor, axis: 1 | 2): Tensor => {
    const length = t.shape[axis] ?? 1;
    const strip = (from: number): Tensor => {
      const begin = [0, 0, 0, 0], size = [-1, -1, -1, -1];
      begin[axis] = from;
      size[axis] = by;
      return tf.reverse(tf.slice(t, begin, size), [axis]);
    };
    return tf.concat([strip(1), t, strip(length - 1 - by)], axis);
  };
  return along(along(x, 1), 2);
};

/** Resamples rows and columns by constant matrices. // [h, H] and [w, W]: [B, H, W, C] → [B, h, w, C] */
const resample = (x: Tensor, rows: Tensor, columns: Tensor): Tensor => {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const [newHeight = 1] = rows.shape, [newWidth = 1] = columns.shape;
  const tall = tf.matMul(
    rows.expandDims<Tensor3D>(0),
    x.reshape<Tensor3D>([batch, height, width * channels]),
  );
  return tf.matMul(
    columns.expandDims<Tensor3D>(0),
    tall.reshape<Tensor3D>([batch * newHeight, width, channels]),
  ).reshape([batch, newHeight, newWidth, channels]);
};

/** How each of `to` outputs is mixed of `from` inputs, by a function of both places. */
const mixing = (from: number, to: number, weight: (o: number, i: number) => number): Tensor => {
  const values = Float32Array.from(
    { length: from * to },
    (_, k) => weight(Math.floor(k / from), k % from),
  );
  return tf.tensor(values, [to, from]);
};

/** Bilinear upsampling by 2, corners on corners (`align_corners`). // → [B, 2H, 2W, C] */
export const upsampleBilinear2 = (x: Tensor): Tensor => {
  const [, height = 1, width = 1] = x.shape;
  const matrix = (length: number): Tensor =>
    mixing(length, 2 * length, (o, i) => {
      const place = o * (length - 1) / (2 * length - 1);
      return Math.max(0, 1 - Math.abs(place - i));
    });
  return resample(x, matrix(height), matrix(width));
};

/** Mean of 3×3 with stride 2, of the pixels that are there (padding 1 does not count). */
export const averagePool3 = (x: Tensor): Tensor => {
  const [, height = 1, width = 1] = x.shape;
  const matrix = (length: number): Tensor => {
    const count = (o: number): number => [-1, 0, 1].filter((d) => inside(2 * o + d, length)).length;
    return mixing(
      length,
      Math.floor((length - 1) / 2) + 1,
      (o, i) => Math.abs(2 * o - i) <= 1 ? 1 / count(o) : 0,
    );
  };
  return resample(x, matrix(height), matrix(width)); // [B, ⌈H/2⌉, ⌈W/2⌉, C]
};

const inside = (at: number, length: number): boolean => at >= 0 && at < length;
