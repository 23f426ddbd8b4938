// 3 × 3 convolution by Winograd's F(4 × 4, 3 × 3): 36 products of a tile instead of 144. Channels
// are a multiple of 4 in, of 8 out. Images of any size: tiles that reach over an edge read
// zeros there and write only what exists.
//
// Two ways to cut the work: by tiles, where each chunk transforms, multiplies and transforms back
// a block that stays in its core's cache (filters small against images); or by planes, where the
// three steps run one after the other over everything (filters large).
import { count, frameOf, job, parallel, set } from "./pool";
import {
  columnTiles, filterGradTile, filterTile, inputTile, outputGradTile, outputTile,
  rotatedFilterTile, rowTiles,
} from "./tiles";
import { bytes, over, RELU, setPlain, setTiles, turnFour } from "./vector";
import {
  WINOGRAD_BLOCK, WINOGRAD_FILTER, WINOGRAD_GRAD_FILTER, WINOGRAD_GRAD_INPUT, WINOGRAD_GRAD_PLANE,
  WINOGRAD_GRAD_SPLIT, WINOGRAD_INPUT, WINOGRAD_OUTPUT, WINOGRAD_PLANE,
} from "./phases";

const X = 0, FILTER = 1, U = 2, BIAS = 3, Y = 4, V = 5, M = 6, SCRATCH = 7, STRIDE = 8;
const BATCH = 9, HEIGHT = 10, WIDTH = 11, IN = 12, OUT = 13, ROTATED = 14, FLAGS = 15;
const TILES = 16, BLOCK = 17, SPLITS = 18, PANEL_CHUNKS = 19, FIRST = 20;

/** Bytes between planes: an odd number of cache lines, so that planes do not share sets. */
@inline function plane(floats: i32): usize {
  return (((bytes(floats) + 63) >> 6) | 1) << 6;
}

@inline function six(n: i32): i32 {
  return over(n, 6) * 6;
}

/**
 * Bytes from one tile to the next where products run down the tiles: never a multiple of 128, so
 * that a column of them does not fall into a few sets of the cache.
 */
@inline function pitch(channels: i32): usize {
  return channels >= 64 ? (((bytes(channels) + 63) >> 6) | 1) << 6 : bytes(channels);
}

/** Bytes between planes of tiles at that pitch. */
@inline function pitched(tiles: i32, channels: i32): usize {
  return plane(<i32>((<usize>tiles * pitch(channels)) >> 2));
}

function setShape(
  batch: i32, height: i32, width: i32, inputs: i32, outputs: i32, block: i32,
  scratch: usize, stride: usize,
): void {
  set<i32>(BATCH, batch); set<i32>(HEIGHT, height); set<i32>(WIDTH, width);
  set<i32>(IN, inputs); set<i32>(OUT, outputs); set<i32>(BLOCK, block);
  set<i32>(TILES, batch * over(height, 4) * over(width, 4));
  set<usize>(SCRATCH, scratch); set<usize>(STRIDE, stride);
}

/**
 * y = x ∗ filter (+ bias), or the input gradient where `rotated` (x is dy, y is dx). With
 * `block` > 0 by blocks of so many tiles, whose planes lie in the scratch of the thread; else by
 * planes, in v and m.
 */
export function convolveWinograd(
  x: usize, filter: usize, u: usize, bias: usize, y: usize, v: usize, m: usize,
  batch: i32, height: i32, width: i32, inputs: i32, outputs: i32, rotated: i32, flags: i32,
  block: i32, scratch: usize, stride: usize,
): void {
  set<usize>(X, x); set<usize>(FILTER, filter); set<usize>(U, u); set<usize>(BIAS, bias);
  set<usize>(Y, y); set<usize>(V, v); set<usize>(M, m);
  set<i32>(ROTATED, rotated); set<i32>(FLAGS, flags);
  setShape(batch, height, width, inputs, outputs, block, scratch, stride);
  const tiles = count(TILES);
  parallel(WINOGRAD_FILTER, over(outputs, 8));
  if (block > 0) {
    parallel(WINOGRAD_BLOCK, over(tiles, block));
    return;
  }
  parallel(WINOGRAD_INPUT, over(tiles, 8));
  const panelChunks = outputs >= 128 ? 2 : 1;
  set<i32>(PANEL_CHUNKS, panelChunks);
  parallel(WINOGRAD_PLANE, 36 * panelChunks);
  parallel(WINOGRAD_OUTPUT, over(tiles, 8));
}

/** U for one panel of eight outputs: [36 planes][panel][in][8]. */
export function winogradFilter(panel: i32, thread: i32): void {
  const inputs = count(IN), outputs = count(OUT), step = plane(inputs * outputs);
  const u = job(U) + bytes(8 * panel * inputs);
  if (!count(ROTATED)) {
    const tap = bytes(inputs * outputs);
    for (let c = 0; c < inputs; c++) {
      const from = job(FILTER) + bytes(c * outputs + 8 * panel), to = u + bytes(8 * c);
      filterTile(from, tap, to, step);
      filterTile(from + 16, tap, to + 16, step);
    }
    return;
  }
  // The filter is [9][outputs here][inputs here]: four by four values are transposed per tap.
  const turned = job(SCRATCH) + <usize>thread * job(STRIDE), tap = bytes(inputs * outputs);
  for (let c = 0; c < inputs; c += 4) {
    for (let h = 0; h < 2; h++) {
      const from = job(FILTER) + bytes((8 * panel + 4 * h) * inputs + c);
      for (let t = 0; t < 9; t++) {
        turnFour(from + <usize>t * tap, bytes(inputs), turned + 64 * <usize>t, 16);
      }
      for (let i: usize = 0; i < 4; i++) {
        rotatedFilterTile(turned + 16 * i, 64, u + bytes(8 * c + 4 * h) + 32 * i, step);
      }
    }
  }
}

/**
 * Copies the part of a patch of side × side pixels that lies in the image, zeros around it.
 */
function fetch(
  image: usize, y0: i32, x0: i32, side: i32, height: i32, width: i32, pixel: usize, to: usize,
): void {
  const left = max(0, -x0), right = max(left, min(side, width - x0));
  for (let i = 0; i < side; i++) {
    const y = y0 + i, line = to + <usize>(i * side) * pixel;
    if (y < 0 || y >= height || right == left) {
      memory.fill(line, 0, <usize>side * pixel);
      continue;
    }
    memory.fill(line, 0, <usize>left * pixel);
    memory.copy(
      line + <usize>left * pixel,
      image + <usize>(y * width + x0 + left) * pixel,
      <usize>(right - left) * pixel,
    );
    memory.fill(line + <usize>right * pixel, 0, <usize>(side - right) * pixel);
  }
}

/** V of tiles [first, last): `next` bytes from one tile to the next, `step` from plane to plane. */
function transformInput(
  first: i32, last: i32, to: usize, next: usize, step: usize, patch: usize,
): void {
  const height = count(HEIGHT), width = count(WIDTH), channels = count(IN);
  const across = over(width, 4), down = over(height, 4), pixel = bytes(channels);
  for (let t = first; t < last; t++) {
    const image = t / (across * down), y0 = (t / across) % down * 4 - 1, x0 = t % across * 4 - 1;
    const base = job(X) + <usize>(image * height * width) * pixel;
    let from = base + <usize>(y0 * width + x0) * pixel, row = <usize>width * pixel;
    if (y0 < 0 || x0 < 0 || y0 + 6 > height || x0 + 6 > width) {
      fetch(base, y0, x0, 6, height, width, pixel, patch);
      from = patch;
      row = 6 * pixel;
    }
    for (let c: usize = 0; c < pixel; c += 16) inputTile(from + c, row, pixel, to + c, step);
    to += next;
  }
}

/** Bytes of the left side that stay in the first cache while panels pass by. */
const LEFT: i32 = 16384;

/** Products of planes [p0, p1) of `tiles` rows with panels [j0, j1). */
function multiply(
  v: usize, stepV: usize, m: usize, stepM: usize, tiles: i32, p0: i32, p1: i32, j0: i32, j1: i32,
  frame: usize,
): void {
  const inputs = count(IN), outputs = count(OUT), stepU = plane(inputs * outputs);
  const lda = bytes(inputs), ldc = bytes(outputs), rows = max(1, LEFT / (24 * inputs)) * 6;
  setPlain(frame, inputs, lda, 0);
  for (let p = p0; p < p1; p++) {
    const a = v + <usize>p * stepV, b = job(U) + <usize>p * stepU, c = m + <usize>p * stepM;
    for (let first = 0; first < tiles; first += rows) {
      const last = min(tiles, first + rows);
      for (let j = j0; j < j1; j++) {
        setTiles(
          frame, a + <usize>first * lda, b + bytes(8 * j * inputs),
          c + <usize>first * ldc + 32 * <usize>j, ldc, over(last - first, 6),
        );
        rowTiles(frame);
      }
    }
  }
}

/** y of tiles [first, last) from M. */
function transformOutput(first: i32, last: i32, from: usize, step: usize, patch: usize): void {
  const height = count(HEIGHT), width = count(WIDTH), channels = count(OUT);
  const across = over(width, 4), down = over(height, 4), pixel = bytes(channels);
  const bias = job(BIAS), row = <usize>width * pixel;
  const floor = count(FLAGS) & RELU ? f32x4.splat(0) : f32x4.splat(-f32.MAX_VALUE * 2);
  for (let t = first; t < last; t++) {
    const image = t / (across * down), y0 = (t / across) % down * 4, x0 = t % across * 4;
    const to = job(Y) + <usize>((image * height + y0) * width + x0) * pixel;
    const tall = min(4, height - y0), wide = min(4, width - x0);
    const whole = tall == 4 && wide == 4;
    const into = whole ? to : patch, line = whole ? row : 4 * pixel;
    for (let c: usize = 0; c < pixel; c += 16) {
      const b = bias ? v128.load(bias + c) : f32x4.splat(0);
      outputTile(from + c, step, into + c, line, pixel, b, floor);
    }
    if (!whole) {
      for (let i = 0; i < tall; i++) {
        memory.copy(to + <usize>i * row, patch + <usize>i * line, <usize>wide * pixel);
      }
    }
    from += pixel;
  }
}

/** Everything for one block of tiles. */
export function winogradBlock(chunk: i32, thread: i32): void {
  const block = count(BLOCK), first = chunk * block, last = min(count(TILES), first + block);
  const stepV = plane(six(block) * count(IN)), stepM = plane(six(block) * count(OUT));
  const v = job(SCRATCH) + <usize>thread * job(STRIDE), m = v + 36 * stepV, patch = m + 36 * stepM;
  transformInput(first, last, v, bytes(count(IN)), stepV, patch);
  multiply(v, stepV, m, stepM, last - first, 0, 36, 0, count(OUT) >> 3, frameOf(thread));
  transformOutput(first, last, m, stepM, patch);
}

/** The transformed input of some tiles, by planes. */
export function winogradInput(chunk: i32, thread: i32): void {
  const tiles = count(TILES), first = 8 * chunk, pixel = bytes(count(IN));
  transformInput(
    first, min(tiles, first + 8), job(V) + <usize>first * pixel, pixel,
    plane(six(tiles) * count(IN)), job(SCRATCH) + <usize>thread * job(STRIDE),
  );
}

/** One product, or a part of its panels. */
export function winogradPlane(chunk: i32, thread: i32): void {
  const tiles = count(TILES), parts = count(PANEL_CHUNKS), panels = count(OUT) >> 3;
  const p = chunk / parts, part = chunk % parts;
  multiply(
    job(V), plane(six(tiles) * count(IN)), job(M), plane(six(tiles) * count(OUT)), tiles,
    p, p + 1, panels * part / parts, panels * (part + 1) / parts, frameOf(thread),
  );
}

/** The output of some tiles, by planes. */
export function winogradOutput(chunk: i32, thread: i32): void {
  const tiles = count(TILES), first = 8 * chunk;
  transformOutput(
    first, min(tiles, first + 8), job(M) + bytes(first * count(OUT)),
    plane(six(tiles) * count(OUT)), job(SCRATCH) + <usize>thread * job(STRIDE),
  );
}

/**
 * dfilter [3, 3, in, out] from x and dy (Y). With `splits` > 0 the tiles are cut into so many
 * parts, each of which sums its own 36 planes in u (blocks of `block` tiles, in the scratch of the
 * thread); else `block` tiles at a time are transformed into v and m, and each plane is one product.
 */
export function filterGradWinograd(
  x: usize, dy: usize, dfilter: usize, u: usize, v: usize, m: usize,
  batch: i32, height: i32, width: i32, inputs: i32, outputs: i32,
  splits: i32, block: i32, scratch: usize, stride: usize,
): void {
  set<usize>(X, x); set<usize>(FILTER, dfilter); set<usize>(U, u); set<usize>(Y, dy);
  set<usize>(V, v); set<usize>(M, m); set<i32>(SPLITS, splits);
  setShape(batch, height, width, inputs, outputs, block, scratch, stride);
  const tiles = count(TILES);
  if (splits > 0) {
    parallel(WINOGRAD_GRAD_SPLIT, splits);
  } else {
    for (let first = 0; first < tiles; first += block) {
      set<i32>(FIRST, first);
      parallel(WINOGRAD_GRAD_INPUT, over(min(block, tiles - first), 8));
      parallel(WINOGRAD_GRAD_PLANE, 36);
    }
  }
  parallel(WINOGRAD_GRAD_FILTER, over(inputs, 4));
}

/** A·dy·Aᵀ of tiles [first, last). */
function transformGrad(
  first: i32, last: i32, to: usize, next: usize, step: usize, patch: usize,
): void {
  const height = count(HEIGHT), width = count(WIDTH), channels = count(OUT);
  const across = over(width, 4), down = over(height, 4), pixel = bytes(channels);
  for (let t = first; t < last; t++) {
    const image = t / (across * down), y0 = (t / across) % down * 4, x0 = t % across * 4;
    const base = job(Y) + <usize>(image * height * width) * pixel;
    let from = base + <usize>(y0 * width + x0) * pixel, row = <usize>width * pixel;
    if (y0 + 4 > height || x0 + 4 > width) {
      fetch(base, y0, x0, 4, height, width, pixel, patch);
      from = patch;
      row = 4 * pixel;
    }
    for (let c: usize = 0; c < pixel; c += 16) outputGradTile(from + c, row, pixel, to + c, step);
    to += next;
  }
}

/** du[p] += v[p]ᵀ · d[p] over `tiles` rows. */
function accumulate(
  v: usize, stepV: usize, d: usize, stepD: usize, u: usize, tiles: i32, p0: i32, p1: i32,
): void {
  const inputs = count(IN), outputs = count(OUT), stepU = plane(inputs * outputs);
  const lda = pitch(inputs), ldb = pitch(outputs), ldc = bytes(outputs);
  for (let p = p0; p < p1; p++) {
    const a = v + <usize>p * stepV, b = d + <usize>p * stepD, c = u + <usize>p * stepU;
    for (let j: usize = 0; j < ldc; j += 32) {
      columnTiles(a, lda, b + j, ldb, c + j, ldc, inputs, tiles, 1, 0, 0);
    }
  }
}

/** One part of the tiles, block by block, into its own sum. */
export function winogradGradSplit(split: i32, thread: i32): void {
  const tiles = count(TILES), splits = count(SPLITS), block = count(BLOCK);
  const inputs = count(IN), outputs = count(OUT);
  const stepV = pitched(block, inputs), stepD = pitched(block, outputs);
  const v = job(SCRATCH) + <usize>thread * job(STRIDE), d = v + 36 * stepV, patch = d + 36 * stepD;
  const size = 36 * plane(inputs * outputs), u = job(U) + <usize>split * size;
  memory.fill(u, 0, size);
  const end = <i32>(<i64>tiles * (split + 1) / splits);
  for (let first = <i32>(<i64>tiles * split / splits); first < end; first += block) {
    const last = min(end, first + block);
    transformInput(first, last, v, pitch(inputs), stepV, patch);
    transformGrad(first, last, d, pitch(outputs), stepD, patch);
    accumulate(v, stepV, d, stepD, u, last - first, 0, 36);
  }
}

/** Both transforms of some tiles, by planes. */
export function winogradGradInput(chunk: i32, thread: i32): void {
  const block = count(BLOCK), at = 8 * chunk, first = count(FIRST) + at;
  const last = min(min(count(TILES), count(FIRST) + block), first + 8);
  const inputs = count(IN), outputs = count(OUT);
  const patch = job(SCRATCH) + <usize>thread * job(STRIDE);
  const nextV = pitch(inputs), nextD = pitch(outputs);
  transformInput(first, last, job(V) + <usize>at * nextV, nextV, pitched(block, inputs), patch);
  transformGrad(first, last, job(M) + <usize>at * nextD, nextD, pitched(block, outputs), patch);
}

/** One plane's product over the tiles at hand. */
export function winogradGradPlane(p: i32, thread: i32): void {
  const block = count(BLOCK), inputs = count(IN), outputs = count(OUT);
  const step = plane(inputs * outputs), first = count(FIRST);
  if (first == 0) memory.fill(job(U) + <usize>p * step, 0, step);
  accumulate(
    job(V), pitched(block, inputs), job(M), pitched(block, outputs), job(U),
    min(block, count(TILES) - first), p, p + 1,
  );
}

/** Gᵀ·du·G of four input channels, after the parts are added up. */
export function winogradGradFilter(chunk: i32, thread: i32): void {
  const inputs = count(IN), outputs = count(OUT), splits = count(SPLITS);
  const step = plane(inputs * outputs), size = 36 * step, tap = bytes(inputs * outputs);
  const first = bytes(4 * chunk * outputs), last = bytes(min(inputs, 4 * chunk + 4) * outputs);
  for (let at = first; at < last; at += 16) {
    for (let p: usize = 0; splits > 1 && p < 36; p++) {
      const u = job(U) + p * step + at;
      let sum = v128.load(u);
      for (let s = 1; s < splits; s++) sum = f32x4.add(sum, v128.load(u + <usize>s * size));
      v128.store(u, sum);
    }
    filterGradTile(job(U) + at, step, job(FILTER) + at, tap);
  }
}
