// Matrix products y[b] = a[b] · b[b], either side transposed. The right side is packed in panels of
// eight columns; rows of the left side are read where they lie, a transposed one is turned
// block by block.
import { count, frameOf, job, parallel, set } from "./pool";
import { rowTiles } from "./tiles";
import {
  ADD, bytes, madd, over, setPlain, setTiles, turnFour,
} from "./vector";
import { MATRIX_COLUMNS, MATRIX_FEW, MATRIX_PACK, MATRIX_ROWS } from "./phases";

const A = 0, B = 1, Y = 2, PACKED = 3, SCRATCH = 4;
const ROWS = 5, COLUMNS = 6, INNER = 7, STRIDE_A = 8, STRIDE_B = 9, TRANSPOSED_B = 10;
const EACH = 11, PANELS = 12;

/** Bytes of scratch a thread: a block of a transposed left side, and a tile. */
const THREAD_BYTES: usize = 18432 + 192;
/** Rows of y and depth of that block. */
const ACROSS: i32 = 48;
const DEEP: i32 = 96;
/** Columns a chunk where there are only a few rows. */
const FEW_COLUMNS: i32 = 128;

/**
 * `strideA` and `strideB` are bytes between batches (0: the same for all). `each` rows and
 * `panels` panels are one chunk; `each` 0 is for a few rows against an untransposed right side.
 */
export function matrixProduct(
  a: usize, b: usize, y: usize, packed: usize, scratch: usize,
  batch: i32, rows: i32, columns: i32, inner: i32, strideA: usize, strideB: usize,
  transposedA: i32, transposedB: i32, each: i32, panels: i32,
): void {
  set<usize>(A, a); set<usize>(B, b); set<usize>(Y, y);
  set<usize>(PACKED, packed); set<usize>(SCRATCH, scratch);
  set<i32>(ROWS, rows); set<i32>(COLUMNS, columns); set<i32>(INNER, inner);
  set<usize>(STRIDE_A, strideA); set<usize>(STRIDE_B, strideB);
  set<i32>(TRANSPOSED_B, transposedB); set<i32>(EACH, each); set<i32>(PANELS, panels);
  if (each == 0) {
    parallel(MATRIX_FEW, batch * over(columns, FEW_COLUMNS));
    return;
  }
  const all = over(columns, 8), groups = over(all, panels);
  parallel(MATRIX_PACK, (strideB ? batch : 1) * all);
  if (transposedA) parallel(MATRIX_COLUMNS, batch * over(rows, ACROSS) * groups);
  else parallel(MATRIX_ROWS, batch * over(rows, each) * groups);
}

/** One panel of the right side: [inner][8], zeros where there is no column. */
export function matrixPack(chunk: i32, thread: i32): void {
  const columns = count(COLUMNS), inner = count(INNER), all = over(columns, 8);
  const image = chunk / all, panel = chunk - image * all, wide = min(8, columns - 8 * panel);
  let to = job(PACKED) + bytes(chunk * 8 * inner);
  if (!count(TRANSPOSED_B)) {
    let from = job(B) + <usize>image * job(STRIDE_B) + bytes(8 * panel);
    for (let k = 0; k < inner; k++, from += bytes(columns), to += 32) {
      if (wide == 8) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
      } else {
        for (let j = 0; j < 8; j++) {
          store<f32>(to + bytes(j), j < wide ? load<f32>(from + bytes(j)) : 0);
        }
      }
    }
    return;
  }
  const stride = bytes(inner), from = job(B) + <usize>image * job(STRIDE_B) + bytes(8 * panel * inner);
  let k = 0;
  if (wide == 8) {
    for (; k + 4 <= inner; k += 4, to += 128) {
      turnFour(from + bytes(k), stride, to, 32);
      turnFour(from + bytes(k) + 4 * stride, stride, to + 16, 32);
    }
  }
  for (; k < inner; k++, to += 32) {
    for (let j = 0; j < 8; j++) {
      store<f32>(to + bytes(j), j < wide ? load<f32>(from + bytes(k) + <usize>j * stride) : 0);
    }
  }
}

/** Some rows times some panels. */
export function matrixRows(chunk: i32, thread: i32): void {
  const rows = count(ROWS), columns = count(COLUMNS), inner = count(INNER), each = count(EACH);
  const all = over(columns, 8), panels = count(PANELS), groups = over(all, panels);
  const blocks = over(rows, each), group = chunk % groups, image = chunk / (groups * blocks);
  const first = (chunk / groups) % blocks * each, last = min(rows, first + each);
  const a = job(A) + <usize>image * job(STRIDE_A), y = job(Y) + bytes(image * rows * columns);
  const packed = job(PACKED) + (job(STRIDE_B) ? bytes(image * all * 8 * inner) : 0);
  const frame = frameOf(thread), tile = job(SCRATCH) + <usize>thread * THREAD_BYTES;
  const lda = bytes(inner), ldc = bytes(columns), deep = max(1, 16384 / (24 * inner)) * 6;
  setPlain(frame, inner, lda, 0);
  for (let block = first; block < last; block += deep) {
    const end = min(last, block + deep);
    for (let panel = group * panels; panel < min(all, (group + 1) * panels); panel++) {
      multiplyPanel(
        frame, tile, a + <usize>block * lda, lda, packed + bytes(8 * panel * inner),
        y + bytes(block * columns + 8 * panel), ldc, end - block, min(8, columns - 8 * panel),
        false,
      );
    }
  }
}

/** Some rows times one panel; what is not six rows and eight columns goes through `tile`. */
function multiplyPanel(
  frame: usize, tile: usize, a: usize, lda: usize, b: usize, c: usize, ldc: usize,
  rows: i32, columns: i32, add: bool,
): void {
  const whole = columns == 8 ? rows / 6 : 0;
  if (whole > 0) {
    setTiles(frame, a, b, c, ldc, whole);
    rowTiles(frame);
  }
  for (let i = 6 * whole; i < rows; i += 6) {
    const to = c + <usize>i * ldc, tall = min(6, rows - i);
    if (add) copyTile(to, ldc, tile, 32, tall, columns);
    setTiles(frame, a + <usize>i * lda, b, tile, 32, 1);
    rowTiles(frame);
    copyTile(tile, 32, to, ldc, tall, columns);
  }
}

function copyTile(from: usize, next: usize, to: usize, into: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++, from += next, to += into) {
    if (columns == 8) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    } else {
      for (let c = 0; c < columns; c++) store<f32>(to + bytes(c), load<f32>(from + bytes(c)));
    }
  }
}

/** Some rows of y where the left side is transposed, times some panels. */
export function matrixColumns(chunk: i32, thread: i32): void {
  const rows = count(ROWS), columns = count(COLUMNS), inner = count(INNER);
  const all = over(columns, 8), panels = count(PANELS), groups = over(all, panels);
  const blocks = over(rows, ACROSS), group = chunk % groups, image = chunk / (groups * blocks);
  const first = (chunk / groups) % blocks * ACROSS, high = min(ACROSS, rows - first);
  const a = job(A) + <usize>image * job(STRIDE_A) + bytes(first);
  const y = job(Y) + bytes((image * rows + first) * columns);
  const packed = job(PACKED) + (job(STRIDE_B) ? bytes(image * all * 8 * inner) : 0);
  const left = job(SCRATCH) + <usize>thread * THREAD_BYTES, tile = left + 18432;
  const ldc = bytes(columns), frame = frameOf(thread), line = bytes(DEEP);
  const start = group * panels, end = min(all, start + panels);
  for (let k0 = 0; k0 < inner; k0 += DEEP) {
    const depth = min(DEEP, inner - k0);
    turnBlock(a + bytes(k0 * rows), bytes(rows), high, depth, left);
    setPlain(frame, depth, line, k0 > 0 ? ADD : 0);
    for (let panel = start; panel < end; panel++) {
      multiplyPanel(
        frame, tile, left, line, packed + bytes(8 * (panel * inner + k0)),
        y + 32 * <usize>panel, ldc, high, min(8, columns - 8 * panel), k0 > 0,
      );
    }
  }
}

/** Rows of a transposed matrix from `depth` of its columns: `DEEP` numbers apart. */
function turnBlock(from: usize, stride: usize, rows: i32, depth: i32, to: usize): void {
  const line = bytes(DEEP);
  for (let k = 0; k < depth; k += 4, from += 4 * stride, to += 16) {
    let i = 0;
    if (k + 4 <= depth) {
      for (; i + 4 <= rows; i += 4) turnFour(from + bytes(i), stride, to + <usize>i * line, line);
    }
    for (; i < rows; i++) {
      for (let j = 0; j < min(4, depth - k); j++) {
        store<f32>(
          to + <usize>i * line + bytes(j), load<f32>(from + bytes(i) + <usize>j * stride),
        );
      }
    }
  }
}

/** A few rows: each is a sum of rows of the right side, which are read as they lie. */
export function matrixFew(chunk: i32, thread: i32): void {
  const rows = count(ROWS), columns = count(COLUMNS), inner = count(INNER);
  const parts = over(columns, FEW_COLUMNS), image = chunk / parts;
  const first = (chunk - image * parts) * FEW_COLUMNS, last = min(columns, first + FEW_COLUMNS);
  const a = job(A) + <usize>image * job(STRIDE_A), b = job(B) + <usize>image * job(STRIDE_B);
  const y = job(Y) + bytes(image * rows * columns), next = bytes(columns);
  for (let i = 0; i < rows; i++) {
    const row = a + bytes(i * inner), to = y + bytes(i * columns);
    let c = first;
    for (; c + 16 <= last; c += 16) {
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, at = b + bytes(c);
      for (let k = 0; k < inner; k++, at += next) {
        const x = v128.load32_splat(row + bytes(k));
        s0 = madd(x, v128.load(at), s0);
        s1 = madd(x, v128.load(at, 16), s1);
        s2 = madd(x, v128.load(at, 32), s2);
        s3 = madd(x, v128.load(at, 48), s3);
      }
      v128.store(to + bytes(c), s0);
      v128.store(to + bytes(c), s1, 16);
      v128.store(to + bytes(c), s2, 32);
      v128.store(to + bytes(c), s3, 48);
    }
    for (; c < last; c++) {
      let sum: f32 = 0, at = b + bytes(c);
      for (let k = 0; k < inner; k++, at += next) sum += load<f32>(row + bytes(k)) * load<f32>(at);
      store<f32>(to + bytes(c), sum);
    }
  }
}
