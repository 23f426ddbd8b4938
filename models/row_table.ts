/**
 * W, one row a video (equation 5), in host memory: only the rows that a step draws are uploaded,
 * so its size is not bound by the device. Adam on the rows is lazy and equal to the dense one:
 * with beta1 = 0 a row without a gradient does not move, only its second moment decays.
 *
 * @module
 */
import type { Rng } from "../pipeline/core/rng.ts";

/** W and what its optimiser remembers. The arrays are updated in place. */
export interface RowTable {
  /** Number of sequences. */
  readonly rows: number;
  /** N: numbers in an embedding. */
  readonly width: number;
  /** W itself. // [rows, width] */
  readonly values: Float32Array;
  /** Second moments of Adam. // [rows, width] */
  readonly second: Float32Array;
  /** The optimiser update at which each row was last moved, 0 for never. */
  readonly last: Int32Array; // [rows]
}

/** W with every number uniform in ±0.1. */
export const createRowTable = (rows: number, width: number, rng: Rng): RowTable => {
  const draw = rng.fold("D/W").draw();
  return {
    rows,
    width,
    values: Float32Array.from({ length: rows * width }, () => draw.uniform(-0.1, 0.1)),
    second: new Float32Array(rows * width),
    last: new Int32Array(rows),
  };
};

/** Some rows, ready for update number `update` (counted from 1). */
export interface DrawnRows {
  /** Which rows. */
  readonly rows: readonly number[];
  /** Their numbers. // [rows.length, width] */
  readonly values: Float32Array;
  /** Their second moments. // [rows.length, width] */
  readonly second: Float32Array;
}

/** Copies rows out; their second moments are decayed to what dense Adam would hold by now. */
export const drawRows = (
  table: RowTable,
  rows: readonly number[],
  update: number,
  beta2: number,
): DrawnRows => {
  const { width } = table;
  const values = new Float32Array(rows.length * width), second = new Float32Array(values.length);
  rows.forEach((row, i) => {
    const from = row * width, decay = beta2 ** (update - 1 - (table.last[row] ?? 0));
    values.set(table.values.subarray(from, from + width), i * width);
    for (let k = 0; k < width; k++) {
      second[i * width + k] = (table.second[from + k] ?? 0) * decay;
    }
  });
  return { rows, values, second };
};

/** Puts rows back as they are after update number `update`. */
export const storeRows = (table: RowTable, drawn: DrawnRows, update: number): void => {
  const { width } = table;
  drawn.rows.forEach((row, i) => {
    table.values.set(drawn.values.subarray(i * width, (i + 1) * width), row * width);
    table.second.set(drawn.second.subarray(i * width, (i + 1) * width), row * width);
    table.last[row] = update;
  });
};
