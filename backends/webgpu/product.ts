/**
 * A tiled product of two matrices whose numbers are looked up by the caller's WGSL: the core of
 * convolution and of its gradients. A workgroup makes 64 rows of 64, 32 or 16 columns, a thread
 * 8×8 or 8×4 of them, from slices of 16 terms in workgroup memory. Where a product has few tiles
 * its terms are shared out over several workgroups and added up afterwards.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import { largestTensor } from "./guard.ts";
import { at, free } from "./kernel.ts";

/** Rows of a tile. */
const height = 64;
/** Terms of a slice. */
const depth = 16;
/** Threads along the rows; each has eight of them. */
const down = 8;

/** How a workgroup is cut: `across` threads along the columns with `quads` times four each. */
export interface Tile {
  readonly across: 4 | 8;
  readonly quads: 1 | 2;
}

const widthOf = ({ across, quads }: Tile): number => 4 * across * quads;
const extentOf = (tile: Tile, matrix: "left" | "right"): number =>
  matrix === "left" ? height : widthOf(tile);
// One unused quad a term, so that neighbouring threads store into different memory banks.
const pitchOf = (tile: Tile, matrix: "left" | "right"): number => extentOf(tile, matrix) / 4 + 1;
/** Groups of sixteen threads, which load one slice together. */
const loadersOf = ({ across }: Tile): number => across * down / depth;

// The narrowest tile that holds the columns: a wide one would compute zeros.
const tileFor = (columns: number): Tile =>
  columns > 32
    ? { across: 8, quads: 2 }
    : columns > 16
    ? { across: 8, quads: 1 }
    : { across: 4, quads: 1 };

/**
 * WGSL that looks numbers up, with `slice` (the first term), `end` (one beyond the last term),
 * `top` and `start` (the tile's first row and column) in scope.
 */
export interface Lookup {
  /** Runs once, before the first slice. */
  readonly setup: (tile: Tile) => string;
  /** Stores the left slice and then the right one: see {@link storeByTerm}, {@link storeByQuad}. */
  readonly load: (tile: Tile) => string;
}

/** WGSL: what every thread of a workgroup does for its share of the 64 rows, as `row`. */
export const forRows = ({ across }: Tile, body: string): string =>
  `for (var row = lane; row < ${height}; row += ${across * down}) { ${body} }`;

/**
 * WGSL: a thread has one term, `term`, and stores its share of the rows (of the columns, on the
 * right); `value` sets `number` from `row`, counted from the tile's first.
 */
export const storeByTerm = (tile: Tile, matrix: "left" | "right", value: string): string => {
  const share = extentOf(tile, matrix) / loadersOf(tile);
  return `
  for (var t = 0; t < ${share / 4}; t++) {
    var quad = vec4<f32>();
    for (var j = 0; j < 4; j++) {
      let row = loader * ${share} + t * 4 + j;
      var number = 0.0;
      ${value}
      quad[j] = number;
    }
    ${matrix}[term * ${pitchOf(tile, matrix)} + loader * ${share / 4} + t] = quad;
  }`;
};

/**
 * WGSL: a thread has the four rows (columns, on the right) from 4 · `term` and stores its share of
 * the terms; `value` sets `quad` from the term `k`.
 */
export const storeByQuad = (tile: Tile, matrix: "left" | "right", value: string): string => {
  const quads = extentOf(tile, matrix) / 4, loaders = loadersOf(tile);
  const body = `
  for (var t = 0; t < ${depth / loaders}; t++) {
    let k = slice + loader + ${loaders} * t;
    var quad = vec4<f32>();
    ${value}
    ${matrix}[(loader + ${loaders} * t) * ${pitchOf(tile, matrix)} + term] = quad;
  }`;
  return quads === depth ? body : `if (term < ${quads}) { ${body} }`;
};

const parts = ["x", "y", "z", "w"] as const;
const eight = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const each = (line: (i: number) => string): string => eight.map(line).join("\n");
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
  parameters: Program["parameters"],
  { setup, load }: Lookup,
  bias: boolean,
  relu: boolean,
): Program => ({
  key: `product ${key} ${widthOf(tile)} ${bias} ${relu}`,
  inputs: [...inputs, ...(bias ? ["bias"] : [])],
  outputs: ["result"],
  parameters: { ...sizes, ...parameters },
  workgroup: [tile.across, down, 1],
  declarations: `
var<workgroup> left: array<vec4<f32>, ${depth * pitchOf(tile, "left")}>;
var<workgroup> right: array<vec4<f32>, ${depth * pitchOf(tile, "right")}>;
var<workgroup> places: array<vec2<i32>, ${height}>;`,
  // Long, and only read where the program is compiled: not at every run. A thread's rows and
  // columns are runs of four, so that neighbours read from different memory banks.
  get body() {
    return `
  let top = group.x * ${height}; let start = group.y * ${widthOf(tile)};
  let begin = group.z * p.share;
  let end = min(begin + p.share, p.terms);
  let term = lane % ${depth}; let loader = lane / ${depth};
  ${setup(tile)}
  ${each((i) => halves(tile, (half) => `var s${i}${half} = vec4<f32>();`))}
  for (var slice = begin; slice < end; slice += ${depth}) {
    ${load(tile)}
    workgroupBarrier();
    for (var i = 0; i < ${depth}; i++) {
      let a = i * ${pitchOf(tile, "left")} + local.y;
      let b = i * ${pitchOf(tile, "right")} + local.x;
      let l0 = left[a]; let l1 = left[a + ${down}];
      ${halves(tile, (half) => `let r${half} = right[b + ${half * tile.across}];`)}
      ${
      each((i) =>
        halves(
          tile,
          (half) => `s${i}${half} += ${i < 4 ? "l0" : "l1"}.${parts[i % 4]} * r${half};`,
        )
      )
    }
    }
    workgroupBarrier();
  }
  ${
      each((i) =>
        `{
    let row = top + ${i < 4 ? 0 : height / 2} + local.y * 4 + ${i % 4};
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
  const tile = tileFor(columns);
  const tiles = [Math.ceil(rows / height), Math.ceil(columns / widthOf(tile))] as const;
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
    tile,
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
