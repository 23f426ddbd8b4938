/**
 * Sums over everything and sums over rows, in stages, so that many workgroups share the work and
 * rounding errors grow with the logarithm of the size.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";
import { dispatch, type Program } from "./dispatch.ts";
import { asMatrix, at, free, type Kernel, need, sizeOf } from "./kernel.ts";

const threads = 256;

/** WGSL: sums `shared_[...]` of all threads of a workgroup of 256 into `shared_[0]`. */
export const treeSum = (name: string): string => `
  workgroupBarrier();
  for (var step = ${threads / 2}; step > 0; step = step / 2) {
    if (lane < step) { ${name}[lane] = ${name}[lane] + ${name}[lane + step]; }
    workgroupBarrier();
  }`;

const sumProgram = (key: string, inputs: readonly string[], term: string): Program => ({
  key: `sum ${key}`,
  inputs,
  outputs: ["total"],
  parameters: { size: "i32", scale: "f32" },
  workgroup: [threads, 1, 1],
  declarations: `var<workgroup> sums: array<f32, ${threads}>;`,
  body: `
  var sum = 0.0;
  for (var i = group.x * ${threads} + lane; i < p.size; i += groups.x * ${threads}) {
    sum += ${term};
  }
  sums[lane] = sum;
  ${treeSum("sums")}
  if (lane == 0) { total[group.x] = sums[0] * p.scale; }`,
});

const again = sumProgram("partial", ["partial"], "partial[i]");

/** scale · Σ term over all i, where `term` is WGSL on arrays of the same size. // [] */
export const sumAll = (
  backend: WebGPUBackend,
  key: string,
  inputs: Readonly<Record<string, TensorInfo>>,
  term: string,
  scale = 1,
): TensorInfo => {
  const tensors = Object.values(inputs), size = sizeOf(at(tensors).shape);
  const count = Math.min(Math.ceil(size / (8 * threads)), threads);
  const program = sumProgram(key, Object.keys(inputs), term);
  const partial = at(dispatch(backend, program, {
    inputs: tensors,
    outputs: [count > 1 ? [count] : []],
    parameters: { size, scale },
    groups: [count, 1, 1],
  }));
  if (count <= 1) return partial;
  const total = at(dispatch(backend, again, {
    inputs: [partial],
    outputs: [[]],
    parameters: { size: count, scale: 1 },
    groups: [1, 1, 1],
  }));
  free(backend, partial);
  return total;
};

/** Width of a workgroup over columns, and its depth over rows. */
export const tile = 16;
/** Rows that one workgroup sums. */
export const chunkRows = 1024;

/** WGSL: sums `name` over the rows of a 16×16 workgroup into the threads with `local.y == 0`. */
export const foldRows = (...names: readonly string[]): string => `
  workgroupBarrier();
  for (var step = ${tile / 2}; step > 0; step = step / 2) {
    if (local.y < step) {
      ${
  names.map((name) => `${name}[lane] = ${name}[lane] + ${name}[lane + step * ${tile}];`).join("\n")
}
    }
    workgroupBarrier();
  }`;

const columnSums: Program = {
  key: "column sums",
  inputs: ["x"],
  outputs: ["sum"],
  parameters: { rows: "i32", columns: "i32" },
  workgroup: [tile, tile, 1],
  declarations: `var<workgroup> sums: array<f32, ${tile * tile}>;`,
  body: `
  let column = group.x * ${tile} + local.x;
  let end = min((group.y + 1) * ${chunkRows}, p.rows);
  var total = 0.0;
  if (column < p.columns) {
    for (var row = group.y * ${chunkRows} + local.y; row < end; row += ${tile}) {
      total += x[row * p.columns + column];
    }
  }
  sums[lane] = total;
  ${foldRows("sums")}
  if (local.y == 0 && column < p.columns) { sum[group.y * p.columns + column] = sums[lane]; }`,
};

/** Sums of the columns of x, seen as [rows, columns], in the given shape. */
export const sumColumns = (
  backend: WebGPUBackend,
  x: TensorInfo,
  rows: number,
  columns: number,
  shape: readonly number[],
): TensorInfo => {
  const chunks = Math.ceil(rows / chunkRows);
  const sum = at(dispatch(backend, columnSums, {
    inputs: [x],
    outputs: [chunks > 1 ? [chunks, columns] : shape],
    parameters: { rows, columns },
    groups: [Math.ceil(columns / tile), chunks, 1],
  }));
  if (chunks === 1) return sum;
  const total = sumColumns(backend, sum, chunks, columns, shape);
  free(backend, sum);
  return total;
};

/** dy [..., O] → [O] */
export const biasGrad: Kernel = (call) => {
  const dy = need(call, "dy"), { rows, columns } = asMatrix(dy);
  return [sumColumns(call.backend, dy, rows, columns, [columns])];
};

/** Σ x². // [] */
export const squaredNorm: Kernel = (call) => [
  sumAll(call.backend, "squares", { x: need(call, "x") }, "x[i] * x[i]"),
];

/** mean |a − b|. // [] */
export const meanAbsoluteDifference: Kernel = (call) => {
  const a = need(call, "a"), b = need(call, "b");
  return [sumAll(call.backend, "differences", { a, b }, "abs(a[i] - b[i])", 1 / sizeOf(a.shape))];
};
