/**
 * Spectral norm: the power method, the division by σ and its gradient. Weights are seen as a
 * matrix W [K, O]; v is as long as its rows are many, u as its columns.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";
import { normFloor } from "../kernels/names.ts";
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import { asMatrix, at, free, type Kernel, need, sizeOf } from "./kernel.ts";
import { foldRows, sumAll, tile, treeSum } from "./reduce.ts";

const tiled = [tile, tile, 1] as const;
const tileArray = `var<workgroup> sums: array<f32, ${tile * tile}>;`;

// Sixteen threads share a row, so that neighbours read neighbours.
const timesProgram: Program = {
  key: "matrix times vector",
  inputs: ["w", "u"],
  outputs: ["product"],
  parameters: { rows: "i32", columns: "i32" },
  workgroup: tiled,
  declarations: tileArray,
  body: `
  let row = group.x * ${tile} + local.y;
  var sum = 0.0;
  if (row < p.rows) {
    for (var i = local.x; i < p.columns; i += ${tile}) { sum += w[row * p.columns + i] * u[i]; }
  }
  sums[lane] = sum;
  workgroupBarrier();
  for (var step = ${tile / 2}; step > 0; step = step / 2) {
    if (local.x < step) { sums[lane] = sums[lane] + sums[lane + step]; }
    workgroupBarrier();
  }
  if (local.x == 0 && row < p.rows) { product[row] = sums[lane]; }`,
};

/** Rows of W that one workgroup sums into one row of partial results. */
const stripe = 512;

const transposedProgram: Program = {
  key: "transposed matrix times vector",
  inputs: ["w", "v"],
  outputs: ["products"],
  parameters: { rows: "i32", columns: "i32" },
  workgroup: tiled,
  declarations: tileArray,
  body: `
  let column = group.x * ${tile} + local.x;
  let end = min((group.y + 1) * ${stripe}, p.rows);
  var sum = 0.0;
  if (column < p.columns) {
    for (var row = group.y * ${stripe} + local.y; row < end; row += ${tile}) {
      sum += w[row * p.columns + column] * v[row];
    }
  }
  sums[lane] = sum;
  ${foldRows("sums")}
  if (local.y == 0 && column < p.columns) { products[group.y * p.columns + column] = sums[lane]; }`,
};

const lanes = [flatThreads, 1, 1] as const;
const laneArray = `var<workgroup> sums: array<f32, ${flatThreads}>;`;
const loop = (size: string, body: string): string =>
  `for (var i = lane; i < ${size}; i += ${flatThreads}) { ${body} }`;
// The squared norm of what the threads hold, in every thread; a workgroup runs it twice.
const squaredNorm = (name: string): string => `
  sums[lane] = ${name};
  ${treeSum("sums")}
  ${name} = sums[0];
  workgroupBarrier();`;

// v = W u / ‖W u‖ was left undivided: here its norm is divided out of Wᵀ(W u), then u's own.
const directionProgram: Program = {
  key: "direction",
  inputs: ["product", "products"],
  outputs: ["u"],
  parameters: { rows: "i32", columns: "i32", stripes: "i32", floor: "f32" },
  workgroup: lanes,
  declarations: laneArray,
  body: `
  var inner = 0.0;
  ${loop("p.rows", "inner += product[i] * product[i];")}
  ${squaredNorm("inner")}
  let scale = 1.0 / max(sqrt(inner), p.floor);
  var outer = 0.0;
  ${
    loop(
      "p.columns",
      `var sum = 0.0;
      for (var s = 0; s < p.stripes; s++) { sum += products[s * p.columns + i]; }
      u[i] = sum * scale;
      outer += u[i] * u[i];`,
    )
  }
  ${squaredNorm("outer")}
  let norm = max(sqrt(outer), p.floor);
  ${loop("p.columns", "u[i] = u[i] / norm;")}`,
};

const sigmaProgram: Program = {
  key: "sigma",
  inputs: ["product"],
  outputs: ["v", "sigma"],
  parameters: { rows: "i32", floor: "f32" },
  workgroup: lanes,
  declarations: laneArray,
  body: `
  var inner = 0.0;
  ${loop("p.rows", "inner += product[i] * product[i];")}
  ${squaredNorm("inner")}
  let norm = max(sqrt(inner), p.floor);
  ${loop("p.rows", "v[i] = product[i] / norm;")}
  if (lane == 0) { sigma[0] = max(inner / norm, p.floor); }`,
};

const divideProgram: Program = {
  key: "divide by sigma",
  inputs: ["w", "sigma"],
  outputs: ["y"],
  parameters: { size: "i32" },
  workgroup: lanes,
  body: `${flatIndex}
  y[index] = w[index] / sigma[0];`,
};

const gradProgram: Program = {
  key: "spectral normalize grad",
  inputs: ["dy", "u", "v", "sigma", "along"],
  outputs: ["dw"],
  parameters: { size: "i32", columns: "i32" },
  workgroup: lanes,
  body: `${flatIndex}
  let row = index / p.columns;
  let outer = v[row] * u[index - row * p.columns];
  dw[index] = (dy[index] - along[0] * outer) / sigma[0];`,
};

const times = (backend: WebGPUBackend, w: TensorInfo, u: TensorInfo): TensorInfo => {
  const { rows, columns } = asMatrix(w);
  return at(dispatch(backend, timesProgram, {
    inputs: [w, u],
    outputs: [[rows]],
    parameters: { rows, columns },
    groups: [Math.ceil(rows / tile), 1, 1],
  }));
};

const iterate = (backend: WebGPUBackend, w: TensorInfo, u: TensorInfo): TensorInfo => {
  const { rows, columns } = asMatrix(w), stripes = Math.ceil(rows / stripe);
  const product = times(backend, w, u);
  const products = at(dispatch(backend, transposedProgram, {
    inputs: [w, product],
    outputs: [[stripes, columns]],
    parameters: { rows, columns },
    groups: [Math.ceil(columns / tile), stripes, 1],
  }));
  const next = at(dispatch(backend, directionProgram, {
    inputs: [product, products],
    outputs: [[columns]],
    parameters: { rows, columns, stripes, floor: normFloor },
    groups: [1, 1, 1],
  }));
  free(backend, product, products);
  return next;
};

/** u after some iterations of the power method. // [O] */
export const powerIteration: Kernel = (call) => {
  const { backend } = call, w = need(call, "w"), start = need(call, "u");
  let u = start;
  for (let i = 0; i < Math.max(1, Number(call.attributes.iterations)); i++) {
    const next = iterate(backend, w, u);
    if (u !== start) free(backend, u);
    u = next;
  }
  return [u];
};

/** w / σ, v [K] and σ []. */
export const spectralNormalize: Kernel = (call) => {
  const { backend } = call, w = need(call, "w"), size = sizeOf(w.shape);
  const { rows } = asMatrix(w);
  const product = times(backend, w, need(call, "u"));
  const [v, sigma] = dispatch(backend, sigmaProgram, {
    inputs: [product],
    outputs: [[rows], []],
    parameters: { rows, floor: normFloor },
    groups: [1, 1, 1],
  }) as [TensorInfo, TensorInfo];
  free(backend, product);
  const y = at(dispatch(backend, divideProgram, {
    inputs: [w, sigma],
    outputs: [w.shape],
    parameters: { size },
    groups: flatGroups(size),
  }));
  return [y, v, sigma];
};

/** (dy − ⟨dy, y⟩ v uᵀ) / σ. */
export const spectralNormalizeGrad: Kernel = (call) => {
  const { backend } = call, dy = need(call, "dy"), y = need(call, "y"), size = sizeOf(dy.shape);
  const along = sumAll(backend, "products", { dy, y }, "dy[i] * y[i]");
  const dw = dispatch(backend, gradProgram, {
    inputs: [dy, need(call, "u"), need(call, "v"), need(call, "sigma"), along],
    outputs: [dy.shape],
    parameters: { size, columns: asMatrix(dy).columns },
    groups: flatGroups(size),
  });
  free(backend, along);
  return dw;
};
