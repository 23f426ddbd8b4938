/**
 * Writes the unrolled parts of the wasm kernels as AssemblyScript: register-blocked matrix
 * products and the Winograd transforms. Part of `build.ts`; nothing of it runs in training.
 *
 * @module
 */

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
const lines = (parts: readonly string[]): string => parts.join("\n");

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
const rowTile = (): string =>
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
const rowTiles = (): string =>
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
const columnTiles = (): string =>
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

/**
 * Winograd F(4×4, 3×3) on the points 0, ±3/4, ±3/2, ∞: half the rounding error of the usual
 * 0, ±1, ±2, ∞ at the same cost, twice that of a direct convolution.
 */
const near = 0.75, far = 1.5;
const near2 = near * near, far2 = far * far;
const nearNorm = 2 * near2 * (near2 - far2), farNorm = 2 * far2 * (far2 - near2);

type Pass = (x: readonly string[]) => {
  readonly before: readonly string[];
  readonly out: readonly string[];
};
const k = (value: number): string => `f32x4.splat(<f32>${value})`;
const madd = (a: string, c: number, b: string): string => `madd(${a}, ${k(c)}, ${b})`;
const add = (a: string, b: string): string => `f32x4.add(${a}, ${b})`;
const sub = (a: string, b: string): string => `f32x4.sub(${a}, ${b})`;
const times = (a: string, c: number): string => `f32x4.mul(${a}, ${k(c)})`;

/** Bᵀ: six input values to six points. */
const inputPass: Pass = ([d0 = "", d1 = "", d2 = "", d3 = "", d4 = "", d5 = ""]) => ({
  before: [
    `const p = ${madd(d2, -far2, d4)}, q = ${madd(d1, -far2, d3)};`,
    `const r = ${madd(d2, -near2, d4)}, s = ${madd(d1, -near2, d3)};`,
  ],
  out: [
    madd(d0, near2 * far2, madd(d2, -(near2 + far2), d4)),
    madd("q", near, "p"),
    madd("q", -near, "p"),
    madd("s", far, "r"),
    madd("s", -far, "r"),
    madd(d1, near2 * far2, madd(d3, -(near2 + far2), d5)),
  ],
});

/** Aᵀ: six points to four output values. */
const outputPass: Pass = ([m0 = "", m1 = "", m2 = "", m3 = "", m4 = "", m5 = ""]) => ({
  before: [
    `const p = ${add(m1, m2)}, q = ${sub(m1, m2)};`,
    `const r = ${add(m3, m4)}, s = ${sub(m3, m4)};`,
  ],
  out: [
    add(add(m0, "p"), "r"),
    madd("s", far, times("q", near)),
    madd("r", far2, times("p", near2)),
    madd("s", far ** 3, madd("q", near ** 3, m5)),
  ],
});

/** G: three filter values to six points. */
const filterPass: Pass = ([g0 = "", g1 = "", g2 = ""]) => ({
  before: [
    `const p = ${madd(g2, near2 / nearNorm, times(g0, 1 / nearNorm))};`,
    `const q = ${times(g1, near / nearNorm)};`,
    `const r = ${madd(g2, far2 / farNorm, times(g0, 1 / farNorm))};`,
    `const s = ${times(g1, far / farNorm)};`,
  ],
  out: [
    times(g0, 1 / (near2 * far2)),
    add("p", "q"),
    sub("p", "q"),
    add("r", "s"),
    sub("r", "s"),
    g2,
  ],
});

/** A: four gradients of the output to six points. */
const outputGradPass: Pass = ([y0 = "", y1 = "", y2 = "", y3 = ""]) => ({
  before: [
    `const p = ${madd(y2, near2, y0)}, q = ${madd(y3, near ** 3, times(y1, near))};`,
    `const r = ${madd(y2, far2, y0)}, s = ${madd(y3, far ** 3, times(y1, far))};`,
  ],
  out: [y0, add("p", "q"), sub("p", "q"), add("r", "s"), sub("r", "s"), y3],
});

/** Gᵀ: six points to three filter gradients. */
const filterGradPass: Pass = ([u0 = "", u1 = "", u2 = "", u3 = "", u4 = "", u5 = ""]) => ({
  before: [
    `const p = ${add(u1, u2)}, q = ${sub(u1, u2)};`,
    `const r = ${add(u3, u4)}, s = ${sub(u3, u4)};`,
  ],
  out: [
    madd("r", 1 / farNorm, madd("p", 1 / nearNorm, times(u0, 1 / (near2 * far2)))),
    madd("s", far / farNorm, times("q", near / nearNorm)),
    madd("r", far2 / farNorm, madd("p", near2 / nearNorm, u5)),
  ],
});

/** One two-dimensional transform of four channels: columns first, then rows. */
const transform = (
  name: string,
  parameters: string,
  pass: Pass,
  from: number,
  to: number,
  load: (i: number, j: number) => string,
  store: (i: number, j: number, value: string) => string,
  before: readonly string[] = [],
): string =>
  lines([
    `@inline function ${name}(${parameters}): void {`,
    ...before.map((line) => ` ${line}`),
    ...range(to).flatMap((i) => range(from).map((j) => ` let t${i}${j} = f32x4.splat(0);`)),
    ...range(from).flatMap((j) => {
      const { before, out } = pass(range(from).map((i) => `d${i}`));
      return [
        " {",
        ...range(from).map((i) => `  const d${i} = ${load(i, j)};`),
        ...before.map((line) => `  ${line}`),
        ...out.map((value, i) => `  t${i}${j} = ${value};`),
        " }",
      ];
    }),
    ...range(to).flatMap((i) => {
      const { before, out } = pass(range(from).map((j) => `t${i}${j}`));
      return [
        " {",
        ...before.map((line) => `  ${line}`),
        ...out.map((v, j) => `  ${store(i, j, v)}`),
        " }",
      ];
    }),
    "}",
  ]);

const transforms = (): string =>
  lines([
    "// Six by six pixels to 36 planes.",
    transform(
      "inputTile",
      "from: usize, row: usize, column: usize, to: usize, plane: usize",
      inputPass,
      6,
      6,
      (i, j) => `v128.load(from + ${i} * row + ${j} * column)`,
      (i, j, v) => `v128.store(to + ${6 * i + j} * plane, ${v});`,
    ),
    "// 36 planes to four by four pixels, with bias and ReLU.",
    transform(
      "outputTile",
      "from: usize, plane: usize, to: usize, row: usize, column: usize, bias: v128, floor: v128",
      outputPass,
      6,
      4,
      (i, j) => `v128.load(from + ${6 * i + j} * plane)`,
      (i, j, v) =>
        `v128.store(to + ${i} * row + ${j} * column, f32x4.pmax(f32x4.add(${v}, bias), floor));`,
    ),
    "// Nine taps to 36 planes.",
    transform(
      "filterTile",
      "from: usize, tap: usize, to: usize, plane: usize",
      filterPass,
      3,
      6,
      (i, j) => `v128.load(from + ${3 * i + j} * tap)`,
      (i, j, v) => `v128.store(to + ${6 * i + j} * plane, ${v});`,
    ),
    "// Nine taps, rotated by half a turn, to 36 planes.",
    transform(
      "rotatedFilterTile",
      "from: usize, tap: usize, to: usize, plane: usize",
      filterPass,
      3,
      6,
      (i, j) => `v128.load(from + ${8 - 3 * i - j} * tap)`,
      (i, j, v) => `v128.store(to + ${6 * i + j} * plane, ${v});`,
    ),
    "// Four by four gradients of the output to 36 planes.",
    transform(
      "outputGradTile",
      "from: usize, row: usize, column: usize, to: usize, plane: usize",
      outputGradPass,
      4,
      6,
      (i, j) => `v128.load(from + ${i} * row + ${j} * column)`,
      (i, j, v) => `v128.store(to + ${6 * i + j} * plane, ${v});`,
    ),
    "// 36 planes to the gradients of nine taps.",
    transform(
      "filterGradTile",
      "from: usize, plane: usize, to: usize, tap: usize",
      filterGradPass,
      6,
      3,
      (i, j) => `v128.load(from + ${6 * i + j} * plane)`,
      (i, j, v) => `v128.store(to + ${3 * i + j} * tap, ${v});`,
    ),
  ]);

/** The generated source: `tiles.as`. */
export const unrolledSource = (): string =>
  lines([
    "// Generated by unroll.ts.",
    "import {",
    "  ADD, madd, RELU, ROW_B, ROW_BLOCKS, ROW_C, ROW_DEPTH, ROW_FLAGS, ROW_JUMP, ROW_LDA, ROW_LDC,",
    "  ROW_SEGMENTS, ROW_START,",
    '} from "./vector";',
    rowTile(),
    rowTiles(),
    columnTiles(),
    transforms().replaceAll("@inline function", "@inline export function"),
  ]);
