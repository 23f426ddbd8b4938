/**
 * Batched matrix products on our own kernels.
 *
 * @module
 */
import type { TensorInfo } from "../tf.ts";
import type { Pool } from "./pool.ts";
import { up, withParts } from "./scratch.ts";

/** Bytes of scratch a thread (`THREAD_BYTES` of `assembly/matrix.as`). */
const threadBytes = 18432 + 192;

/** y[b] = a[b] · b[b]: [rows, inner] times [inner, columns], as they are after transposing. */
export interface ProductShape {
  /** The dimensions before the last two of the result. */
  readonly lead: readonly number[];
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** Whether each batch has a left and right side of its own. */
  readonly batchedA: boolean;
  readonly batchedB: boolean;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The shape of a product; undefined where the stock kernel must do it (odd broadcasts, types). */
export const productShape = (
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): ProductShape | undefined => {
  const leadA = a.shape.slice(0, -2), leadB = b.shape.slice(0, -2);
  const batchA = sizeOf(leadA), batchB = sizeOf(leadB);
  const [aRows = 1, aColumns = 1] = a.shape.slice(-2),
    [bRows = 1, bColumns = 1] = b.shape.slice(-2);
  const inner = transposeA ? aRows : aColumns;
  const fits = leadA.join() === leadB.join() || batchA === 1 || batchB === 1;
  if (a.dtype !== "float32" || b.dtype !== "float32" || !fits) return undefined;
  // The stock kernel says what is wrong with shapes that do not go together.
  if (inner !== (transposeB ? bColumns : bRows) || inner === 0) return undefined;
  return {
    lead: batchA >= batchB && leadA.length >= leadB.length ? leadA : leadB,
    batch: Math.max(batchA, batchB),
    rows: transposeA ? aColumns : aRows,
    columns: transposeB ? bRows : bColumns,
    inner,
    batchedA: batchA > 1,
    batchedB: batchB > 1,
    transposeA,
    transposeB,
  };
};

/** Rows and panels of 8 columns a chunk; 0 rows: few rows, against the right side as it lies. */
export const productChunks = (
  { batch, rows, columns, transposeA, transposeB }: ProductShape,
): { readonly each: number; readonly panels: number } => {
  const all = Math.ceil(columns / 8);
  if (rows <= 4 && !transposeA && !transposeB) return { each: 0, panels: all };
  const each = transposeA ? 48 : Math.min(up(rows, 6), Math.max(24, up(Math.ceil(rows / 16), 6)));
  const chunks = batch * Math.ceil(rows / each);
  return { each, panels: chunks >= 8 ? all : Math.ceil(all / Math.ceil(8 / chunks)) };
};

/** Computes a product between addresses on the heap. */
export const multiply = (
  pool: Pool,
  shape: ProductShape,
  { a, b, y }: { readonly a: number; readonly b: number; readonly y: number },
): void => {
  const { batch, rows, columns, inner, batchedA, batchedB, transposeA, transposeB } = shape;
  if (batch * rows * columns === 0) return;
  const { each, panels } = productChunks(shape);
  const packed = each === 0 ? 0 : 4 * (batchedB ? batch : 1) * up(columns, 8) * inner;
  withParts(
    pool,
    [packed, pool.threads * threadBytes],
    (panel, scratch) =>
      pool.kernel("matrixProduct")(
        ...[a, b, y, panel, scratch, batch, rows, columns, inner],
        ...[batchedA ? 4 * rows * inner : 0, batchedB ? 4 * columns * inner : 0],
        ...[transposeA ? 1 : 0, transposeB ? 1 : 0, each, panels],
      ),
  );
};
