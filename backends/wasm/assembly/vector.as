// Small things that every kernel uses.

/** Flag: negative results become 0. */
export const RELU: i32 = 1;

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
