/**
 * The Winograd transforms of the wasm kernels as AssemblyScript.
 *
 * @module
 */
import { lines, range } from "./text.ts";

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

/** The transforms of tiles and filters, and of their gradients, between pixels and planes. */
export const transforms = (): string =>
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
