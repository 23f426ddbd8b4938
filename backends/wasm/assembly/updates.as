// Updates of all parameters at once. Tensors are cut into runs of at most a chunk; a table has one
// row a run: its addresses and how many numbers it has.
import { count, job, parallel, real, set } from "./pool";
import { bytes, madd, total } from "./vector";
import { ADAM, ADAM_MOMENTUM, AVERAGE, SQUARES } from "./phases";

const TABLE = 0, RATE = 1, KEEP = 2, TAKE = 3, EPSILON = 4, ROOT = 5, STAY = 6, PARTIAL = 7;
const KEEP1 = 8, TAKE1 = 9;

/** Cell i of a row of so many cells. */
@inline function cell(row: i32, cells: i32, i: i32): usize {
  return load<usize>(job(TABLE) + bytes(row * cells + i));
}

/**
 * Adam without a first moment: second ← keep · second + take · g², then
 * p ← p − rate · g / (√second · root + epsilon). Where the number at `finite` is not above 0 both
 * stay as they are. Rows: parameter, gradient, second, moved, second2, length.
 */
export function adamUpdates(
  table: usize, rows: i32, finite: usize, rate: f32, keep: f32, take: f32, epsilon: f32, root: f32,
): void {
  set<usize>(TABLE, table); set<f32>(RATE, rate); set<f32>(KEEP, keep); set<f32>(TAKE, take);
  set<f32>(EPSILON, epsilon); set<f32>(ROOT, root);
  set<i32>(STAY, load<f32>(finite) > 0 ? 0 : 1);
  parallel(ADAM, rows);
}

export function adamRun(row: i32, thread: i32): void {
  const p = cell(row, 6, 0), gradient = cell(row, 6, 1), second = cell(row, 6, 2);
  const moved = cell(row, 6, 3), second2 = cell(row, 6, 4), size = <i32>cell(row, 6, 5);
  if (count(STAY)) {
    memory.copy(moved, p, bytes(size));
    memory.copy(second2, second, bytes(size));
    return;
  }
  const rate = real(RATE), keep = real(KEEP), take = real(TAKE), root = real(ROOT);
  const epsilon = real(EPSILON);
  const keeps = f32x4.splat(keep), takes = f32x4.splat(take), step = f32x4.splat(rate);
  const scale = f32x4.splat(root), floor = f32x4.splat(epsilon);
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    const at = bytes(i), g = v128.load(gradient + at);
    const v = madd(f32x4.mul(g, g), takes, f32x4.mul(v128.load(second + at), keeps));
    v128.store(second2 + at, v);
    const below = madd(f32x4.sqrt(v), scale, floor);
    const change = f32x4.div(f32x4.mul(g, step), below);
    v128.store(moved + at, f32x4.sub(v128.load(p + at), change));
  }
  for (; i < size; i++) {
    const at = bytes(i), g = load<f32>(gradient + at);
    const v: f32 = load<f32>(second + at) * keep + g * g * take;
    store<f32>(second2 + at, v);
    store<f32>(moved + at, load<f32>(p + at) - g * rate / (sqrt<f32>(v) * root + epsilon));
  }
}

/**
 * The same with a first moment: first ← keep1 · first + take1 · g, which stands in for g. Rows:
 * parameter, gradient, second, first, moved, second2, first2, length.
 */
export function adamMomentumUpdates(
  table: usize, rows: i32, finite: usize, rate: f32, keep: f32, take: f32, epsilon: f32, root: f32,
  keep1: f32, take1: f32,
): void {
  set<usize>(TABLE, table); set<f32>(RATE, rate); set<f32>(KEEP, keep); set<f32>(TAKE, take);
  set<f32>(EPSILON, epsilon); set<f32>(ROOT, root); set<f32>(KEEP1, keep1); set<f32>(TAKE1, take1);
  set<i32>(STAY, load<f32>(finite) > 0 ? 0 : 1);
  parallel(ADAM_MOMENTUM, rows);
}

export function adamMomentumRun(row: i32, thread: i32): void {
  const p = cell(row, 8, 0), gradient = cell(row, 8, 1);
  const second = cell(row, 8, 2), first = cell(row, 8, 3);
  const moved = cell(row, 8, 4), second2 = cell(row, 8, 5), first2 = cell(row, 8, 6);
  const size = <i32>cell(row, 8, 7);
  if (count(STAY)) {
    memory.copy(moved, p, bytes(size));
    memory.copy(second2, second, bytes(size));
    memory.copy(first2, first, bytes(size));
    return;
  }
  const rate = real(RATE), keep = real(KEEP), take = real(TAKE), root = real(ROOT);
  const epsilon = real(EPSILON), keep1 = real(KEEP1), take1 = real(TAKE1);
  const keeps = f32x4.splat(keep), takes = f32x4.splat(take), step = f32x4.splat(rate);
  const keeps1 = f32x4.splat(keep1), takes1 = f32x4.splat(take1);
  const scale = f32x4.splat(root), floor = f32x4.splat(epsilon);
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    const at = bytes(i), g = v128.load(gradient + at);
    const v = madd(f32x4.mul(g, g), takes, f32x4.mul(v128.load(second + at), keeps));
    const m = madd(g, takes1, f32x4.mul(v128.load(first + at), keeps1));
    v128.store(second2 + at, v);
    v128.store(first2 + at, m);
    const below = madd(f32x4.sqrt(v), scale, floor);
    const change = f32x4.div(f32x4.mul(m, step), below);
    v128.store(moved + at, f32x4.sub(v128.load(p + at), change));
  }
  for (; i < size; i++) {
    const at = bytes(i), g = load<f32>(gradient + at);
    const v: f32 = load<f32>(second + at) * keep + g * g * take;
    const m: f32 = load<f32>(first + at) * keep1 + g * take1;
    store<f32>(second2 + at, v);
    store<f32>(first2 + at, m);
    store<f32>(moved + at, load<f32>(p + at) - m * rate / (sqrt<f32>(v) * root + epsilon));
  }
}

/** keep · average + take · value. Rows: average, value, out, length. */
export function exponentialAverages(table: usize, rows: i32, keep: f32, take: f32): void {
  set<usize>(TABLE, table); set<f32>(KEEP, keep); set<f32>(TAKE, take);
  parallel(AVERAGE, rows);
}

export function averageRun(row: i32, thread: i32): void {
  const average = cell(row, 4, 0), value = cell(row, 4, 1), out = cell(row, 4, 2);
  const size = <i32>cell(row, 4, 3), some = real(KEEP), rest = real(TAKE);
  const keep = f32x4.splat(some), take = f32x4.splat(rest);
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    const at = bytes(i), old = f32x4.mul(v128.load(average + at), keep);
    v128.store(out + at, madd(v128.load(value + at), take, old));
  }
  for (; i < size; i++) {
    const at = bytes(i);
    store<f32>(out + at, load<f32>(average + at) * some + load<f32>(value + at) * rest);
  }
}

/** Sums of squares, one a row: the caller adds them up. Rows: x, length. */
export function squaredNorms(table: usize, rows: i32, partial: usize): void {
  set<usize>(TABLE, table); set<usize>(PARTIAL, partial);
  parallel(SQUARES, rows);
}

export function squaresRun(row: i32, thread: i32): void {
  const x = cell(row, 2, 0), size = <i32>cell(row, 2, 1);
  let s0 = f32x4.splat(0), s1 = s0, i = 0, tail: f32 = 0;
  for (; i + 8 <= size; i += 8) {
    const at = x + bytes(i), a = v128.load(at), b = v128.load(at, 16);
    s0 = madd(a, a, s0);
    s1 = madd(b, b, s1);
  }
  for (; i < size; i++) {
    const a = load<f32>(x + bytes(i));
    tail += a * a;
  }
  store<f32>(job(PARTIAL) + bytes(row), total(f32x4.add(s0, s1)) + tail);
}
