/**
 * How the work of one convolution is cut, from its shape alone: never from the number of threads,
 * so that results do not depend on it. Sizes in bytes are those of `assembly/`.
 *
 * @module
 */

/** A convolution: stride 1, zero padding (size − 1) / 2. */
export interface ConvolutionShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly size: number;
}

/** Bytes of scratch a thread of the direct kernels has (`THREAD_BYTES` there). */
export const directThreadBytes = 4096;

const up = (n: number, step: number): number => Math.ceil(n / step) * step;
const clamp = (n: number, low: number, high: number): number => Math.min(high, Math.max(low, n));

/** Bytes between planes: `plane` of `assembly/winograd.as`. */
export const planeBytes = (floats: number): number => (Math.ceil(floats * 4 / 64) | 1) * 64;

/** Bytes between planes of a gradient's tiles: `pitched` of `assembly/winograd.as`. */
export const pitchedBytes = (tiles: number, channels: number): number =>
  planeBytes(tiles * (channels >= 64 ? planeBytes(channels) / 4 : channels));

/** Tiles of 4 × 4 pixels. */
export const tileCount = ({ batch, height, width }: ConvolutionShape): number =>
  batch * Math.ceil(height / 4) * Math.ceil(width / 4);

/** Whether Winograd's tiles fit the shape and save work. */
export const useWinograd = (shape: ConvolutionShape): boolean =>
  shape.size === 3 && shape.inputs % 8 === 0 && shape.outputs % 8 === 0 && shape.inputs >= 16 &&
  shape.outputs >= 16 &&
  up(tileCount(shape), 6) * 36 < shape.batch * shape.height * shape.width * 7;

/** What the planes of a block of tiles may take of a core's cache. */
const blockBytes = 288 * 1024;

/** Tiles a block of the Winograd kernels, or 0 where the work is cut by planes. */
export const winogradBlock = (shape: ConvolutionShape): number => {
  const { inputs, outputs } = shape, tiles = tileCount(shape);
  const fit = Math.floor(blockBytes / (36 * 4 * (inputs + outputs)) / 6) * 6;
  return fit >= 12 && tiles >= 8 * fit ? fit : 0;
};

/** What the planes of all tiles at hand may take where a filter gradient is cut by planes. */
const groupBytes = 8 * 2 ** 20;

/** How the Winograd filter gradient is cut: `splits` 0 means by planes, `block` tiles at a time. */
export const winogradSplits = (
  shape: ConvolutionShape,
): { readonly splits: number; readonly block: number } => {
  const { inputs, outputs } = shape, tiles = tileCount(shape), tile = 36 * 4 * (inputs + outputs);
  const sums = 36 * 4 * inputs * outputs;
  const block = clamp(Math.floor(blockBytes / tile), 4, 64);
  const splits = Math.min(8, Math.floor(tiles / (2 * block)));
  if (splits >= 2 && sums <= 2 ** 18) return { splits, block };
  return { splits: 0, block: Math.min(tiles, Math.max(128, Math.floor(groupBytes / tile))) };
};

/** How a direct convolution is cut: pixels and panels of 8 outputs a chunk. */
export const directChunks = (
  { batch, height, width, outputs }: ConvolutionShape,
): { readonly pixels: number; readonly panels: number } => {
  const all = batch * height * width, panels = Math.ceil(outputs / 8);
  const pixels = clamp(up(Math.ceil(all / 16), 6), 24, 96);
  const chunks = Math.ceil(all / pixels);
  return { pixels, panels: chunks >= 8 ? panels : Math.ceil(panels / Math.ceil(8 / chunks)) };
};

/** How a direct filter gradient is cut: parts with sums of their own, image rows at a time. */
export const directSplits = (
  { batch, height, width, inputs, outputs, size }: ConvolutionShape,
): { readonly splits: number; readonly rows: number } => {
  const values = size * size * inputs * outputs, pixels = batch * height * width;
  const splits = clamp(Math.floor(pixels / 128), 1, clamp(Math.floor(2 ** 20 / values), 1, 16));
  const rows = clamp(Math.floor(32 * 1024 / (4 * width * (inputs + outputs))), 1, height);
  return { splits, rows };
};
