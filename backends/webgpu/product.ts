/**
 * A tiled product of two matrices whose numbers are looked up by the caller's WGSL: the core of
 * convolution and of its gradients. A workgroup makes a tile of the result, a thread up to 8×8
 * numbers of it, from slices of 16 terms in workgroup memory. Where a product has few tiles its
 * terms are shared out over several workgroups and added up afterwards.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import { largestTensor } from "./guard.ts";
import { at, free } from "./kernel.ts";
import { type Extent, type Plan, shareOf, standardPlan, tilesOf } from "./plan.ts";
import { depth, down, heightOf, type Lookup, pitchOf, type Tile, widthOf } from "./tile.ts";
import { measuredPlan } from "./tuner.ts";

const parts = ["x", "y", "z", "w"] as const;
const each = ({ rows }: Tile, line: (i: number) => string): string =>
  Array.from({ length: rows }, (_, i) => line(i)).join("\n");
const halves = ({ quads }: Tile, line: (half: 0 | 1) => string): string =>
  (quads === 2 ? [0, 1] as const : [0] as const).map(line).join(" ");

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
  tile: Tile,
  inputs: readonly string[],
  narrow: readonly string[],
  parameters: Program["parameters"],
  { setup, load }: Lookup,
  bias: boolean,
  relu: boolean,
): Program => ({
  key: `product ${key} ${tile.across} ${tile.quads} ${tile.rows} ${bias} ${relu}`,
  inputs: [...inputs, ...(bias ? ["bias"] : [])],
  outputs: ["result"],
  halves: narrow,
  parameters: { ...sizes, ...parameters },
  workgroup: [tile.across, down, 1],
  declarations: `
var<workgroup> left: array<vec4<f32>, ${depth * pitchOf(tile, "left")}>;
var<workgroup> right: array<vec4<f32>, ${depth * pitchOf(tile, "right")}>;
var<workgroup> places: array<vec2<i32>, ${heightOf(tile)}>;`,
  // Long, and only read where the program is compiled: not at every run. A thread's rows and
  // columns are runs of four, so that neighbours read from different memory banks.
  get body() {
    return `
  let top = group.x * ${heightOf(tile)}; let start = group.y * ${widthOf(tile)};
  let begin = group.z * p.share;
  let end = min(begin + p.share, p.terms);
  let term = lane % ${depth}; let loader = lane / ${depth};
  ${setup(tile)}
  ${each(tile, (i) => halves(tile, (half) => `var s${i}${half} = vec4<f32>();`))}
  for (var slice = begin; slice < end; slice += ${depth}) {
    ${load(tile)}
    workgroupBarrier();
    for (var i = 0; i < ${depth}; i++) {
      let a = i * ${pitchOf(tile, "left")} + local.y;
      let b = i * ${pitchOf(tile, "right")} + local.x;
      let l0 = left[a]; ${tile.rows === 8 ? `let l1 = left[a + ${down}];` : ""}
      ${halves(tile, (half) => `let r${half} = right[b + ${half * tile.across}];`)}
      ${
      each(tile, (i) =>
        halves(
          tile,
          (half) => `s${i}${half} += ${i < 4 ? "l0" : "l1"}.${parts[i % 4]} * r${half};`,
        ))
    }
    }
    workgroupBarrier();
  }
  ${
      each(tile, (i) =>
        `{
    let row = top + ${i < 4 ? 0 : 4 * down} + local.y * 4 + ${i % 4};
    if (row < p.rows) {
      let base = (group.z * p.rows + row) * p.columns;
      for (var j = 0; j < 4; j++) {
        ${
          halves(tile, (half) =>
            `let c${half} = start + ${half * 4 * tile.across} + local.x * 4 + j;
        if (c${half} < p.columns) {
          result[base + c${half}] = ${finished(`s${i}${half}[j]`, `c${half}`, bias, relu)};
        }`)
        }
      }
    }
  }`)
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

/** A product of [rows, terms] and [terms, columns]. */
export interface Product extends Extent {
  readonly key: string;
  /** Those of int32 hold two halves in each number. */
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly lookup: Lookup;
  /** Further whole numbers that the lookup uses. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly shape: readonly number[];
}

const narrowOf = ({ inputs }: Product): readonly string[] =>
  Object.entries(inputs).flatMap(([name, { dtype }]) => dtype === "int32" ? [name] : []);

const multiplyBy = (
  plan: Plan,
  backend: WebGPUBackend,
  product: Product,
  { bias, relu }: Finish,
): TensorInfo => {
  const { rows, columns, terms, shape } = product, size = rows * columns;
  const share = shareOf(product, plan, largestTensor(backend.device) / (4 * size));
  const shares = Math.ceil(terms / share), whole = shares === 1;
  const own = Object.fromEntries(Object.keys(product.parameters).map((name) => [name, "i32"]));
  const program = productProgram(
    product.key,
    plan.tile,
    Object.keys(product.inputs),
    narrowOf(product),
    own as Program["parameters"],
    product.lookup,
    whole && bias !== undefined,
    whole && relu,
  );
  const sum = at(dispatch(backend, program, {
    inputs: [...Object.values(product.inputs), ...(whole && bias ? [bias] : [])],
    outputs: [whole ? shape : [shares, size]],
    parameters: { rows, columns, terms, share, ...product.parameters },
    groups: [...tilesOf(product, plan), shares],
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

/** What the shader of a product is made of, whatever the tile: text that changes when it does. */
const wordingOf = (product: Product): string => {
  const { key, inputs, parameters, lookup } = product;
  const own = Object.fromEntries(Object.keys(parameters).map((name) => [name, "i32" as const]));
  const { tile } = standardPlan({ rows: 64, columns: 64, terms: 64 });
  const names = Object.keys(inputs);
  return `${names} ${
    productProgram(key, tile, names, narrowOf(product), own, lookup, false, false).body
  }`;
};

/** Runs a product; the result has the given shape. */
export const multiply = (
  backend: WebGPUBackend,
  product: Product,
  finish: Finish = { relu: false },
): TensorInfo => {
  const plan = measuredPlan(backend, product, () => ({
    wording: wordingOf(product),
    inputs: Object.values(product.inputs).map(({ shape, dtype }) => ({ shape, dtype })),
    attempt: (plan, tensors) => {
      const names = Object.keys(product.inputs);
      const inputs = Object.fromEntries(names.map((name, i) => [name, at(tensors, i)]));
      return multiplyBy(plan, backend, { ...product, inputs }, { relu: false });
    },
  })) ?? standardPlan(product);
  return multiplyBy(plan, backend, product, finish);
};
