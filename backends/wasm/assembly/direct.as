// Convolution with k × k filters, stride 1, zero padding (k - 1) / 2, as a matrix product that
// reads the image where it lies: in a zero-bordered NHWC copy, a row of the filter's reach is
// k · channels consecutive numbers.
import { count, frameOf, job, parallel, set } from "./pool";
import { columnTiles, rowTile } from "./tiles";
import {
  bytes, over, ROW_B, ROW_C, ROW_DEPTH, ROW_FLAGS, ROW_JUMP, ROW_LDC, ROW_SEGMENTS, ROW_START,
  turnFour,
} from "./vector";
import { DIRECT, DIRECT_FILTER_GRAD, DIRECT_PREPARE, DIRECT_REDUCE } from "./phases";

const X = 0, PADDED = 1, FILTER = 2, PACKED = 3, BIAS = 4, Y = 5;
const BATCH = 6, HEIGHT = 7, WIDTH = 8, IN = 9, OUT = 10, SIZE = 11;
const ROTATED = 12, FLAGS = 13, PIXELS = 14, PANELS = 15, SCRATCH = 16, PAD_CHUNKS = 17;
const SPLITS = 18, PARTIAL = 19, ROWS = 20;

const PAD_ROWS = 16; // rows of the padded image a chunk
const TILE: usize = 0, START: usize = 192, TABLE: usize = 256; // in a thread's scratch
/** Bytes of scratch a thread; `PIXELS` must stay below (this - TABLE) / 4 - 6. */
export const THREAD_BYTES: usize = 4096;

/** y = x ∗ filter (+ bias), or the input gradient where `rotated`: then x is dy and y is dx. */
export function convolveDirect(
  x: usize, padded: usize, filter: usize, packed: usize, bias: usize, y: usize,
  batch: i32, height: i32, width: i32, inputs: i32, outputs: i32, size: i32,
  rotated: i32, flags: i32, pixels: i32, panels: i32, scratch: usize,
): void {
  set<usize>(X, x); set<usize>(PADDED, size == 1 ? x : padded); set<usize>(FILTER, filter);
  set<usize>(PACKED, packed); set<usize>(BIAS, bias); set<usize>(Y, y);
  set<i32>(BATCH, batch); set<i32>(HEIGHT, height); set<i32>(WIDTH, width);
  set<i32>(IN, inputs); set<i32>(OUT, outputs); set<i32>(SIZE, size);
  set<i32>(ROTATED, rotated); set<i32>(FLAGS, flags); set<i32>(PIXELS, pixels);
  set<i32>(PANELS, panels); set<usize>(SCRATCH, scratch);
  const padChunks = size == 1 ? 0 : over(batch * (height + size - 1), PAD_ROWS);
  set<i32>(PAD_CHUNKS, padChunks);
  const all = over(outputs, 8);
  parallel(DIRECT_PREPARE, padChunks + all);
  parallel(DIRECT, over(batch * height * width, pixels) * over(all, panels));
}

/** Pads some rows, or packs one panel of eight filters. */
export function directPrepare(chunk: i32, thread: i32): void {
  const padChunks = count(PAD_CHUNKS);
  if (chunk < padChunks) padRows(chunk);
  else if (count(ROTATED)) packRotated(chunk - padChunks);
  else packFilters(chunk - padChunks);
}

function padRows(chunk: i32): void {
  const size = count(SIZE), edge = (size - 1) >> 1, height = count(HEIGHT);
  const pixel = bytes(count(IN)), row = pixel * count(WIDTH), paddedRow = row + pixel * (size - 1);
  const paddedHeight = height + size - 1, all = count(BATCH) * paddedHeight;
  const last = min((chunk + 1) * PAD_ROWS, all);
  for (let r = chunk * PAD_ROWS; r < last; r++) {
    const image = r / paddedHeight, y = r - image * paddedHeight - edge;
    const to = job(PADDED) + <usize>r * paddedRow;
    if (y < 0 || y >= height) {
      memory.fill(to, 0, paddedRow);
    } else {
      const left = pixel * edge;
      memory.fill(to, 0, left);
      memory.copy(to + left, job(X) + <usize>(image * height + y) * row, row);
      memory.fill(to + left + row, 0, left);
    }
  }
}

/** [K, out] to [K, 8] for outputs 8 · panel …, zeros where there are none. */
function packFilters(panel: i32): void {
  const outputs = count(OUT), depth = count(SIZE) * count(SIZE) * count(IN);
  const columns = min(8, outputs - 8 * panel);
  let from = job(FILTER) + bytes(8 * panel), to = job(PACKED) + bytes(8 * panel * depth);
  for (let k = 0; k < depth; k++) {
    if (columns == 8) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    } else {
      for (let j = 0; j < 8; j++) {
        store<f32>(to + bytes(j), j < columns ? load<f32>(from + bytes(j)) : 0);
      }
    }
    from += bytes(outputs);
    to += 32;
  }
}

/** Taps rotated by half a turn, inputs and outputs swapped: [t, c, n] to [T - 1 - t, n, 8 c]. */
function packRotated(panel: i32): void {
  // Here OUT counts the channels of dx (the filter's inputs) and IN those of dy.
  const channels = count(OUT), depth = count(IN), taps = count(SIZE) * count(SIZE);
  const columns = min(8, channels - 8 * panel), stride = bytes(depth);
  let to = job(PACKED) + bytes(8 * panel * taps * depth);
  for (let t = taps - 1; t >= 0; t--) {
    const from = job(FILTER) + bytes((t * channels + 8 * panel) * depth);
    let n = 0;
    if (columns == 8) {
      for (; n + 4 <= depth; n += 4) {
        turnFour(from + bytes(n), stride, to + bytes(8 * n), 32);
        turnFour(from + bytes(n) + 4 * stride, stride, to + bytes(8 * n) + 16, 32);
      }
    }
    for (; n < depth; n++) {
      for (let j = 0; j < 8; j++) {
        store<f32>(
          to + bytes(8 * n + j),
          j < columns ? load<f32>(from + bytes(n) + <usize>j * stride) : 0,
        );
      }
    }
    to += 32 * <usize>depth;
  }
}

/** Some pixels times some panels of filters. */
export function direct(chunk: i32, thread: i32): void {
  const outputs = count(OUT), inputs = count(IN), size = count(SIZE), flags = count(FLAGS);
  const height = count(HEIGHT), width = count(WIDTH), bias = job(BIAS), y = job(Y);
  const all = over(outputs, 8), each = count(PANELS), groups = over(all, each);
  const group = chunk % groups, first = (chunk / groups) * count(PIXELS);
  const last = min(first + count(PIXELS), count(BATCH) * height * width);
  const scratch = job(SCRATCH) + <usize>thread * THREAD_BYTES;
  const tile = scratch + TILE, pixel = bytes(inputs), ldc = bytes(outputs);
  const rowBytes = pixel * (width + size - 1), reach = pixel * size;
  fillTable(scratch + TABLE, first, last - first + 6);
  const depth = size * size * inputs, frame = frameOf(thread);
  store<i32>(frame, size * inputs, ROW_DEPTH);
  store<i32>(frame, size, ROW_SEGMENTS);
  store<usize>(frame, rowBytes - reach, ROW_JUMP);
  store<i32>(frame, flags, ROW_FLAGS);
  for (let panel = group * each; panel < min(all, (group + 1) * each); panel++) {
    const columns = min(8, outputs - 8 * panel);
    const packed = job(PACKED) + bytes(8 * panel * depth);
    let start: usize = 0;
    if (bias) {
      start = bias + bytes(8 * panel);
      if (columns < 8) {
        memory.copy(scratch + START, start, bytes(columns));
        start = scratch + START;
      }
    }
    store<usize>(frame, start, ROW_START);
    for (let m = first; m < last; m += 6) {
      const at = scratch + TABLE + bytes(m - first), rows = min(6, last - m);
      const to = y + bytes(m * outputs + 8 * panel);
      const whole = rows == 6 && columns == 8;
      v128.store(frame, v128.load(at));
      store<u64>(frame, load<u64>(at, 16), 16);
      store<usize>(frame, packed, ROW_B);
      store<usize>(frame, whole ? to : tile, ROW_C);
      store<usize>(frame, whole ? ldc : 32, ROW_LDC);
      rowTile(frame);
      if (!whole) {
        for (let r = 0; r < rows; r++) {
          memory.copy(to + <usize>r * ldc, tile + 32 * <usize>r, bytes(columns));
        }
      }
    }
  }
}

/** Where in the padded image the reach of pixel first, first + 1, … begins. */
function fillTable(table: usize, first: i32, length: i32): void {
  const height = count(HEIGHT), width = count(WIDTH), border = count(SIZE) - 1;
  const pixel = bytes(count(IN)), row = pixel * (width + border);
  const image = first / (height * width);
  let y = (first / width) % height, x = first % width;
  let at = job(PADDED) + <usize>(image * (height + border) + y) * row + <usize>x * pixel;
  for (let i = 0; i < length; i++) {
    store<usize>(table + bytes(i), at);
    at += pixel;
    if (++x == width) {
      x = 0;
      at += pixel * border;
      if (++y == height) {
        y = 0;
        at += row * border;
      }
    }
  }
}

/** dfilter [size, size, in, out] of a convolution. */
export function filterGradDirect(
  x: usize, padded: usize, dy: usize, dfilter: usize, partial: usize,
  batch: i32, height: i32, width: i32, inputs: i32, outputs: i32, size: i32,
  splits: i32, rows: i32, scratch: usize,
): void {
  set<usize>(X, x); set<usize>(PADDED, size == 1 ? x : padded); set<usize>(FILTER, dfilter);
  set<usize>(Y, dy); set<usize>(PARTIAL, partial); set<usize>(SCRATCH, scratch);
  set<i32>(BATCH, batch); set<i32>(HEIGHT, height); set<i32>(WIDTH, width);
  set<i32>(IN, inputs); set<i32>(OUT, outputs); set<i32>(SIZE, size);
  set<i32>(SPLITS, splits); set<i32>(ROWS, rows);
  const padChunks = size == 1 ? 0 : over(batch * (height + size - 1), PAD_ROWS);
  set<i32>(PAD_CHUNKS, padChunks);
  if (padChunks) parallel(DIRECT_PREPARE, padChunks);
  parallel(DIRECT_FILTER_GRAD, splits * size);
  if (splits > 1) parallel(DIRECT_REDUCE, over(size * size * inputs * outputs, 4096));
}

/** One row of taps over one part of the image rows, into that part's own sum. */
export function directFilterGrad(chunk: i32, thread: i32): void {
  const size = count(SIZE), split = chunk / size, tapRow = chunk % size, splits = count(SPLITS);
  const inputs = count(IN), outputs = count(OUT), height = count(HEIGHT), width = count(WIDTH);
  const values = size * size * inputs * outputs, ldc = bytes(outputs), pixel = bytes(inputs);
  const tile = job(SCRATCH) + <usize>thread * THREAD_BYTES;
  const to = (splits > 1 ? job(PARTIAL) + bytes(split * values) : job(FILTER)) +
    bytes(tapRow * size * inputs * outputs);
  memory.fill(to, 0, bytes(size * inputs * outputs));
  const all = count(BATCH) * height, last = <i32>(<i64>all * (split + 1) / splits);
  const paddedRow = pixel * (width + size - 1), reach = size * inputs;
  for (let row = <i32>(<i64>all * split / splits); row < last;) {
    const image = row / height, y = row - image * height;
    const rows = min(min(count(ROWS), height - y), last - row);
    const a = job(PADDED) + <usize>(image * (height + size - 1) + y + tapRow) * paddedRow;
    const b = job(Y) + <usize>(row * width) * ldc;
    for (let j = 0; j < outputs; j += 8) {
      const columns = min(8, outputs - j);
      const even = columns == 8 ? reach & ~3 : 0;
      columnTiles(
        a, pixel, b + bytes(j), ldc, to + bytes(j), ldc, even, width, rows, pixel * (size - 1), 0,
      );
      for (let i = even; i < reach; i += 4) {
        const c = to + bytes(i * outputs + j), deep = min(4, reach - i);
        for (let r = 0; r < deep; r++) {
          memory.copy(tile + 32 * <usize>r, c + <usize>r * ldc, bytes(columns));
        }
        columnTiles(
          a + bytes(i), pixel, b + bytes(j), ldc, tile, 32, 4, width, rows, pixel * (size - 1), 0,
        );
        for (let r = 0; r < deep; r++) {
          memory.copy(c + <usize>r * ldc, tile + 32 * <usize>r, bytes(columns));
        }
      }
    }
    row += rows;
  }
}

/** Adds the parts' sums, always in the same order. */
export function directReduce(chunk: i32, thread: i32): void {
  const values = count(SIZE) * count(SIZE) * count(IN) * count(OUT), splits = count(SPLITS);
  const last = min(values, (chunk + 1) * 4096), stride = bytes(values);
  let i = chunk * 4096;
  for (; i + 4 <= last; i += 4) {
    let from = job(PARTIAL) + bytes(i), sum = v128.load(from);
    for (let s = 1; s < splits; s++) {
      from += stride;
      sum = f32x4.add(sum, v128.load(from));
    }
    v128.store(job(FILTER) + bytes(i), sum);
  }
  for (; i < last; i++) {
    let from = job(PARTIAL) + bytes(i), sum = load<f32>(from);
    for (let s = 1; s < splits; s++) {
      from += stride;
      sum += load<f32>(from);
    }
    store<f32>(job(FILTER) + bytes(i), sum);
  }
}
