// Instance norm with gain, bias and ReLU in one pass over the image after its statistics, and its
// gradient. A chunk is one image and up to sixteen channels: a cache line of every pixel.
import { count, job, parallel, real, set } from "./pool";
import { bytes, madd, over } from "./vector";
import { NORM, NORM_GRAD } from "./phases";

const X = 0, GAIN = 1, BIAS = 2, Y = 3, MEAN = 4, DEVIATION = 5, AREA = 6, CHANNELS = 7;
const SHARED = 8, EPSILON = 9, RELU_FLAG = 10, DY = 11, DX = 12, DGAIN = 13, DBIAS = 14;

/** y = (x − mean) · deviation · gain + bias per image and channel; gain and bias may be shared. */
export function instanceNormalize(
  x: usize, gain: usize, bias: usize, y: usize, mean: usize, deviation: usize,
  batch: i32, area: i32, channels: i32, shared: i32, epsilon: f32, relu: i32,
): void {
  set<usize>(X, x); set<usize>(GAIN, gain); set<usize>(BIAS, bias); set<usize>(Y, y);
  set<usize>(MEAN, mean); set<usize>(DEVIATION, deviation); set<i32>(AREA, area);
  set<i32>(CHANNELS, channels); set<i32>(SHARED, shared); set<f32>(EPSILON, epsilon);
  set<i32>(RELU_FLAG, relu);
  parallel(NORM, batch * over(channels, 16));
}

/** The gradient; dgain and dbias are per image: [batch, channels]. */
export function instanceNormalizeGrad(
  dy: usize, x: usize, gain: usize, bias: usize, mean: usize, deviation: usize,
  dx: usize, dgain: usize, dbias: usize,
  batch: i32, area: i32, channels: i32, shared: i32, relu: i32,
): void {
  set<usize>(DY, dy); set<usize>(X, x); set<usize>(GAIN, gain); set<usize>(BIAS, bias);
  set<usize>(MEAN, mean); set<usize>(DEVIATION, deviation); set<usize>(DX, dx);
  set<usize>(DGAIN, dgain); set<usize>(DBIAS, dbias); set<i32>(AREA, area);
  set<i32>(CHANNELS, channels); set<i32>(SHARED, shared); set<i32>(RELU_FLAG, relu);
  parallel(NORM_GRAD, batch * over(channels, 16));
}

export function norm(chunk: i32, thread: i32): void {
  const channels = count(CHANNELS), lines = over(channels, 16), image = chunk / lines;
  const first = (chunk - image * lines) * 16, last = min(first + 16, channels);
  let c = first;
  for (; c + 4 <= last; c += 4) normFour(image, c);
  for (; c < last; c++) normOne(image, c);
}

function normFour(image: i32, c: i32): void {
  const channels = count(CHANNELS), area = count(AREA), pixel = bytes(channels);
  const start = job(X) + bytes(image * area * channels + c);
  const n = f32x4.splat(<f32>area);
  let at = start, s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, i = 0;
  for (; i + 4 <= area; i += 4) {
    s0 = f32x4.add(s0, v128.load(at));
    s1 = f32x4.add(s1, v128.load(at + pixel));
    s2 = f32x4.add(s2, v128.load(at + 2 * pixel));
    s3 = f32x4.add(s3, v128.load(at + 3 * pixel));
    at += 4 * pixel;
  }
  for (; i < area; i++, at += pixel) s0 = f32x4.add(s0, v128.load(at));
  const mean = f32x4.div(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), n);
  s0 = s1 = s2 = s3 = f32x4.splat(0);
  at = start;
  for (i = 0; i + 4 <= area; i += 4) {
    const d0 = f32x4.sub(v128.load(at), mean), d1 = f32x4.sub(v128.load(at + pixel), mean);
    const d2 = f32x4.sub(v128.load(at + 2 * pixel), mean);
    const d3 = f32x4.sub(v128.load(at + 3 * pixel), mean);
    s0 = madd(d0, d0, s0); s1 = madd(d1, d1, s1);
    s2 = madd(d2, d2, s2); s3 = madd(d3, d3, s3);
    at += 4 * pixel;
  }
  for (; i < area; i++, at += pixel) {
    const d = f32x4.sub(v128.load(at), mean);
    s0 = madd(d, d, s0);
  }
  const variance = f32x4.div(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), n);
  const deviation = f32x4.div(
    f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(real(EPSILON)))),
  );
  const at2 = bytes(image * channels + c), affine = count(SHARED) ? bytes(c) : at2;
  v128.store(job(MEAN) + at2, mean);
  v128.store(job(DEVIATION) + at2, deviation);
  const gain = v128.load(job(GAIN) + affine), bias = v128.load(job(BIAS) + affine);
  const floor = count(RELU_FLAG) ? f32x4.splat(0) : f32x4.splat(-f32.MAX_VALUE);
  const to = job(Y) - job(X);
  at = start;
  for (i = 0; i < area; i++, at += pixel) {
    const value = f32x4.mul(f32x4.sub(v128.load(at), mean), deviation);
    // The same operations as in the gradient, so that both see the same side of the ReLU.
    const y = f32x4.add(f32x4.mul(value, gain), bias);
    v128.store(at + to, count(RELU_FLAG) ? f32x4.pmax(y, floor) : y);
  }
}

function normOne(image: i32, c: i32): void {
  const channels = count(CHANNELS), area = count(AREA), pixel = bytes(channels);
  const start = job(X) + bytes(image * area * channels + c), to = job(Y) - job(X);
  let sum: f32 = 0;
  for (let i = 0; i < area; i++) sum += load<f32>(start + <usize>i * pixel);
  const mean = sum / <f32>area;
  sum = 0;
  for (let i = 0; i < area; i++) {
    const d = load<f32>(start + <usize>i * pixel) - mean;
    sum += d * d;
  }
  const deviation: f32 = 1 / sqrt<f32>(sum / <f32>area + real(EPSILON));
  const at2 = bytes(image * channels + c), affine = count(SHARED) ? bytes(c) : at2;
  store<f32>(job(MEAN) + at2, mean);
  store<f32>(job(DEVIATION) + at2, deviation);
  const gain = load<f32>(job(GAIN) + affine), bias = load<f32>(job(BIAS) + affine);
  for (let i = 0; i < area; i++) {
    const at = start + <usize>i * pixel;
    const y: f32 = (load<f32>(at) - mean) * deviation * gain + bias;
    store<f32>(at + to, count(RELU_FLAG) && y < 0 ? 0 : y);
  }
}

export function normGrad(chunk: i32, thread: i32): void {
  const channels = count(CHANNELS), lines = over(channels, 16), image = chunk / lines;
  const first = (chunk - image * lines) * 16, last = min(first + 16, channels);
  let c = first;
  for (; c + 4 <= last; c += 4) gradFour(image, c);
  for (; c < last; c++) gradOne(image, c);
}

function gradFour(image: i32, c: i32): void {
  const channels = count(CHANNELS), area = count(AREA), pixel = bytes(channels);
  const offset = bytes(image * area * channels + c), relu = count(RELU_FLAG);
  const at2 = bytes(image * channels + c), affine = count(SHARED) ? bytes(c) : at2;
  const mean = v128.load(job(MEAN) + at2), deviation = v128.load(job(DEVIATION) + at2);
  const gain = v128.load(job(GAIN) + affine), bias = v128.load(job(BIAS) + affine);
  const zero = f32x4.splat(0);
  let x = job(X) + offset, dy = job(DY) + offset, total = zero, weighted = zero;
  for (let i = 0; i < area; i++, x += pixel, dy += pixel) {
    const value = f32x4.mul(f32x4.sub(v128.load(x), mean), deviation);
    let d = v128.load(dy);
    if (relu) d = v128.and(d, f32x4.gt(f32x4.add(f32x4.mul(value, gain), bias), zero));
    total = f32x4.add(total, d);
    weighted = madd(d, value, weighted);
  }
  v128.store(job(DBIAS) + at2, total);
  v128.store(job(DGAIN) + at2, weighted);
  const n = f32x4.splat(<f32>area), scale = f32x4.mul(gain, deviation);
  const a = f32x4.div(total, n), b = f32x4.div(weighted, n);
  let dx = job(DX) + offset;
  x = job(X) + offset;
  dy = job(DY) + offset;
  for (let i = 0; i < area; i++, x += pixel, dy += pixel, dx += pixel) {
    const value = f32x4.mul(f32x4.sub(v128.load(x), mean), deviation);
    let d = v128.load(dy);
    if (relu) d = v128.and(d, f32x4.gt(f32x4.add(f32x4.mul(value, gain), bias), zero));
    v128.store(dx, f32x4.mul(scale, f32x4.sub(d, madd(value, b, a))));
  }
}

function gradOne(image: i32, c: i32): void {
  const channels = count(CHANNELS), area = count(AREA), relu = count(RELU_FLAG);
  const at2 = bytes(image * channels + c), affine = count(SHARED) ? bytes(c) : at2;
  const mean = load<f32>(job(MEAN) + at2), deviation = load<f32>(job(DEVIATION) + at2);
  const gain = load<f32>(job(GAIN) + affine), bias = load<f32>(job(BIAS) + affine);
  let total: f32 = 0, weighted: f32 = 0;
  for (let pass = 0; pass < 2; pass++) {
    const a: f32 = total / <f32>area, b: f32 = weighted / <f32>area;
    for (let i = 0; i < area; i++) {
      const at = bytes((image * area + i) * channels + c);
      const value: f32 = (load<f32>(job(X) + at) - mean) * deviation;
      const d: f32 = relu && !(value * gain + bias > 0) ? 0 : load<f32>(job(DY) + at);
      if (pass == 0) {
        total += d;
        weighted += d * value;
      } else {
        store<f32>(job(DX) + at, gain * deviation * (d - (a + value * b)));
      }
    }
  }
  store<f32>(job(DBIAS) + at2, total);
  store<f32>(job(DGAIN) + at2, weighted);
}
