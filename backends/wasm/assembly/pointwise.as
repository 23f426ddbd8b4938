// One pass over arrays: ReLU's gradient, pooling and upsampling, signs. Arrays are cut into
// chunks of a fixed size.
import { count, job, parallel, real, set } from "./pool";
import { bytes, over } from "./vector";
import { POOL, RELU_GRAD, SIGN_GRAD, UPSAMPLE } from "./phases";

const A = 0, B = 1, C = 2, SIZE = 3, WIDTH = 4, CHANNELS = 5, SCALE = 6;

/** Numbers a chunk. */
const CHUNK: i32 = 16384;

/** dx = dy where y > 0, else 0. */
export function reluGrad(dy: usize, y: usize, dx: usize, size: i32): void {
  set<usize>(A, dy); set<usize>(B, y); set<usize>(C, dx); set<i32>(SIZE, size);
  parallel(RELU_GRAD, over(size, CHUNK));
}

export function reluGradChunk(chunk: i32, thread: i32): void {
  const last = min(count(SIZE), (chunk + 1) * CHUNK), zero = f32x4.splat(0);
  let i = chunk * CHUNK;
  for (; i + 4 <= last; i += 4) {
    const at = bytes(i);
    const on = f32x4.gt(v128.load(job(B) + at), zero);
    v128.store(job(C) + at, v128.and(v128.load(job(A) + at), on));
  }
  for (; i < last; i++) {
    const at = bytes(i);
    store<f32>(job(C) + at, load<f32>(job(B) + at) > 0 ? load<f32>(job(A) + at) : 0);
  }
}

/** da = factor · sign(a − b). */
export function signGrad(a: usize, b: usize, da: usize, size: i32, factor: f32): void {
  set<usize>(A, a); set<usize>(B, b); set<usize>(C, da); set<i32>(SIZE, size);
  set<f32>(SCALE, factor);
  parallel(SIGN_GRAD, over(size, CHUNK));
}

export function signGradChunk(chunk: i32, thread: i32): void {
  const last = min(count(SIZE), (chunk + 1) * CHUNK), factor = real(SCALE);
  const up = f32x4.splat(factor), down = f32x4.splat(-factor);
  let i = chunk * CHUNK;
  for (; i + 4 <= last; i += 4) {
    const at = bytes(i), a = v128.load(job(A) + at), b = v128.load(job(B) + at);
    v128.store(
      job(C) + at,
      v128.or(v128.and(f32x4.gt(a, b), up), v128.and(f32x4.lt(a, b), down)),
    );
  }
  for (; i < last; i++) {
    const at = bytes(i), a = load<f32>(job(A) + at), b = load<f32>(job(B) + at);
    store<f32>(job(C) + at, a > b ? factor : a < b ? -factor : 0);
  }
}

/** y = scale · sum of each 2 × 2 square; rows counts the rows of y over all images. */
export function averagePool2(
  x: usize, y: usize, rows: i32, width: i32, channels: i32, scale: f32,
): void {
  set<usize>(A, x); set<usize>(B, y); set<i32>(SIZE, rows); set<i32>(WIDTH, width);
  set<i32>(CHANNELS, channels); set<f32>(SCALE, scale);
  parallel(POOL, over(rows, 4));
}

export function poolChunk(chunk: i32, thread: i32): void {
  const width = count(WIDTH), channels = count(CHANNELS), pixel = bytes(channels);
  const scale = f32x4.splat(real(SCALE)), last = min(count(SIZE), 4 * chunk + 4);
  for (let row = 4 * chunk; row < last; row++) {
    let top = job(A) + <usize>(4 * row * width) * pixel, to = job(B) + <usize>(row * width) * pixel;
    let low = top + <usize>(2 * width) * pixel;
    for (let x = 0; x < width; x++, top += 2 * pixel, low += 2 * pixel, to += pixel) {
      let c = 0;
      for (; c + 4 <= channels; c += 4) {
        const at = bytes(c);
        const sum = f32x4.add(
          f32x4.add(v128.load(top + at), v128.load(top + pixel + at)),
          f32x4.add(v128.load(low + at), v128.load(low + pixel + at)),
        );
        v128.store(to + at, f32x4.mul(sum, scale));
      }
      for (; c < channels; c++) {
        const at = bytes(c);
        const sum: f32 = (load<f32>(top + at) + load<f32>(top + pixel + at)) +
          (load<f32>(low + at) + load<f32>(low + pixel + at));
        store<f32>(to + at, sum * real(SCALE));
      }
    }
  }
}

/** y = scale · x, every value four times; rows counts the rows of x over all images. */
export function upsampleNearest2(
  x: usize, y: usize, rows: i32, width: i32, channels: i32, scale: f32,
): void {
  set<usize>(A, x); set<usize>(B, y); set<i32>(SIZE, rows); set<i32>(WIDTH, width);
  set<i32>(CHANNELS, channels); set<f32>(SCALE, scale);
  parallel(UPSAMPLE, over(rows, 4));
}

export function upsampleChunk(chunk: i32, thread: i32): void {
  const width = count(WIDTH), channels = count(CHANNELS), pixel = bytes(channels);
  const scale = f32x4.splat(real(SCALE)), last = min(count(SIZE), 4 * chunk + 4);
  const down = <usize>(2 * width) * pixel;
  for (let row = 4 * chunk; row < last; row++) {
    let from = job(A) + <usize>(row * width) * pixel;
    let to = job(B) + <usize>(4 * row * width) * pixel;
    for (let x = 0; x < width; x++, from += pixel, to += 2 * pixel) {
      let c = 0;
      for (; c + 4 <= channels; c += 4) {
        const at = bytes(c), value = f32x4.mul(v128.load(from + at), scale);
        v128.store(to + at, value);
        v128.store(to + pixel + at, value);
        v128.store(to + down + at, value);
        v128.store(to + down + pixel + at, value);
      }
      for (; c < channels; c++) {
        const at = bytes(c), value: f32 = load<f32>(from + at) * real(SCALE);
        store<f32>(to + at, value);
        store<f32>(to + pixel + at, value);
        store<f32>(to + down + at, value);
        store<f32>(to + down + pixel + at, value);
      }
    }
  }
}
