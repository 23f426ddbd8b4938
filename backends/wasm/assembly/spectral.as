// Spectral norm of a matrix W [rows, columns], one column an output: power iterations, W / σ with
// its v and σ, and the gradient. Sums have parts of a fixed size, added in order.
import { count, job, parallel, real, set } from "./pool";
import { bytes, madd, over, total } from "./vector";
import { DOT, MATRIX_VECTOR, SCALE, SPECTRAL_GRAD, VECTOR_MATRIX } from "./phases";

const W = 0, VECTOR = 1, OUT = 2, ROWS = 3, COLUMNS = 4, FACTOR = 5, SIZE = 6;
const DY = 0, Y = 1, U = 7, V = 8, DW = 2, PARTIAL = 9, ALONG = 10;

/** Numbers a chunk; columns a chunk of Wᵀv: a cache line. */
const CHUNK: i32 = 16384;
const LINE: i32 = 16;

@inline function rowsEach(): i32 {
  return max(1, CHUNK / count(COLUMNS));
}

/** out [rows] = W · u */
function matrixVector(w: usize, u: usize, out: usize, rows: i32, columns: i32): void {
  set<usize>(W, w); set<usize>(VECTOR, u); set<usize>(OUT, out);
  set<i32>(ROWS, rows); set<i32>(COLUMNS, columns);
  parallel(MATRIX_VECTOR, over(rows, rowsEach()));
}

export function matrixVectorChunk(chunk: i32, thread: i32): void {
  const columns = count(COLUMNS), each = rowsEach(), last = min(count(ROWS), (chunk + 1) * each);
  const u = job(VECTOR);
  for (let k = chunk * each; k < last; k++) {
    const at = job(W) + bytes(k * columns);
    let o = 0, s0 = f32x4.splat(0), s1 = s0, tail: f32 = 0;
    for (; o + 8 <= columns; o += 8) {
      s0 = madd(v128.load(at + bytes(o)), v128.load(u + bytes(o)), s0);
      s1 = madd(v128.load(at + bytes(o), 16), v128.load(u + bytes(o), 16), s1);
    }
    for (; o < columns; o++) tail += load<f32>(at + bytes(o)) * load<f32>(u + bytes(o));
    store<f32>(job(OUT) + bytes(k), total(f32x4.add(s0, s1)) + tail);
  }
}

/** out [columns] = Wᵀ · v */
function vectorMatrix(w: usize, v: usize, out: usize, rows: i32, columns: i32): void {
  set<usize>(W, w); set<usize>(VECTOR, v); set<usize>(OUT, out);
  set<i32>(ROWS, rows); set<i32>(COLUMNS, columns);
  // A small matrix is one chunk: handing it out would cost more than it.
  const each = rows * columns <= CHUNK ? columns : LINE;
  set<i32>(SIZE, each);
  parallel(VECTOR_MATRIX, over(columns, each));
}

export function vectorMatrixChunk(chunk: i32, thread: i32): void {
  const columns = count(COLUMNS), rows = count(ROWS), each = count(SIZE), next = bytes(columns);
  const last = min(columns, (chunk + 1) * each), v = job(VECTOR);
  let o = chunk * each;
  for (; o + 16 <= last; o += 16) {
    let at = job(W) + bytes(o), s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let k = 0; k < rows; k++, at += next) {
      const x = v128.load32_splat(v + bytes(k));
      s0 = madd(x, v128.load(at), s0);
      s1 = madd(x, v128.load(at, 16), s1);
      s2 = madd(x, v128.load(at, 32), s2);
      s3 = madd(x, v128.load(at, 48), s3);
    }
    const to = job(OUT) + bytes(o);
    v128.store(to, s0);
    v128.store(to, s1, 16);
    v128.store(to, s2, 32);
    v128.store(to, s3, 48);
  }
  for (; o < last; o++) {
    let at = job(W) + bytes(o), sum: f32 = 0;
    for (let k = 0; k < rows; k++, at += next) sum += load<f32>(v + bytes(k)) * load<f32>(at);
    store<f32>(job(OUT) + bytes(o), sum);
  }
}

/** x ← x / max(‖x‖, floor); gives ‖x‖. */
function normalise(x: usize, size: i32, floor: f32): f32 {
  let s0 = f64x2.splat(0), s1 = s0, i = 0, sum: f64 = 0;
  for (; i + 4 <= size; i += 4) {
    const a = v128.load(x + bytes(i));
    const low = f64x2.promote_low_f32x4(a);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(a, a, 2, 3, 2, 3));
    s0 = f64x2.add(s0, f64x2.mul(low, low));
    s1 = f64x2.add(s1, f64x2.mul(high, high));
  }
  for (; i < size; i++) {
    const a = <f64>load<f32>(x + bytes(i));
    sum += a * a;
  }
  const s = f64x2.add(s0, s1);
  sum += f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  const norm = <f32>sqrt<f64>(sum), factor: f32 = 1 / max<f32>(norm, floor);
  const all = f32x4.splat(factor);
  for (i = 0; i + 4 <= size; i += 4) {
    v128.store(x + bytes(i), f32x4.mul(v128.load(x + bytes(i)), all));
  }
  for (; i < size; i++) store<f32>(x + bytes(i), load<f32>(x + bytes(i)) * factor);
  return norm;
}

/** next ← unit(Wᵀ unit(W u)), so many times; v is working memory [rows]. */
export function powerIteration(
  w: usize, u: usize, next: usize, v: usize, rows: i32, columns: i32, iterations: i32, floor: f32,
): void {
  memory.copy(next, u, bytes(columns));
  for (let i = 0; i < iterations; i++) {
    matrixVector(w, next, v, rows, columns);
    normalise(v, rows, floor);
    vectorMatrix(w, v, next, rows, columns);
    normalise(next, columns, floor);
  }
}

/** y = W / σ, v = unit(W u), σ = vᵀ W u. */
export function spectralNormalize(
  w: usize, u: usize, y: usize, v: usize, sigma: usize, rows: i32, columns: i32, floor: f32,
): void {
  matrixVector(w, u, v, rows, columns);
  const norm = normalise(v, rows, floor);
  // vᵀ W u, where v is W u over its floored norm.
  const value: f32 = norm * norm / max<f32>(norm, floor);
  store<f32>(sigma, value);
  set<usize>(W, w); set<usize>(OUT, y); set<i32>(SIZE, rows * columns); set<f32>(FACTOR, 1 / value);
  parallel(SCALE, over(rows * columns, CHUNK));
}

export function scaleChunk(chunk: i32, thread: i32): void {
  const last = min(count(SIZE), (chunk + 1) * CHUNK), factor = real(FACTOR);
  const all = f32x4.splat(factor);
  let i = chunk * CHUNK;
  for (; i + 4 <= last; i += 4) {
    v128.store(job(OUT) + bytes(i), f32x4.mul(v128.load(job(W) + bytes(i)), all));
  }
  for (; i < last; i++) store<f32>(job(OUT) + bytes(i), load<f32>(job(W) + bytes(i)) * factor);
}

/** dw = (dy − ⟨dy, y⟩ v uᵀ) / σ; `partial` has 8 bytes for each 16384 numbers. */
export function spectralNormalizeGrad(
  dy: usize, y: usize, u: usize, v: usize, sigma: usize, dw: usize, partial: usize,
  rows: i32, columns: i32,
): void {
  const size = rows * columns, parts = over(size, CHUNK);
  set<usize>(DY, dy); set<usize>(Y, y); set<usize>(PARTIAL, partial); set<i32>(SIZE, size);
  parallel(DOT, parts);
  let along: f64 = 0;
  for (let i = 0; i < parts; i++) along += load<f64>(partial + (<usize>i << 3));
  set<usize>(U, u); set<usize>(V, v); set<usize>(DW, dw); set<f32>(ALONG, <f32>along);
  set<i32>(ROWS, rows); set<i32>(COLUMNS, columns); set<f32>(FACTOR, 1 / load<f32>(sigma));
  parallel(SPECTRAL_GRAD, over(rows, rowsEach()));
}

/** A part of Σ dy · y, in double precision. */
export function dotChunk(chunk: i32, thread: i32): void {
  const last = min(count(SIZE), (chunk + 1) * CHUNK);
  let sum: f64 = 0, s0 = f64x2.splat(0), s1 = s0, i = chunk * CHUNK;
  for (; i + 4 <= last; i += 4) {
    const product = f32x4.mul(v128.load(job(DY) + bytes(i)), v128.load(job(Y) + bytes(i)));
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(product));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<f32>(product, product, 2, 3, 2, 3)));
  }
  for (; i < last; i++) {
    sum += <f64>load<f32>(job(DY) + bytes(i)) * <f64>load<f32>(job(Y) + bytes(i));
  }
  const s = f64x2.add(s0, s1);
  store<f64>(
    job(PARTIAL) + (<usize>chunk << 3),
    sum + f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1),
  );
}

export function spectralGradChunk(chunk: i32, thread: i32): void {
  const columns = count(COLUMNS), each = rowsEach(), last = min(count(ROWS), (chunk + 1) * each);
  const along = real(ALONG), factor = real(FACTOR), scale = f32x4.splat(factor), u = job(U);
  for (let k = chunk * each; k < last; k++) {
    const weight: f32 = along * load<f32>(job(V) + bytes(k)), all = f32x4.splat(weight);
    const from = job(DY) + bytes(k * columns), to = job(DW) + bytes(k * columns);
    let o = 0;
    for (; o + 4 <= columns; o += 4) {
      const d = f32x4.sub(v128.load(from + bytes(o)), f32x4.mul(all, v128.load(u + bytes(o))));
      v128.store(to + bytes(o), f32x4.mul(d, scale));
    }
    for (; o < columns; o++) {
      const d: f32 = load<f32>(from + bytes(o)) - weight * load<f32>(u + bytes(o));
      store<f32>(to + bytes(o), d * factor);
    }
  }
}
