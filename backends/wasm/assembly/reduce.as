// Sums: of squares, of absolute differences, over rows; and the small matrix-vector products of
// spectral norm. Parts have a fixed size and are added in order.
import { count, job, parallel, set } from "./pool";
import { bytes, madd, over, total } from "./vector";
import { DIFFERENCE, ROW_SUM, ROW_SUM_ADD, SQUARES } from "./phases";

const A = 0, B = 1, OUT = 2, SIZE = 3, ROWS = 4, COLUMNS = 5, PARTS = 6, PARTIAL = 7;
const CHUNK: i32 = 16384;

/** Partial sums of squares; the caller adds them up. Gives how many there are. */
export function squaredNorm(x: usize, partial: usize, size: i32): i32 {
  const parts = over(size, CHUNK);
  set<usize>(A, x); set<usize>(PARTIAL, partial); set<i32>(SIZE, size);
  parallel(SQUARES, parts);
  return parts;
}

export function squaresChunk(chunk: i32, thread: i32): void {
  const last = min(count(SIZE), (chunk + 1) * CHUNK);
  let s0 = f32x4.splat(0), s1 = s0, i = chunk * CHUNK, tail: f32 = 0;
  for (; i + 8 <= last; i += 8) {
    const at = job(A) + bytes(i), a = v128.load(at), b = v128.load(at, 16);
    s0 = madd(a, a, s0);
    s1 = madd(b, b, s1);
  }
  for (; i < last; i++) {
    const a = load<f32>(job(A) + bytes(i));
    tail += a * a;
  }
  store<f32>(job(PARTIAL) + bytes(chunk), total(f32x4.add(s0, s1)) + tail);
}

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

/** out[c] = Σ_r x[r, c], by way of `parts` partial rows. */
export function rowSum(
  x: usize, partial: usize, out: usize, rows: i32, columns: i32, parts: i32,
): void {
  set<usize>(A, x); set<usize>(PARTIAL, partial); set<usize>(OUT, out);
  set<i32>(ROWS, rows); set<i32>(COLUMNS, columns); set<i32>(PARTS, parts);
  parallel(ROW_SUM, parts);
  parallel(ROW_SUM_ADD, 1);
}

export function rowSumChunk(chunk: i32, thread: i32): void {
  const rows = count(ROWS), columns = count(COLUMNS), each = over(rows, count(PARTS));
  const first = chunk * each;
  addRows(
    job(A) + bytes(first * columns), job(PARTIAL) + bytes(chunk * columns),
    min(rows, first + each) - first, columns,
  );
}

export function rowSumAdd(chunk: i32, thread: i32): void {
  addRows(job(PARTIAL), job(OUT), count(PARTS), count(COLUMNS));
}

function addRows(from: usize, to: usize, rows: i32, columns: i32): void {
  const row = bytes(columns);
  let c = 0;
  for (; c + 4 <= columns; c += 4) {
    let at = from + bytes(c), s0 = f32x4.splat(0), s1 = s0, r = 0;
    for (; r + 2 <= rows; r += 2, at += 2 * row) {
      s0 = f32x4.add(s0, v128.load(at));
      s1 = f32x4.add(s1, v128.load(at + row));
    }
    if (r < rows) s0 = f32x4.add(s0, v128.load(at));
    v128.store(to + bytes(c), f32x4.add(s0, s1));
  }
  for (; c < columns; c++) {
    let sum: f32 = 0;
    for (let r = 0; r < rows; r++) sum += load<f32>(from + bytes(c) + <usize>r * row);
    store<f32>(to + bytes(c), sum);
  }
}

/** out[k] = Σ_o w[k, o] · u[o] */
export function matrixVector(w: usize, u: usize, out: usize, rows: i32, columns: i32): void {
  for (let k = 0; k < rows; k++) {
    let at = w + bytes(k * columns), o = 0, sum = f32x4.splat(0), tail: f32 = 0;
    for (; o + 4 <= columns; o += 4) sum = madd(v128.load(at + bytes(o)), v128.load(u + bytes(o)), sum);
    for (; o < columns; o++) tail += load<f32>(at + bytes(o)) * load<f32>(u + bytes(o));
    store<f32>(out + bytes(k), total(sum) + tail);
  }
}

/** out[o] = Σ_k v[k] · w[k, o] */
export function vectorMatrix(w: usize, v: usize, out: usize, rows: i32, columns: i32): void {
  memory.fill(out, 0, bytes(columns));
  for (let k = 0; k < rows; k++) {
    const factor = load<f32>(v + bytes(k)), at = w + bytes(k * columns);
    const all = f32x4.splat(factor);
    let o = 0;
    for (; o + 4 <= columns; o += 4) {
      const to = out + bytes(o);
      v128.store(to, madd(v128.load(at + bytes(o)), all, v128.load(to)));
    }
    for (; o < columns; o++) {
      const to = out + bytes(o);
      store<f32>(to, load<f32>(to) + load<f32>(at + bytes(o)) * factor);
    }
  }
}

/** x ← x / max(‖x‖, floor); gives ‖x‖. */
export function normalise(x: usize, size: i32, floor: f32): f32 {
  let sum: f64 = 0;
  for (let i = 0; i < size; i++) {
    const a = <f64>load<f32>(x + bytes(i));
    sum += a * a;
  }
  const norm = <f32>sqrt<f64>(sum), factor: f32 = 1 / max<f32>(norm, floor);
  for (let i = 0; i < size; i++) store<f32>(x + bytes(i), load<f32>(x + bytes(i)) * factor);
  return norm;
}

/** out = x · factor */
export function scaleBy(x: usize, out: usize, size: i32, factor: f32): void {
  const all = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    v128.store(out + bytes(i), f32x4.mul(v128.load(x + bytes(i)), all));
  }
  for (; i < size; i++) store<f32>(out + bytes(i), load<f32>(x + bytes(i)) * factor);
}

/** Σ a · b, in double precision. */
export function dotProduct(a: usize, b: usize, size: i32): f64 {
  let sum: f64 = 0, s0 = f64x2.splat(0), s1 = s0, i = 0;
  for (; i + 4 <= size; i += 4) {
    const product = f32x4.mul(v128.load(a + bytes(i)), v128.load(b + bytes(i)));
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(product));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(i8x16.shuffle(
      product, product, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15,
    )));
  }
  for (; i < size; i++) sum += <f64>load<f32>(a + bytes(i)) * <f64>load<f32>(b + bytes(i));
  const s = f64x2.add(s0, s1);
  return sum + f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

/** dw[k, o] = (dy[k, o] − along · v[k] · u[o]) · factor */
export function spectralGrad(
  dy: usize, u: usize, v: usize, dw: usize, rows: i32, columns: i32, along: f32, factor: f32,
): void {
  const scale = f32x4.splat(factor);
  for (let k = 0; k < rows; k++) {
    const at = bytes(k * columns), weight: f32 = along * load<f32>(v + bytes(k));
    const all = f32x4.splat(weight);
    let o = 0;
    for (; o + 4 <= columns; o += 4) {
      const d = f32x4.sub(v128.load(dy + at + bytes(o)), f32x4.mul(all, v128.load(u + bytes(o))));
      v128.store(dw + at + bytes(o), f32x4.mul(d, scale));
    }
    for (; o < columns; o++) {
      const d: f32 = load<f32>(dy + at + bytes(o)) - weight * load<f32>(u + bytes(o));
      store<f32>(dw + at + bytes(o), d * factor);
    }
  }
}
