/**
 * A tiled product of two matrices whose numbers are looked up by the caller's WGSL: the core of
 * convolution and of its gradients. A workgroup of 64 threads makes 64×64 numbers, a thread 8×8
 * of them, from slices of 16 terms in workgroup memory. Where a product has few tiles its terms
 * are shared out over several workgroups and added up afterwards.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import { largestTensor } from "./guard.ts";
import { at, free } from "./kernel.ts";

/** Rows and columns of a tile. */
export const side = 64;
/** Terms of a slice. */
export const depth = 16;
const threads = 8;
const quads = side / 4;
// One unused quad a term, so that neighbouring threads store into different memory banks.
const pitch = quads + 1;

/**
 * WGSL that looks numbers up, with `slice` (the first term), `end` (one beyond the last term),
 * `top` and `start` (the tile's first row and column) in scope.
 */
export interface Lookup {
  /** Runs once, before the first slice. */
  readonly setup: string;
  /** Stores the left slice and then the right one: see {@link storeByTerm}, {@link storeByQuad}. */
  readonly load: string;
}

/** WGSL: a thread has one term, `term`, and stores 16 rows; `value` may use `row` and `k`. */
export const storeByTerm = (matrix: "left" | "right", value: string): string => `
  for (var t = 0; t < 4; t++) {
    var quad = vec4<f32>();
    for (var j = 0; j < 4; j++) {
      let row = group4 * 16 + t * 4 + j;
      var number = 0.0;
      ${value}
      quad[j] = number;
    }
    ${matrix}[term * ${pitch} + group4 * 4 + t] = quad;
  }`;

/** WGSL: a thread has four rows and stores four terms; `value` gives `quad` and may use `k`. */
export const storeByQuad = (matrix: "left" | "right", value: string): string => `
  for (var t = 0; t < 4; t++) {
    let k = slice + group4 + 4 * t;
    var quad = vec4<f32>();
    ${value}
    ${matrix}[(group4 + 4 * t) * ${pitch} + term] = quad;
  }`;

const parts = ["x", "y", "z", "w"] as const;
const eight = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const each = (line: (i: number) => string): string => eight.map(line).join("\n");
// A thread's rows are two runs of four, so that a warp reads different memory banks.
const place = (axis: "x" | "y", i: number): string =>
  `${i < 4 ? 0 : side / 2} + local.${axis} * 4 + ${i % 4}`;

/** What a product does with its sums: add a bias to the columns, then ReLU. */
export interface Finish {
  readonly bias?: TensorInfo | undefined;
  readonly relu: boolean;
}

const finished = (value: string, column: string, bias: boolean, relu: boolean): string => {
  const sum = bias ? `${value} + bias[${column}]` : value;
  return relu ? `select(${sum}, 0.0, ${sum} < 0.0)` : sum; // keeps a NaN
};

/** Names and types of the parameters that every product has. */
const sizes = { rows: "i32", columns: "i32", terms: "i32", share: "i32" } as const;

const productProgram = (
  key: string,
  inputs: readonly string[],
  parameters: Program["parameters"],
  { setup, load }: Lookup,
  bias: boolean,
  relu: boolean,
): Program => ({
  key: `product ${key} ${bias} ${relu}`,
  inputs: [...inputs, ...(bias ? ["bias"] : [])],
  outputs: ["result"],
  parameters: { ...sizes, ...parameters },
  workgroup: [threads, threads, 1],
  declarations: `
var<workgroup> left: array<vec4<f32>, ${depth * pitch}>;
var<workgroup> right: array<vec4<f32>, ${depth * pitch}>;
var<workgroup> places: array<vec2<i32>, ${side}>;`,
  // Long, and only read where the program is compiled: not at every run.
  get body() {
    return `
  let top = group.x * ${side}; let start = group.y * ${side};
  let begin = group.z * p.share;
  let end = min(begin + p.share, p.terms);
  let term = lane % ${depth}; let group4 = lane / ${depth};
  ${setup}
  ${each((i) => `var s${i}a = vec4<f32>(); var s${i}b = vec4<f32>();`)}
  for (var slice = begin; slice < end; slice += ${depth}) {
    ${load}
    workgroupBarrier();
    for (var i = 0; i < ${depth}; i++) {
      let a = i * ${pitch} + local.y; let b = i * ${pitch} + local.x;
      let l0 = left[a]; let l1 = left[a + ${threads}];
      let r0 = right[b]; let r1 = right[b + ${threads}];
      ${
      each((i) => {
        const factor = `${i < 4 ? "l0" : "l1"}.${parts[i % 4]}`;
        return `s${i}a += ${factor} * r0; s${i}b += ${factor} * r1;`;
      })
    }
    }
    workgroupBarrier();
  }
  ${
      each((i) =>
        `{
    let row = top + ${place("y", i)};
    if (row < p.rows) {
      let base = (group.z * p.rows + row) * p.columns;
      for (var j = 0; j < 4; j++) {
        let c = start + local.x * 4 + j;
        if (c < p.columns) { result[base + c] = ${finished(`s${i}a[j]`, "c", bias, relu)}; }
        let d = c + ${side / 2};
        if (d < p.columns) { result[base + d] = ${finished(`s${i}b[j]`, "d", bias, relu)}; }
      }
    }
  }`
      )
    }`;
  },
});

const addUpProgram = (bias: boolean, relu: boolean): Program => ({
  key: `add up ${bias} ${relu}`,
  inputs: ["parts", ...(bias ? ["bias"] : [])],
  outputs: ["total"],
  parameters: { size: "i32", shares: "i32", columns: "i32" },
  workgroup: [flatThreads, 1, 1],
  body: `${flatIndex}
  var sum = 0.0;
  for (var i = 0; i < p.shares; i++) { sum += parts[i * p.size + index]; }
  total[index] = ${finished("sum", "index % p.columns", bias, relu)};`,
});

/** Workgroups that keep a large GPU busy, and the fewest terms worth a workgroup. */
const enoughGroups = 256;
const fewestTerms = 128;

/** A product of [rows, terms] and [terms, columns]. */
export interface Product {
  readonly key: string;
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly lookup: Lookup;
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
  /** Further whole numbers that the lookup uses. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly shape: readonly number[];
}

/** Runs a product; the result has the given shape. */
export const multiply = (
  backend: WebGPUBackend,
  product: Product,
  { bias, relu }: Finish = { relu: false },
): TensorInfo => {
  const { rows, columns, terms, shape } = product, size = rows * columns;
  const tiles = [Math.ceil(rows / side), Math.ceil(columns / side)] as const;
  const wanted = Math.min(
    Math.ceil(enoughGroups / (tiles[0] * tiles[1])),
    Math.ceil(terms / fewestTerms),
    Math.floor(largestTensor(backend.device) / (4 * size)),
  );
  const share = Math.ceil(terms / Math.max(1, wanted) / depth) * depth;
  const shares = Math.ceil(terms / share), whole = shares === 1;
  const own = Object.fromEntries(Object.keys(product.parameters).map((name) => [name, "i32"]));
  const program = productProgram(
    product.key,
    Object.keys(product.inputs),
    own as Program["parameters"],
    product.lookup,
    whole && bias !== undefined,
    whole && relu,
  );
  const sum = at(dispatch(backend, program, {
    inputs: [...Object.values(product.inputs), ...(whole && bias ? [bias] : [])],
    outputs: [whole ? shape : [shares, size]],
    parameters: { rows, columns, terms, share, ...product.parameters },
    groups: [...tiles, shares],
  }));
  if (whole) return sum;
  const total = at(dispatch(backend, addUpProgram(bias !== undefined, relu), {
    inputs: [sum, ...(bias ? [bias] : [])],
    outputs: [shape],
    parameters: { size, shares, columns },
    groups: flatGroups(size),
  }));
  free(backend, sum);
  return total;
};
