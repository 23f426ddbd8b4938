/**
 * Kernels that take a list of tensors: the list, and its table of addresses on the heap.
 *
 * @module
 */
import type { TensorInfo } from "../tf.ts";
import { type Call, float } from "./registry.ts";
import { withParts } from "./scratch.ts";

/** Inputs of a kernel that takes a list. */
export const listed = ({ inputs }: Call): readonly TensorInfo[] =>
  (inputs as unknown as readonly TensorInfo[]).map((info, i) => float(info, `${i}`));

/** A list in groups of so many. */
export const grouped = (
  list: readonly TensorInfo[],
  size: number,
): readonly (readonly TensorInfo[])[] =>
  Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size));

/** Numbers of one row of a table: addresses and sizes. */
export type Row = readonly number[];

/** Runs `f` with the address of a table on the heap, and of working memory behind it. */
export const withTable = (
  call: Call,
  rows: readonly Row[],
  workingBytes: number,
  f: (table: number, working: number) => void,
): void =>
  withParts(
    call.pool,
    [4 * rows.length * (rows[0]?.length ?? 0), workingBytes],
    (table, working) => {
      const cells = rows.flat();
      new Uint32Array(call.pool.memory.buffer, table, cells.length).set(cells);
      f(table, working);
    },
  );
