/**
 * Products of matrices and the convolutions that are such products, by a BLAS on the wasm heap;
 * and which of them it does sooner than our own kernels.
 *
 * @module
 */
import type { ProductShape } from "../wasm/matrix_product.ts";
import type { ConvolutionShape } from "../wasm/plan.ts";
import type { Pool } from "../wasm/pool.ts";
import { withParts } from "../wasm/scratch.ts";
import type { Blas } from "./open_blas.ts";

/** A BLAS and the address in the process of the heap that it works on. */
export interface NativeHeap {
  readonly blas: Blas;
  readonly base: number;
}

/** Operands thinner than this leave a BLAS with nothing to do but to copy them. */
const leastSide = 16;
/** Multiplications below which the call costs as much as it saves. */
const leastWork = 2 ** 17;

/** Whether a BLAS does this product sooner. */
export const productPays = ({ rows, columns, inner }: ProductShape): boolean =>
  Math.min(rows, columns, inner) >= leastSide && rows * columns * inner >= leastWork;

/** Computes a product between addresses on the heap. */
export const multiplyNative = (
  { blas, base }: NativeHeap,
  { batch, rows, columns, inner, batchedA, batchedB, transposeA, transposeB }: ProductShape,
  { a, b, y }: { readonly a: number; readonly b: number; readonly y: number },
): void => {
  for (let i = 0; i < batch; i++) {
    blas.multiply({
      rows,
      columns,
      inner,
      a: base + a + (batchedA ? 4 * i * rows * inner : 0),
      b: base + b + (batchedB ? 4 * i * inner * columns : 0),
      y: base + y + 4 * i * rows * columns,
      pitchA: transposeA ? rows : inner,
      pitchB: transposeB ? inner : columns,
      pitchY: columns,
      transposeA,
      transposeB,
      add: false,
    });
  }
};

const pixelsOf = ({ batch, height, width }: ConvolutionShape): number => batch * height * width;

/** Pixels up to which Winograd's transform of the filters costs more than it saves. */
const mostPixels = 128;

/** Whether a BLAS does this convolution sooner: 1 × 1, and 3 × 3 of small pictures. */
export const convolutionPays = (shape: ConvolutionShape): boolean => {
  const { inputs, outputs, size } = shape, pixels = pixelsOf(shape);
  const channels = Math.min(inputs, outputs);
  if (size === 1) return channels >= leastSide && pixels * inputs * outputs >= leastWork;
  return size === 3 && channels >= 64 && pixels <= mostPixels;
};

/** Every pixel's neighbourhood, zeros outside. // [B, H, W, C] → [B·H·W, 9·C] */
const gatherNeighbours = (
  heap: Float32Array,
  { batch, height, width, size }: ConvolutionShape,
  channels: number,
  from: number,
  to: number,
): void => {
  const edge = (size - 1) / 2, first = from / 4;
  let at = to / 4;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        // The taps of a row of the filter lie beside each other in the picture too.
        const left = Math.max(0, x - edge), right = Math.min(width, x + edge + 1);
        const before = (left - x + edge) * channels, count = (right - left) * channels;
        for (let i = 0; i < size; i++, at += size * channels) {
          const row = y + i - edge;
          if (row < 0 || row >= height) heap.fill(0, at, at + size * channels);
          else {
            const source = first + ((b * height + row) * width + left) * channels;
            if (count < size * channels) heap.fill(0, at, at + size * channels);
            heap.copyWithin(at + before, source, source + count);
          }
        }
      }
    }
  }
};

/** Runs `f` with the address of the neighbourhoods of all pixels of x. */
const withNeighbours = (
  pool: Pool,
  shape: ConvolutionShape,
  channels: number,
  x: number,
  f: (neighbours: number) => void,
): void => {
  if (shape.size === 1) return f(x);
  const bytes = 4 * pixelsOf(shape) * shape.size ** 2 * channels;
  withParts(pool, [bytes], (neighbours) => {
    const heap = new Float32Array(pool.memory.buffer, 0, pool.memory.buffer.byteLength >> 2);
    gatherNeighbours(heap, shape, channels, x, neighbours);
    f(neighbours);
  });
};

/** y = x ∗ filter (+ bias, ReLU), between addresses on the heap; 0 where there is no bias. */
export const convolveNative = (
  { blas, base }: NativeHeap,
  pool: Pool,
  shape: ConvolutionShape,
  { x, filter, bias, y }: Readonly<Record<"x" | "filter" | "bias" | "y", number>>,
  relu: boolean,
): void => {
  const { inputs, outputs, size } = shape, rows = pixelsOf(shape), inner = size ** 2 * inputs;
  withNeighbours(pool, shape, inputs, x, (neighbours) => {
    if (bias !== 0) {
      const biases = new Float32Array(pool.memory.buffer, bias, outputs);
      const sums = new Float32Array(pool.memory.buffer, y, rows * outputs);
      for (let row = 0; row < rows; row++) sums.set(biases, row * outputs);
    }
    blas.multiply({
      ...{ rows, columns: outputs, inner, add: bias !== 0, transposeA: false, transposeB: false },
      ...{ a: base + neighbours, b: base + filter, y: base + y },
      ...{ pitchA: inner, pitchB: outputs, pitchY: outputs },
    });
  });
  if (relu) pool.kernel("relu")(y, y, rows * outputs);
};

/** dx from dy and the filter; `shape` is that of the forward convolution. */
export const inputGradientNative = (
  { blas, base }: NativeHeap,
  pool: Pool,
  shape: ConvolutionShape,
  { dy, filter, dx }: Readonly<Record<"dy" | "filter" | "dx", number>>,
): void => {
  const { inputs, outputs, size } = shape, rows = pixelsOf(shape), taps = size ** 2;
  withNeighbours(pool, shape, outputs, dy, (neighbours) => {
    for (let tap = 0; tap < taps; tap++) {
      // A neighbour to the left saw this pixel to its right: the filter's taps, the last first.
      const turned = taps - 1 - tap;
      blas.multiply({
        ...{ rows, columns: inputs, inner: outputs, add: tap > 0 },
        ...{ transposeA: false, transposeB: true, y: base + dx, pitchY: inputs },
        ...{ a: base + neighbours + 4 * tap * outputs, pitchA: taps * outputs },
        ...{ b: base + filter + 4 * turned * inputs * outputs, pitchB: outputs },
      });
    }
  });
};

/** dfilter from x and dy; `shape` is that of the forward convolution. */
export const filterGradientNative = (
  { blas, base }: NativeHeap,
  pool: Pool,
  shape: ConvolutionShape,
  { x, dy, dfilter }: Readonly<Record<"x" | "dy" | "dfilter", number>>,
): void => {
  const { inputs, outputs, size } = shape, rows = size ** 2 * inputs;
  withNeighbours(pool, shape, inputs, x, (neighbours) =>
    blas.multiply({
      ...{ rows, columns: outputs, inner: pixelsOf(shape), add: false },
      ...{ transposeA: true, transposeB: false },
      ...{ a: base + neighbours, b: base + dy, y: base + dfilter },
      ...{ pitchA: rows, pitchB: outputs, pitchY: outputs },
    }));
};
