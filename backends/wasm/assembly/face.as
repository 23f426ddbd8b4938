// Kernels of the network that finds landmarks (`face_landmarks.ts`): one thread on a memory of its
// own, one picture at a time. Pictures lie in rows with a border of zeros, channels last; products
// lie without one, in whole sixes of pixels.
import { rowTile, rowTiles } from "./tiles";
import {
  bytes, madd, ROW_B, ROW_C, ROW_DEPTH, ROW_FLAGS, ROW_JUMP, ROW_LDC, ROW_SEGMENTS, ROW_START,
  setPlain, setTiles,
} from "./vector";

/**
 * A full convolution, 3 × 3 with stride 2: y[pixel, out]. `x` is where the reach of the first pixel
 * begins, `row` the bytes of one of its rows, `packed` are panels [9 · inputs][8].
 */
export function faceConvolve(
  frame: usize, x: usize, row: usize, inputs: i32, packed: usize, outputs: i32,
  width: i32, height: i32, y: usize,
): void {
  const pixels = width * height, reach = 3 * inputs, step = 2 * bytes(inputs);
  store<i32>(frame, reach, ROW_DEPTH);
  store<i32>(frame, 3, ROW_SEGMENTS);
  store<usize>(frame, row - bytes(reach), ROW_JUMP);
  store<usize>(frame, 0, ROW_START);
  store<i32>(frame, 0, ROW_FLAGS);
  store<usize>(frame, bytes(outputs), ROW_LDC);
  for (let m = 0; m < pixels; m += 6) {
    for (let r = 0; r < 6; r++) {
      const at = min(m + r, pixels - 1), i = at / width, j = at - i * width;
      store<usize>(frame + bytes(r), x + 2 * <usize>i * row + <usize>j * step);
    }
    for (let panel = 0; 8 * panel < outputs; panel++) {
      store<usize>(frame, packed + bytes(24 * panel * reach), ROW_B);
      store<usize>(frame, y + bytes(m * outputs + 8 * panel), ROW_C);
      rowTile(frame);
    }
  }
}

/** A convolution of each channel by itself, 3 × 3: y[pixel, channel]; `filter` is [9][channel]. */
export function faceDepthwise(
  x: usize, row: usize, stride: i32, filter: usize, channels: i32, width: i32, height: i32,
  y: usize,
): void {
  const pixel = bytes(channels), step = <usize>stride * pixel;
  for (let i = 0; i < height; i++) {
    for (let c = 0; c < channels; c += 4) {
      const f = filter + bytes(c);
      const f0 = v128.load(f), f1 = v128.load(f + pixel), f2 = v128.load(f + 2 * pixel);
      const f3 = v128.load(f + 3 * pixel), f4 = v128.load(f + 4 * pixel);
      const f5 = v128.load(f + 5 * pixel), f6 = v128.load(f + 6 * pixel);
      const f7 = v128.load(f + 7 * pixel), f8 = v128.load(f + 8 * pixel);
      let above = x + <usize>(i * stride) * row + bytes(c), here = above + row, below = here + row;
      let to = y + <usize>(i * width) * pixel + bytes(c);
      for (let j = 0; j < width; j++) {
        let a = f32x4.mul(v128.load(above), f0);
        let b = f32x4.mul(v128.load(here), f3);
        let d = f32x4.mul(v128.load(below), f6);
        a = madd(v128.load(above + pixel), f1, a);
        b = madd(v128.load(here + pixel), f4, b);
        d = madd(v128.load(below + pixel), f7, d);
        a = madd(v128.load(above + 2 * pixel), f2, a);
        b = madd(v128.load(here + 2 * pixel), f5, b);
        d = madd(v128.load(below + 2 * pixel), f8, d);
        v128.store(to, f32x4.add(f32x4.add(a, b), d));
        above += step; here += step; below += step; to += pixel;
      }
    }
  }
}

/** A convolution of each pixel by itself: y = x · w for `sixes` times six pixels. */
export function facePointwise(
  frame: usize, x: usize, inputs: i32, packed: usize, outputs: i32, sixes: i32, y: usize,
): void {
  const line = bytes(inputs), deep = max(1, 16384 / (24 * inputs));
  setPlain(frame, inputs, line, 0);
  for (let block = 0; block < sixes; block += deep) {
    for (let panel = 0; 8 * panel < outputs; panel++) {
      setTiles(
        frame, x + <usize>(6 * block) * line, packed + bytes(8 * panel * inputs),
        y + bytes(6 * block * outputs + 8 * panel), bytes(outputs), min(deep, sixes - block),
      );
      rowTiles(frame);
    }
  }
}

/**
 * What ends each layer of a dense block: product + bias joins the sum of the block's layers, and
 * the positive part of that sum is the next layer's picture. The first layer starts the sum with
 * its own positive part. `to` is the first pixel inside the border, `row` the bytes of its rows.
 */
export function faceGather(
  product: usize, bias: usize, sum: usize, first: i32, channels: i32, width: i32, height: i32,
  to: usize, row: usize,
): void {
  const zero = f32x4.splat(0), line = bytes(channels);
  for (let i = 0; i < height; i++) {
    let at = to + <usize>i * row;
    for (let j = 0; j < width; j++) {
      for (let c: usize = 0; c < line; c += 16) {
        let v = f32x4.add(v128.load(product + c), v128.load(bias + c));
        v = first ? f32x4.pmax(v, zero) : f32x4.add(v128.load(sum + c), v);
        v128.store(sum + c, v);
        v128.store(at + c, f32x4.pmax(v, zero));
      }
      product += line; sum += line; at += line;
    }
  }
}
