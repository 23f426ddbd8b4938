/**
 * How a workgroup is cut in a tiled product (`product.ts`), and the WGSL by which its threads fill
 * slices of the two matrices in workgroup memory.
 *
 * @module
 */

/** Terms of a slice. */
export const depth = 16;
/** Threads along the rows. */
export const down = 8;

/**
 * A workgroup makes 8 · `rows` rows, a thread `rows` of them; it has `across` threads along the
 * columns, a thread `quads` times four of them.
 */
export interface Tile {
  readonly across: 4 | 8;
  readonly quads: 1 | 2;
  readonly rows: 4 | 8;
}

/** Columns that a workgroup makes. */
export const widthOf = ({ across, quads }: Tile): number => 4 * across * quads;
/** Rows that a workgroup makes. */
export const heightOf = ({ rows }: Tile): number => down * rows;

const extentOf = (tile: Tile, matrix: "left" | "right"): number =>
  matrix === "left" ? heightOf(tile) : widthOf(tile);
/**
 * Quads from one term to the next in workgroup memory: one of them unused, so that neighbouring
 * threads store into different memory banks.
 */
export const pitchOf = (tile: Tile, matrix: "left" | "right"): number =>
  extentOf(tile, matrix) / 4 + 1;
/** Groups of sixteen threads, which load one slice together. */
const loadersOf = ({ across }: Tile): number => across * down / depth;

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

/** WGSL: what every thread of a workgroup does for its share of the rows, as `row`. */
export const forRows = (tile: Tile, body: string): string =>
  `for (var row = lane; row < ${heightOf(tile)}; row += ${tile.across * down}) { ${body} }`;

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
