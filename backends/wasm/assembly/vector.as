// Small things that every kernel uses.

/** Flag: negative results become 0. */
export const RELU: i32 = 1;
/** Flag of `rowTiles`: the result is added to what is there. */
export const ADD: i32 = 2;

// Where `rowTile` finds what it works on; six row pointers come first.
export const ROW_B: usize = 24;
export const ROW_C: usize = 28;
export const ROW_LDC: usize = 32;
export const ROW_DEPTH: usize = 36;
export const ROW_START: usize = 40; // address of 8 numbers, or 0
export const ROW_SEGMENTS: usize = 44;
export const ROW_JUMP: usize = 48; // bytes from the end of a segment to the next
export const ROW_FLAGS: usize = 52;
// Where `rowTiles` finds what else it needs; its first row pointer is the only one.
export const ROW_LDA: usize = 4;
export const ROW_BLOCKS: usize = 8;

/** A plain product of depth K for `rowTiles`; `flags` is 0 or ADD. */
@inline export function setPlain(frame: usize, K: i32, lda: usize, flags: i32): void {
  store<i32>(frame, K, ROW_DEPTH);
  store<usize>(frame, lda, ROW_LDA);
  store<i32>(frame, flags, ROW_FLAGS);
}

/** Where its rows, its panel and its result lie, and how many times six rows there are. */
@inline export function setTiles(
  frame: usize, a: usize, b: usize, c: usize, ldc: usize, blocks: i32,
): void {
  store<usize>(frame, a);
  store<usize>(frame, b, ROW_B);
  store<usize>(frame, c, ROW_C);
  store<usize>(frame, ldc, ROW_LDC);
  store<i32>(frame, blocks, ROW_BLOCKS);
}

/** a · b + c, fused where the processor can. */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** The sum of the four lanes. */
@inline export function total(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** ⌈a / b⌉ */
@inline export function over(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}

/** Bytes of n floats. */
@inline export function bytes(n: i32): usize {
  return <usize>n << 2;
}

/** Four by four numbers, transposed: rows `stride` apart come `next` bytes apart. */
@inline export function turnFour(from: usize, stride: usize, to: usize, next: usize): void {
  const a = v128.load(from), b = v128.load(from + stride);
  const c = v128.load(from + 2 * stride), d = v128.load(from + 3 * stride);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7), CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to + next, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  v128.store(to + 2 * next, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5));
  v128.store(to + 3 * next, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7));
}
