// Spectral norm of the matrices W [rows, columns] of a network, one column an output: power
// iterations, W / σ with its v and σ, and the gradient. A table has one row a matrix; a thread does
// a whole one, which then stays in its cache.
import { count, job, parallel, real, set } from "./pool";
import { bytes, madd, total } from "./vector";
import { POWER, SPECTRAL, SPECTRAL_GRAD } from "./phases";

const TABLE = 0, ITERATIONS = 1, FLOOR = 2;

/** Cell i of a row of so many cells. */
@inline function cell(row: i32, cells: i32, i: i32): usize {
  return load<usize>(job(TABLE) + bytes(row * cells + i));
}

/** out [rows] = W · u */
function matrixVector(w: usize, u: usize, out: usize, rows: i32, columns: i32): void {
  for (let k = 0; k < rows; k++, w += bytes(columns)) {
    let o = 0, s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, tail: f32 = 0;
    for (; o + 16 <= columns; o += 16) {
      const a = w + bytes(o), b = u + bytes(o);
      s0 = madd(v128.load(a), v128.load(b), s0);
      s1 = madd(v128.load(a, 16), v128.load(b, 16), s1);
      s2 = madd(v128.load(a, 32), v128.load(b, 32), s2);
      s3 = madd(v128.load(a, 48), v128.load(b, 48), s3);
    }
    for (; o < columns; o++) tail += load<f32>(w + bytes(o)) * load<f32>(u + bytes(o));
    store<f32>(out + bytes(k), total(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))) + tail);
  }
}

/** out [columns] = Wᵀ · v: four rows at a time are added to what is there. */
function vectorMatrix(w: usize, v: usize, out: usize, rows: i32, columns: i32): void {
  const next = bytes(columns);
  memory.fill(out, 0, next);
  for (let k = 0; k < rows; k += 4, w += 4 * next) {
    // Rows that are not there count nothing: the last one is read again.
    const left = rows - k - 1, some = v + bytes(k);
    const w1 = w + <usize>min(1, left) * next, w2 = w + <usize>min(2, left) * next;
    const w3 = w + <usize>min(3, left) * next;
    const f0 = load<f32>(some), f1: f32 = left < 1 ? 0 : load<f32>(some, 4);
    const f2: f32 = left < 2 ? 0 : load<f32>(some, 8), f3: f32 = left < 3 ? 0 : load<f32>(some, 12);
    const x0 = f32x4.splat(f0), x1 = f32x4.splat(f1), x2 = f32x4.splat(f2), x3 = f32x4.splat(f3);
    let o = 0;
    for (; o + 8 <= columns; o += 8) {
      const at = bytes(o), to = out + at;
      let a = madd(x0, v128.load(w + at), v128.load(to));
      let b = madd(x0, v128.load(w + at, 16), v128.load(to, 16));
      a = madd(x1, v128.load(w1 + at), a);
      b = madd(x1, v128.load(w1 + at, 16), b);
      a = madd(x2, v128.load(w2 + at), a);
      b = madd(x2, v128.load(w2 + at, 16), b);
      v128.store(to, madd(x3, v128.load(w3 + at), a));
      v128.store(to, madd(x3, v128.load(w3 + at, 16), b), 16);
    }
    for (; o < columns; o++) {
      const at = bytes(o);
      store<f32>(
        out + at,
        load<f32>(out + at) + f0 * load<f32>(w + at) + f1 * load<f32>(w1 + at) +
          f2 * load<f32>(w2 + at) + f3 * load<f32>(w3 + at),
      );
    }
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

/**
 * next ← unit(Wᵀ unit(W u)), so many times. Rows: w, u, next, v (working memory [rows]), rows,
 * columns.
 */
export function powerIterations(table: usize, matrices: i32, iterations: i32, floor: f32): void {
  set<usize>(TABLE, table); set<i32>(ITERATIONS, iterations); set<f32>(FLOOR, floor);
  parallel(POWER, matrices);
}

export function powerMatrix(row: i32, thread: i32): void {
  const w = cell(row, 6, 0), next = cell(row, 6, 2), v = cell(row, 6, 3);
  const rows = <i32>cell(row, 6, 4), columns = <i32>cell(row, 6, 5), floor = real(FLOOR);
  memory.copy(next, cell(row, 6, 1), bytes(columns));
  for (let i = 0; i < count(ITERATIONS); i++) {
    matrixVector(w, next, v, rows, columns);
    normalise(v, rows, floor);
    vectorMatrix(w, v, next, rows, columns);
    normalise(next, columns, floor);
  }
}

/** y = W / σ, v = unit(W u), σ = vᵀ W u. Rows: w, u, y, v, sigma, rows, columns. */
export function spectralNormalizes(table: usize, matrices: i32, floor: f32): void {
  set<usize>(TABLE, table); set<f32>(FLOOR, floor);
  parallel(SPECTRAL, matrices);
}

export function spectralMatrix(row: i32, thread: i32): void {
  const w = cell(row, 7, 0), y = cell(row, 7, 2), v = cell(row, 7, 3);
  const rows = <i32>cell(row, 7, 5), columns = <i32>cell(row, 7, 6), floor = real(FLOOR);
  matrixVector(w, cell(row, 7, 1), v, rows, columns);
  const norm = normalise(v, rows, floor);
  // vᵀ W u, where v is W u over its floored norm; at least the floor, or zeros would become NaN.
  const sigma: f32 = max<f32>(norm * norm / max<f32>(norm, floor), floor);
  store<f32>(cell(row, 7, 4), sigma);
  const size = rows * columns, factor: f32 = 1 / sigma, all = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    v128.store(y + bytes(i), f32x4.mul(v128.load(w + bytes(i)), all));
  }
  for (; i < size; i++) store<f32>(y + bytes(i), load<f32>(w + bytes(i)) * factor);
}

/** dw = (dy − ⟨dy, y⟩ v uᵀ) / σ. Rows: dy, y, u, v, sigma, dw, rows, columns. */
export function spectralGrads(table: usize, matrices: i32): void {
  set<usize>(TABLE, table);
  parallel(SPECTRAL_GRAD, matrices);
}

/** Σ a · b in double precision. */
function along(a: usize, b: usize, size: i32): f64 {
  let sum: f64 = 0, s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0, i = 0;
  for (; i + 8 <= size; i += 8) {
    const x = a + bytes(i), y = b + bytes(i);
    const p = f32x4.mul(v128.load(x), v128.load(y));
    const q = f32x4.mul(v128.load(x, 16), v128.load(y, 16));
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(p));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<f32>(p, p, 2, 3, 2, 3)));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(q));
    s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.shuffle<f32>(q, q, 2, 3, 2, 3)));
  }
  for (; i < size; i++) sum += <f64>load<f32>(a + bytes(i)) * <f64>load<f32>(b + bytes(i));
  const s = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  return sum + f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

export function spectralGradMatrix(row: i32, thread: i32): void {
  const dy = cell(row, 8, 0), u = cell(row, 8, 2), v = cell(row, 8, 3), dw = cell(row, 8, 5);
  const rows = <i32>cell(row, 8, 6), columns = <i32>cell(row, 8, 7);
  const product = <f32>along(dy, cell(row, 8, 1), rows * columns);
  const factor: f32 = 1 / load<f32>(cell(row, 8, 4)), scale = f32x4.splat(factor);
  for (let k = 0; k < rows; k++) {
    const weight: f32 = product * load<f32>(v + bytes(k)), all = f32x4.splat(weight);
    const from = dy + bytes(k * columns), to = dw + bytes(k * columns);
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
