// Sums of absolute differences. Parts have a fixed size and are added in order by
// the caller.
import { count, job, parallel, set } from "./pool";
import { bytes, over, total } from "./vector";
import { DIFFERENCE } from "./phases";

const A = 0, B = 1, SIZE = 2, PARTIAL = 3;
const CHUNK: i32 = 16384;

/** Partial sums of |a − b|. */
export function absoluteDifference(a: usize, b: usize, partial: usize, size: i32): i32 {
  const parts = over(size, CHUNK);
  set<usize>(A, a); set<usize>(B, b); set<usize>(PARTIAL, partial); set<i32>(SIZE, size);
  parallel(DIFFERENCE, parts);
  return parts;
}

export function differenceChunk(chunk: i32, thread: i32): void {
  const last = min(count(SIZE), (chunk + 1) * CHUNK);
  let s0 = f32x4.splat(0), s1 = s0, i = chunk * CHUNK, tail: f32 = 0;
  for (; i + 8 <= last; i += 8) {
    const a = job(A) + bytes(i), b = job(B) + bytes(i);
    s0 = f32x4.add(s0, f32x4.abs(f32x4.sub(v128.load(a), v128.load(b))));
    s1 = f32x4.add(s1, f32x4.abs(f32x4.sub(v128.load(a, 16), v128.load(b, 16))));
  }
  for (; i < last; i++) {
    tail += abs<f32>(load<f32>(job(A) + bytes(i)) - load<f32>(job(B) + bytes(i)));
  }
  store<f32>(job(PARTIAL) + bytes(chunk), total(f32x4.add(s0, s1)) + tail);
}
