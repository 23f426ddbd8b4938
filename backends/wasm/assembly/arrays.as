// Stock operations that a training step is full of, on all threads: sums and products of arrays
// with simple broadcasts, ReLU, softmax, sums over axes, copies of rows (concat, split).
import { count, job, parallel, real, set } from "./pool";
import { bytes, madd, over, total } from "./vector";
import { BINARY, COPY_ROWS, RELU_ALL, SOFTMAX, SOFTMAX_GRAD, SUM_AXIS, SUM_PARTS } from "./phases";

const A = 0, B = 1, OUT = 2, SIZE = 3, OPERATION = 4, PERIOD_A = 5, PERIOD_B = 6;
const EACH_A = 7, EACH_B = 8;
const ROWS = 3, WIDTH = 4, STEP_FROM = 5, STEP_TO = 6;
const OUTER = 3, REDUCED = 4, INNER = 5, PARTS = 6, PARTIAL = 7;

/** Numbers a chunk. */
const CHUNK: i32 = 16384;

/**
 * out = a ⊕ b (0: +, 1: −, 2: ·, 3: /). Number i of the result meets a[i / eachA % periodA], and
 * likewise b: equal shapes, scalars, vectors along the last axes, one number a row. `each` is 1
 * or a multiple of 4, or the period is 1; a period is the size, 1 or a multiple of 4.
 */
export function binary(
  a: usize, b: usize, out: usize, size: i32, operation: i32,
  periodA: i32, eachA: i32, periodB: i32, eachB: i32,
): void {
  set<usize>(A, a); set<usize>(B, b); set<usize>(OUT, out); set<i32>(SIZE, size);
  set<i32>(OPERATION, operation); set<i32>(PERIOD_A, periodA); set<i32>(PERIOD_B, periodB);
  set<i32>(EACH_A, eachA); set<i32>(EACH_B, eachB);
  parallel(BINARY, over(size, CHUNK));
}

@inline function apply(operation: i32, a: v128, b: v128): v128 {
  if (operation == 0) return f32x4.add(a, b);
  if (operation == 1) return f32x4.sub(a, b);
  if (operation == 2) return f32x4.mul(a, b);
  return f32x4.div(a, b);
}

/** One run, with the operation and what is constant known to the compiler. */
@inline function applyRun(
  operation: i32, constantA: bool, constantB: bool, a: usize, b: usize, out: usize, length: i32,
): void {
  const x = v128.load32_splat(a), y = v128.load32_splat(b);
  let k = 0;
  for (; k + 8 <= length; k += 8, out += 32) {
    const a0 = constantA ? x : v128.load(a), b0 = constantB ? y : v128.load(b);
    const a1 = constantA ? x : v128.load(a, 16), b1 = constantB ? y : v128.load(b, 16);
    v128.store(out, apply(operation, a0, b0));
    v128.store(out, apply(operation, a1, b1), 16);
    if (!constantA) a += 32;
    if (!constantB) b += 32;
  }
  for (; k < length; k++, out += 4) {
    const a0 = v128.load32_splat(a), b0 = v128.load32_splat(b);
    store<f32>(out, f32x4.extract_lane(apply(operation, a0, b0), 0));
    if (!constantA) a += 4;
    if (!constantB) b += 4;
  }
}

@inline function spreadRun(
  operation: i32, constantA: bool, constantB: bool, a: usize, b: usize, out: usize, length: i32,
): void {
  if (constantA) applyRun(operation, true, false, a, b, out, length);
  else if (constantB) applyRun(operation, false, true, a, b, out, length);
  else applyRun(operation, false, false, a, b, out, length);
}

/** Both operands constant: one number a row against another. */
function fillRun(operation: i32, a: usize, b: usize, out: usize, length: i32): void {
  const x = v128.load32_splat(a), y = v128.load32_splat(b);
  const value = operation == 0
    ? f32x4.add(x, y)
    : operation == 1
    ? f32x4.sub(x, y)
    : operation == 2
    ? f32x4.mul(x, y)
    : f32x4.div(x, y);
  for (let k = 0; k < length; k++) store<f32>(out + bytes(k), f32x4.extract_lane(value, 0));
}

/** Where the operand of number i lies. */
@inline function place(base: usize, i: i32, each: i32, period: i32): usize {
  return base + bytes(i / each % period);
}

/** Numbers from i on for which an operand is one run: a constant, or consecutive numbers. */
@inline function run(i: i32, each: i32, period: i32): i32 {
  if (period == 1) return i32.MAX_VALUE;
  return each > 1 ? each - i % each : period - i % period;
}

export function binaryChunk(chunk: i32, thread: i32): void {
  const operation = count(OPERATION), last = min(count(SIZE), (chunk + 1) * CHUNK);
  const eachA = count(EACH_A), eachB = count(EACH_B);
  const periodA = count(PERIOD_A), periodB = count(PERIOD_B);
  const constantA = eachA > 1 || periodA == 1, constantB = eachB > 1 || periodB == 1;
  for (let i = chunk * CHUNK; i < last;) {
    const length = min(last - i, min(run(i, eachA, periodA), run(i, eachB, periodB)));
    const a = place(job(A), i, eachA, periodA), b = place(job(B), i, eachB, periodB);
    const out = job(OUT) + bytes(i);
    if (constantA && constantB) {
      // Two constants: rows of one number against a scalar. Rare, and short.
      fillRun(operation, a, b, out, length);
    } else if (operation == 0) spreadRun(0, constantA, constantB, a, b, out, length);
    else if (operation == 1) spreadRun(1, constantA, constantB, a, b, out, length);
    else if (operation == 2) spreadRun(2, constantA, constantB, a, b, out, length);
    else spreadRun(3, constantA, constantB, a, b, out, length);
    i += length;
  }
}

/** out = x where x > 0 or not a number, else 0. */
export function relu(x: usize, out: usize, size: i32): void {
  set<usize>(A, x); set<usize>(OUT, out); set<i32>(SIZE, size);
  parallel(RELU_ALL, over(size, CHUNK));
}

export function reluChunk(chunk: i32, thread: i32): void {
  const last = min(count(SIZE), (chunk + 1) * CHUNK), zero = f32x4.splat(0);
  let i = chunk * CHUNK;
  for (; i + 4 <= last; i += 4) {
    v128.store(job(OUT) + bytes(i), f32x4.pmax(v128.load(job(A) + bytes(i)), zero));
  }
  for (; i < last; i++) {
    const x = load<f32>(job(A) + bytes(i));
    store<f32>(job(OUT) + bytes(i), x < 0 ? 0 : x);
  }
}

/** Copies `rows` times `width` numbers; rows come `stepFrom` and `stepTo` numbers apart. */
export function copyRows(
  from: usize, to: usize, rows: i32, width: i32, stepFrom: i32, stepTo: i32,
): void {
  set<usize>(A, from); set<usize>(OUT, to); set<i32>(ROWS, rows); set<i32>(WIDTH, width);
  set<i32>(STEP_FROM, stepFrom); set<i32>(STEP_TO, stepTo);
  parallel(COPY_ROWS, over(rows, rowsEach()));
}

@inline function rowsEach(): i32 {
  return max(1, CHUNK / max(1, count(WIDTH)));
}

export function copyRowsChunk(chunk: i32, thread: i32): void {
  const each = rowsEach(), width = count(WIDTH), first = chunk * each;
  const last = min(count(ROWS), first + each);
  const stepFrom = bytes(count(STEP_FROM)), stepTo = bytes(count(STEP_TO));
  let from = job(A) + <usize>first * stepFrom, to = job(OUT) + <usize>first * stepTo;
  for (let r = first; r < last; r++, from += stepFrom, to += stepTo) {
    if (width >= 64) {
      memory.copy(to, from, bytes(width));
      continue;
    }
    let c = 0;
    for (; c + 4 <= width; c += 4) v128.store(to + bytes(c), v128.load(from + bytes(c)));
    for (; c < width; c++) store<f32>(to + bytes(c), load<f32>(from + bytes(c)));
  }
}

/**
 * out[o, i] = factor · Σ_r x[o, r, i], by way of `parts` partial sums of each where parts > 1.
 */
export function sumAxis(
  x: usize, partial: usize, out: usize, outer: i32, reduced: i32, inner: i32, parts: i32,
  factor: f32,
): void {
  set<usize>(A, x); set<usize>(PARTIAL, partial); set<usize>(OUT, out);
  set<i32>(OUTER, outer); set<i32>(REDUCED, reduced); set<i32>(INNER, inner);
  set<i32>(PARTS, parts); set<f32>(FACTOR, factor);
  parallel(SUM_PARTS, outer * parts);
  if (parts > 1) parallel(SUM_AXIS, outer);
}

const FACTOR = 8;

/** One part of one sum; the sum itself where there is only one part. */
export function sumPartsChunk(chunk: i32, thread: i32): void {
  const parts = count(PARTS), reduced = count(REDUCED), inner = count(INNER);
  const o = chunk / parts, part = chunk - o * parts;
  const first = <i32>(<i64>reduced * part / parts), last = <i32>(<i64>reduced * (part + 1) / parts);
  const from = job(A) + bytes((o * reduced + first) * inner);
  const to = (parts > 1 ? job(PARTIAL) : job(OUT)) + bytes(chunk * inner);
  const factor: f32 = parts > 1 ? 1 : real(FACTOR);
  addRows(from, to, last - first, inner, factor);
}

/** The parts of one sum. */
export function sumAxisChunk(o: i32, thread: i32): void {
  const parts = count(PARTS), inner = count(INNER);
  addRows(
    job(PARTIAL) + bytes(o * parts * inner), job(OUT) + bytes(o * inner), parts, inner,
    real(FACTOR),
  );
}

function addRows(from: usize, to: usize, rows: i32, columns: i32, factor: f32): void {
  if (columns == 1) {
    let s0 = f32x4.splat(0), s1 = s0, r = 0, tail: f32 = 0;
    for (; r + 8 <= rows; r += 8, from += 32) {
      s0 = f32x4.add(s0, v128.load(from));
      s1 = f32x4.add(s1, v128.load(from, 16));
    }
    for (; r < rows; r++, from += 4) tail += load<f32>(from);
    store<f32>(to, (total(f32x4.add(s0, s1)) + tail) * factor);
    return;
  }
  const row = bytes(columns), scale = f32x4.splat(factor);
  let c = 0;
  for (; c + 4 <= columns; c += 4) {
    let at = from + bytes(c), s0 = f32x4.splat(0), s1 = s0, r = 0;
    for (; r + 2 <= rows; r += 2, at += 2 * row) {
      s0 = f32x4.add(s0, v128.load(at));
      s1 = f32x4.add(s1, v128.load(at + row));
    }
    if (r < rows) s0 = f32x4.add(s0, v128.load(at));
    v128.store(to + bytes(c), f32x4.mul(f32x4.add(s0, s1), scale));
  }
  for (; c < columns; c++) {
    let sum: f32 = 0, at = from + bytes(c);
    for (let r = 0; r < rows; r++, at += row) sum += load<f32>(at);
    store<f32>(to + bytes(c), sum * factor);
  }
}

/** Rows of out: exp(x − max) / Σ exp(x − max). */
export function softmax(x: usize, out: usize, rows: i32, width: i32): void {
  set<usize>(A, x); set<usize>(OUT, out); set<i32>(ROWS, rows); set<i32>(WIDTH, width);
  parallel(SOFTMAX, over(rows, rowsEach()));
}

export function softmaxChunk(chunk: i32, thread: i32): void {
  const each = rowsEach(), width = count(WIDTH), first = chunk * each;
  const last = min(count(ROWS), first + each);
  for (let r = first; r < last; r++) {
    softmaxRow(job(A) + bytes(r * width), job(OUT) + bytes(r * width), width);
  }
}

function softmaxRow(x: usize, out: usize, width: i32): void {
  // A number that is not one is passed over here and comes back in the sum.
  let h0 = f32x4.splat(-f32.MAX_VALUE), h1 = h0, i = 0;
  for (; i + 8 <= width; i += 8) {
    h0 = f32x4.pmax(h0, v128.load(x + bytes(i)));
    h1 = f32x4.pmax(h1, v128.load(x + bytes(i), 16));
  }
  for (; i < width; i++) h0 = f32x4.pmax(h0, v128.load32_splat(x + bytes(i)));
  h0 = f32x4.pmax(h0, h1);
  h0 = f32x4.pmax(h0, v128.shuffle<f32>(h0, h0, 2, 3, 0, 1));
  const top = f32x4.pmax(h0, v128.shuffle<f32>(h0, h0, 1, 0, 3, 2));
  let s0 = f32x4.splat(0), s1 = s0, tail: f32 = 0;
  for (i = 0; i + 8 <= width; i += 8) {
    const e0 = exp4(f32x4.sub(v128.load(x + bytes(i)), top));
    const e1 = exp4(f32x4.sub(v128.load(x + bytes(i), 16), top));
    v128.store(out + bytes(i), e0);
    v128.store(out + bytes(i), e1, 16);
    s0 = f32x4.add(s0, e0);
    s1 = f32x4.add(s1, e1);
  }
  for (; i < width; i++) {
    const e = f32x4.extract_lane(exp4(f32x4.sub(v128.load32_splat(x + bytes(i)), top)), 0);
    store<f32>(out + bytes(i), e);
    tail += e;
  }
  const factor: f32 = 1 / (total(f32x4.add(s0, s1)) + tail), scale = f32x4.splat(factor);
  for (i = 0; i + 4 <= width; i += 4) {
    v128.store(out + bytes(i), f32x4.mul(v128.load(out + bytes(i)), scale));
  }
  for (; i < width; i++) store<f32>(out + bytes(i), load<f32>(out + bytes(i)) * factor);
}

/** dx = y · (dy − Σ dy · y) a row: the gradient of softmax from its result. */
export function softmaxGrad(dy: usize, y: usize, dx: usize, rows: i32, width: i32): void {
  set<usize>(A, dy); set<usize>(B, y); set<usize>(OUT, dx);
  set<i32>(ROWS, rows); set<i32>(WIDTH, width);
  parallel(SOFTMAX_GRAD, over(rows, rowsEach()));
}

export function softmaxGradChunk(chunk: i32, thread: i32): void {
  const each = rowsEach(), width = count(WIDTH), first = chunk * each;
  const last = min(count(ROWS), first + each);
  for (let r = first; r < last; r++) {
    const at = bytes(r * width), dy = job(A) + at, y = job(B) + at, dx = job(OUT) + at;
    let s0 = f32x4.splat(0), s1 = s0, i = 0, tail: f32 = 0;
    for (; i + 8 <= width; i += 8) {
      s0 = madd(v128.load(dy + bytes(i)), v128.load(y + bytes(i)), s0);
      s1 = madd(v128.load(dy + bytes(i), 16), v128.load(y + bytes(i), 16), s1);
    }
    for (; i < width; i++) tail += load<f32>(dy + bytes(i)) * load<f32>(y + bytes(i));
    const sum: f32 = total(f32x4.add(s0, s1)) + tail, all = f32x4.splat(sum);
    for (i = 0; i + 4 <= width; i += 4) {
      const d = f32x4.sub(v128.load(dy + bytes(i)), all);
      v128.store(dx + bytes(i), f32x4.mul(v128.load(y + bytes(i)), d));
    }
    for (; i < width; i++) {
      store<f32>(dx + bytes(i), load<f32>(y + bytes(i)) * (load<f32>(dy + bytes(i)) - sum));
    }
  }
}

/**
 * exp(x) for x ≤ 0 to a unit in the last place: 2^n · e^r with n = round(x / ln 2), |r| ≤ ln 2 / 2.
 * Below −87 it is 0; NaN stays.
 */
@inline function exp4(x: v128): v128 {
  // Adding 1.5 · 2^23 rounds to an integer, which then stands in the low bits.
  const t = madd(x, f32x4.splat(1.44269504), f32x4.splat(12582912));
  const n = f32x4.sub(t, f32x4.splat(12582912));
  // ln 2 in two parts, the first exact in products with small integers.
  let r = madd(n, f32x4.splat(-0.693359375), x);
  r = madd(n, f32x4.splat(2.12194440e-4), r);
  let p = f32x4.splat(1.9875691500e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(f32x4.mul(p, r), r, r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(t, i32x4.splat(127)), 23);
  const value = f32x4.mul(p, power);
  const tiny = f32x4.lt(x, f32x4.splat(-87));
  return v128.andnot(value, tiny);
}
