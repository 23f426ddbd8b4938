/**
 * Convolution and its gradients on our own kernels: Winograd where the shape allows, direct else.
 *
 * @module
 */
import type { Pool } from "./pool.ts";
import { multiply } from "./matrix_product.ts";
import { up, withParts } from "./scratch.ts";
import {
  type ConvolutionShape,
  directChunks,
  directSplits,
  directThreadBytes,
  pitchedBytes,
  planeBytes,
  tileCount,
  useWinograd,
  winogradBlock,
  winogradSplits,
} from "./plan.ts";

const paddedBytes = ({ batch, height, width, inputs, size }: ConvolutionShape): number =>
  size === 1 ? 0 : 4 * inputs * (width + size - 1) * (batch * (height + size - 1) + size);

/** Addresses on the heap; 0 where there is no bias. */
export interface ConvolutionData {
  readonly x: number;
  readonly filter: number;
  readonly bias: number;
  readonly y: number;
}

/**
 * y = x ∗ filter (+ bias, ReLU). With `rotated` the input gradient: x is dy, y is dx, and
 * `inputs` counts the channels of dy.
 */
export const convolve = (
  pool: Pool,
  shape: ConvolutionShape,
  { x, filter, bias, y }: ConvolutionData,
  { rotated = false, relu = false }: { readonly rotated?: boolean; readonly relu?: boolean } = {},
): void => {
  const { batch, height, width, inputs, outputs, size } = shape;
  const dims = [batch, height, width, inputs, outputs] as const;
  const turned = rotated ? 1 : 0, flags = relu ? 1 : 0;
  if (!useWinograd(shape)) {
    const { pixels, panels } = directChunks(shape);
    const packed = 4 * up(outputs, 8) * size * size * inputs;
    withParts(
      pool,
      [paddedBytes(shape), packed, pool.threads * directThreadBytes],
      (padded, panel, scratch) =>
        pool.kernel("convolveDirect")(
          ...[x, padded, filter, panel, bias, y, ...dims],
          ...[size, turned, flags, pixels, panels, scratch],
        ),
    );
    return;
  }
  const tiles = tileCount(shape), block = winogradBlock(shape);
  const rows = up(block || tiles, 6);
  const v = 36 * planeBytes(rows * inputs), m = 36 * planeBytes(rows * outputs);
  const patch = 36 * 4 * Math.max(inputs, outputs);
  const stride = up(block ? v + m + patch : patch, 64) + 64;
  withParts(
    pool,
    [36 * planeBytes(inputs * outputs), block ? 0 : v, block ? 0 : m, pool.threads * stride],
    (u, allV, allM, scratch) =>
      pool.kernel("convolveWinograd")(
        ...[x, filter, u, bias, y, allV, allM, ...dims, turned, flags],
        ...[block, scratch, stride],
      ),
  );
};

/** dfilter from x and dy; `shape` is that of the forward convolution. */
export const filterGradient = (
  pool: Pool,
  shape: ConvolutionShape,
  { x, dy, dfilter }: { readonly x: number; readonly dy: number; readonly dfilter: number },
): void => {
  const { batch, height, width, inputs, outputs, size } = shape;
  const dims = [batch, height, width, inputs, outputs] as const;
  if (size === 1 && inputs >= 16) {
    // xᵀ · dy over all pixels.
    const pixels = batch * height * width;
    multiply(pool, {
      lead: [],
      batch: 1,
      rows: inputs,
      columns: outputs,
      inner: pixels,
      batchedA: false,
      batchedB: false,
      transposeA: true,
      transposeB: false,
    }, { a: x, b: dy, y: dfilter });
    return;
  }
  if (!useWinograd(shape)) {
    const { splits, rows } = directSplits(shape);
    const sums = splits > 1 ? 4 * splits * size * size * inputs * outputs : 0;
    withParts(
      pool,
      [paddedBytes(shape), sums, pool.threads * directThreadBytes],
      (padded, partial, scratch) =>
        pool.kernel("filterGradDirect")(
          ...[x, padded, dy, dfilter, partial, ...dims, size, splits, rows, scratch],
        ),
    );
    return;
  }
  const { splits, block } = winogradSplits(shape);
  const v = 36 * pitchedBytes(block, inputs), d = 36 * pitchedBytes(block, outputs);
  const patch = 36 * 4 * Math.max(inputs, outputs);
  const stride = up(splits ? v + d + patch : patch, 64) + 64;
  const sums = 36 * planeBytes(inputs * outputs) * Math.max(1, splits);
  withParts(
    pool,
    [sums, splits ? 0 : v, splits ? 0 : d, pool.threads * stride],
    (u, allV, allD, scratch) =>
      pool.kernel("filterGradWinograd")(
        ...[x, dy, dfilter, u, allV, allD, ...dims, splits, block, scratch, stride],
      ),
  );
};
