/**
 * The register-blocked matrix products of the wasm kernels as AssemblyScript.
 *
 * @module
 */
import { lines, range } from "./text.ts";

const six = range(6);

/** How many values of K one turn of the inner loop takes. */
const unroll = 8;

const rowStep = (u: number): string =>
  lines([
    "  {",
    `   const b0 = v128.load(b, ${32 * u}), b1 = v128.load(b, ${32 * u + 16});`,
    ...six.map((r) =>
      `   const x${r} = v128.load32_splat(a${r}, ${4 * u}); ` +
      range(2).map((h) => `c${r}${h} = madd(x${r}, b${h}, c${r}${h});`).join(" ")
    ),
    "  }",
  ]);

const advanceRows = (count: string): string => six.map((r) => `a${r} += ${count};`).join(" ");

/** c += a_r · b over K values; moves all pointers on. */
const rowSum = (): string =>
  lines([
    "  let k = load<i32>(frame, ROW_DEPTH);",
    `  for (; k >= ${unroll}; k -= ${unroll}) {`,
    ...range(unroll).map(rowStep),
    `  b += ${32 * unroll}; ${advanceRows(String(4 * unroll))}`,
    "  }",
    "  for (; k >= 2; k -= 2) {",
    ...range(2).map(rowStep),
    `  b += 64; ${advanceRows("8")}`,
    "  }",
    "  if (k > 0) {",
    rowStep(0),
    `  b += 32; ${advanceRows("4")}`,
    "  }",
  ]);

const zeroRows = six.map((r) => ` let c${r}0 = f32x4.splat(0), c${r}1 = c${r}0;`);

const storeRows = [
  " const ldc = load<usize>(frame, ROW_LDC);",
  ...six.map((r) => ` v128.store(c, c${r}0); v128.store(c, c${r}1, 16); c += ldc;`),
];

/** c[r, 0..8) = Σ a_r · b, for six rows with their own pointers; b in panels of 8. */
export const rowTile = (): string =>
  lines([
    "// Six rows of a product: c[r, 0..8) = start + the sum over segments of K values. What it works",
    "// on lies in memory and is read when it is needed: arguments would take registers.",
    "export function rowTile(frame: usize): void {",
    ...zeroRows,
    " const start = load<usize>(frame, ROW_START);",
    " if (start) {",
    "  const s0 = v128.load(start), s1 = v128.load(start, 16);",
    ...six.map((r) => `  c${r}0 = s0; c${r}1 = s1;`),
    " }",
    ...six.map((r) => ` let a${r} = load<usize>(frame, ${4 * r});`),
    " let b = load<usize>(frame, ROW_B);",
    " for (let s = load<i32>(frame, ROW_SEGMENTS); s > 0; s--) {",
    rowSum(),
    `  const jump = load<usize>(frame, ROW_JUMP); ${advanceRows("jump")}`,
    " }",
    " if (load<i32>(frame, ROW_FLAGS) & RELU) {",
    "  const zero = f32x4.splat(0);",
    ...six.map((r) => `  c${r}0 = f32x4.pmax(c${r}0, zero); c${r}1 = f32x4.pmax(c${r}1, zero);`),
    " }",
    " let c = load<usize>(frame, ROW_C);",
    ...storeRows,
    "}",
  ]);

/** The plain product of many rows, six at a time. */
export const rowTiles = (): string =>
  lines([
    "// Six times ROW_BLOCKS rows, ROW_LDA apart: c = a · b, added to what is there under ADD.",
    "export function rowTiles(frame: usize): void {",
    " let a = load<usize>(frame), c = load<usize>(frame, ROW_C);",
    " for (let left = load<i32>(frame, ROW_BLOCKS); left > 0; left--) {",
    ...zeroRows,
    " if (load<i32>(frame, ROW_FLAGS) & ADD) {",
    "  const next = load<usize>(frame, ROW_LDC); let at = c;",
    ...six.map((r) => `  c${r}0 = v128.load(at); c${r}1 = v128.load(at, 16); at += next;`),
    " }",
    " const lda = load<usize>(frame, ROW_LDA);",
    " let a0 = a; " + range(5).map((r) => `let a${r + 1} = a${r} + lda;`).join(" "),
    " a = a5 + lda;",
    " let b = load<usize>(frame, ROW_B);",
    rowSum(),
    ...storeRows,
    " }",
    "}",
  ]);

/** c[i, 0..8) += Σ_k a[k, i] · b[k, 0..8), i in 0..height: the left side is transposed. */
const columnTile = (height: 4 | 6): string => {
  const columns = range(height), unroll = 8;
  const step = lines([
    "   {",
    "    const b0 = v128.load(b), b1 = v128.load(b, 16);",
    ...columns.map((i) =>
      `    const x${i} = v128.load32_splat(a, ${4 * i}); ` +
      range(2).map((h) => `c${i}${h} = madd(x${i}, b${h}, c${i}${h});`).join(" ")
    ),
    "    a += lda; b += ldb;",
    "   }",
  ]);
  return lines([
    `// ${height} rows of a product whose left side is transposed, added to c; rows × K values.`,
    `function columnTile${height}(a: usize, lda: usize, b: usize, ldb: usize, c: usize,`,
    "  ldc: usize, K: i32, rows: i32, jumpA: usize, jumpB: usize): void {",
    ...columns.map((i) =>
      ` let c${i}0 = v128.load(c + ${i} * ldc), c${i}1 = v128.load(c + ${i} * ldc, 16);`
    ),
    " for (let y = 0; y < rows; y++) {",
    `  let k = K;`,
    `  for (; k >= ${unroll}; k -= ${unroll}) {`,
    ...range(unroll).map(() => step),
    "  }",
    "  for (; k > 0; k--) {",
    step,
    "  }",
    "  a += jumpA; b += jumpB;",
    " }",
    ...columns.map((i) =>
      ` v128.store(c + ${i} * ldc, c${i}0); v128.store(c + ${i} * ldc, c${i}1, 16);`
    ),
    "}",
  ]);
};

/** Any number of rows that four divides, in sixes and at most two fours. */
export const columnTiles = (): string =>
  lines([
    columnTile(4),
    columnTile(6),
    "// Some rows, a multiple of four, of a product whose left side is transposed, added to c.",
    "export function columnTiles(a: usize, lda: usize, b: usize, ldb: usize, c: usize,",
    "  ldc: usize, height: i32, K: i32, rows: i32, jumpA: usize, jumpB: usize): void {",
    " while (height % 6 != 0) {",
    "  columnTile4(a, lda, b, ldb, c, ldc, K, rows, jumpA, jumpB);",
    "  a += 16; c += 4 * ldc; height -= 4;",
    " }",
    " for (; height > 0; height -= 6) {",
    "  columnTile6(a, lda, b, ldb, c, ldc, K, rows, jumpA, jumpB);",
    "  a += 24; c += 6 * ldc;",
    " }",
    "}",
  ]);
