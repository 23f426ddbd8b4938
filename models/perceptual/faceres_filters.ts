/**
 * Filters of FaceRes made over once, when it is loaded, so that each picture takes fewer steps.
 *
 * @module
 */
import type { Tensor } from "../../backends/tf.ts";
import type { WeightArray } from "./manifest.ts";

/**
 * Enlarging a picture to twice its size bilinearly and then convolving it with stride 2 is one
 * convolution with stride 1: these are its 3×3 filters (beyond the border all is zero).
 */
export const enlargeFilters = ({ shape, values }: WeightArray): WeightArray => {
  // Row m of the enlarged window 2i … 2i+2, as a mix of the rows i−1, i, i+1 of the picture.
  const mix = [[0.25, 0.75, 0], [0, 0.75, 0.25], [0, 0.25, 0.75]];
  const rest = (shape[2] ?? 1) * (shape[3] ?? 1);
  const enlarged = new Float32Array(values.length);
  mix.forEach((rows, m) =>
    mix.forEach((columns, n) =>
      rows.forEach((r, i) =>
        columns.forEach((c, j) => {
          for (let k = 0; k < rest; k++) {
            const at = (3 * i + j) * rest + k;
            enlarged[at] = (enlarged[at] ?? 0) + r * c * (values[(3 * m + n) * rest + k] ?? 0);
          }
        })
      )
    )
  );
  return { shape, values: enlarged };
};

/**
 * The filters [3, 3, 4·in, out] that, on 2×2 squares of the picture stacked as channels, do with
 * stride 1 what these do with stride 2 on the picture itself.
 */
export const stackFilters = ({ shape, values }: WeightArray): WeightArray => {
  const [, , from = 1, to = 1] = shape;
  const stacked = new Float32Array(9 * 4 * from * to);
  for (let m = 0; m < 3; m++) {
    for (let n = 0; n < 3; n++) {
      const square = (3 * (1 + (m >> 1)) + 1 + (n >> 1)) * 4 + 2 * (m % 2) + n % 2;
      const source = (3 * m + n) * from * to;
      stacked.set(values.subarray(source, source + from * to), square * from * to);
    }
  }
  return { shape: [3, 3, 4 * from, to], values: stacked };
};

/** Stacks each 2×2 square of pixels as channels. // [B, 2H, 2W, C] → [B, H, W, 4C] */
export const stackSquares = (x: Tensor): Tensor => {
  const [batch = 1, height = 2, width = 2, depth = 1] = x.shape;
  return x.reshape([batch, height / 2, 2, width / 2, 2 * depth])
    .transpose([0, 1, 3, 2, 4])
    .reshape([batch, height / 2, width / 2, 4 * depth]);
};

/** Depthwise filters [3, 3, C, 1] with the factors [C] of the batch norm in them. */
export const scaled = (filter: WeightArray, { values: factors }: WeightArray): WeightArray => ({
  shape: filter.shape,
  values: filter.values.map((value, i) => value * (factors[i % factors.length] ?? 1)),
});

/** Filters rotated by half a turn. */
export const rotated = ({ shape, values }: WeightArray): WeightArray => {
  const depth = shape[2] ?? 1;
  return {
    shape,
    values: values.map((_, i) =>
      values[values.length - depth * (1 + Math.floor(i / depth)) + i % depth] ?? 0
    ),
  };
};
