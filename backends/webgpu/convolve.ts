/**
 * Convolution and its gradients. Forward and input gradient run the stock tiled convolution, the
 * latter on rotated filters; the filter gradient is a matrix product of our own, since the stock
 * one is a loop of one thread per weight.
 *
 * @module
 */
import { type TensorInfo, tf, type WebGPUBackend } from "../tf.ts";
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import { largestTensor } from "./guard.ts";
import { at, free, type Kernel, need, sides, sizeOf } from "./kernel.ts";

const stockConvolution = (
  backend: WebGPUBackend,
  inputs: { readonly x: TensorInfo; readonly filter: TensorInfo; readonly bias?: TensorInfo },
  relu: boolean,
): TensorInfo => {
  const stock = tf.getKernel("FusedConv2D", "webgpu");
  if (!stock) throw new Error("Cannot convolve: the stock webgpu backend lacks FusedConv2D");
  const activation = relu ? "relu" : "linear";
  const attrs = { strides: 1, pad: "same", dataFormat: "NHWC", dilations: 1, activation };
  return stock.kernelFunc({ inputs: { ...inputs }, backend, attrs }) as TensorInfo;
};

/** Convolution, stride 1, zero padding, with bias and ReLU in the same pass. */
export const convolve: Kernel = (call) => {
  const x = need(call, "x"), filter = need(call, "filter"), { bias } = call.inputs;
  const inputs = bias ? { x, filter, bias } : { x, filter };
  return [stockConvolution(call.backend, inputs, call.attributes.relu === true)];
};

const rotateProgram: Program = {
  key: "rotate filter",
  inputs: ["filter_"],
  outputs: ["rotated"],
  parameters: { size: "i32", taps: "i32", inner: "i32", outer: "i32" },
  workgroup: [flatThreads, 1, 1],
  body: `${flatIndex}
  // index counts [taps, outer, inner]; the filter lies as [taps, inner, outer], taps backwards.
  let a = index % p.inner;
  let rest = index / p.inner;
  let b = rest % p.outer;
  let tap = p.taps - 1 - rest / p.outer;
  rotated[index] = filter_[(tap * p.inner + a) * p.outer + b];`,
};

/** dx: the full correlation of dy with rotated filters, input and output channels swapped. */
export const convolveInputGrad: Kernel = (call) => {
  const { backend } = call, filter = need(call, "filter");
  const [height, width, inner, outer] = sides(filter), size = sizeOf(filter.shape);
  const rotated = at(dispatch(backend, rotateProgram, {
    inputs: [filter],
    outputs: [[height, width, outer, inner]],
    parameters: { size, taps: height * width, inner, outer },
    groups: flatGroups(size),
  }));
  const dx = stockConvolution(backend, { x: need(call, "dy"), filter: rotated }, false);
  free(backend, rotated);
  return [dx];
};

// A product of matrices: rows are (tap, input channel), columns output channels, and the sum runs
// over all positions of all images. A workgroup makes 64×64 numbers of it, a thread 4×4, from
// slices of 16 positions in workgroup memory; group.z is its share of the positions.
const side = 64;
const depth = 16;
const patch = 4;
const threadsAcross = side / patch;

const filterGradProgram: Program = {
  key: "convolve filter grad",
  inputs: ["x", "dy"],
  outputs: ["result"],
  parameters: {
    height: "i32",
    width: "i32",
    inner: "i32",
    outer: "i32",
    size: "i32",
    rows: "i32",
    positions: "i32",
    share: "i32",
  },
  workgroup: [threadsAcross, threadsAcross, 1],
  declarations: `
var<workgroup> left: array<f32, ${side * depth}>;
var<workgroup> right: array<f32, ${side * depth}>;
var<workgroup> place: array<vec2<i32>, ${depth}>;
fn locate(position: i32) -> vec2<i32> { // row and column within its image
  let line = position / p.width;
  return vec2<i32>(line % p.height, position - line * p.width);
}`,
  body: `
  let edge = p.size / 2;
  // What this thread loads: one row and one column of the result, every fourth position.
  let loaded = lane % ${side};
  let row = group.x * ${side} + loaded;
  let column = group.y * ${side} + loaded;
  let tap = row / p.inner;
  let channel = row - tap * p.inner;
  let down = tap / p.size - edge;
  let across = tap % p.size - edge;
  let shift = (down * p.width + across) * p.inner + channel;
  let start = group.z * p.share;
  let end = min(start + p.share, p.positions);

  var sums: array<vec4<f32>, ${patch}>;
  for (var slice = start; slice < end; slice += ${depth}) {
    if (lane < ${depth}) { place[lane] = locate(slice + lane); }
    workgroupBarrier();
    for (var i = lane / ${side}; i < ${depth}; i += ${threadsAcross ** 2 / side}) {
      let position = slice + i;
      let h = place[i].x + down; let w = place[i].y + across;
      let inside = position < end && row < p.rows &&
        h >= 0 && h < p.height && w >= 0 && w < p.width;
      var a = 0.0; var b = 0.0;
      if (inside) { a = x[position * p.inner + shift]; }
      if (position < end && column < p.outer) { b = dy[position * p.outer + column]; }
      left[i * ${side} + loaded] = a;
      right[i * ${side} + loaded] = b;
    }
    workgroupBarrier();
    for (var i = 0; i < ${depth}; i++) {
      let l = i * ${side} + local.y * ${patch};
      let r = i * ${side} + local.x * ${patch};
      let b = vec4<f32>(right[r], right[r + 1], right[r + 2], right[r + 3]);
      sums[0] += left[l] * b;
      sums[1] += left[l + 1] * b;
      sums[2] += left[l + 2] * b;
      sums[3] += left[l + 3] * b;
    }
    workgroupBarrier();
  }
  let first = group.x * ${side} + local.y * ${patch};
  let base = group.y * ${side} + local.x * ${patch};
  for (var i = 0; i < ${patch}; i++) {
    for (var j = 0; j < ${patch}; j++) {
      if (first + i < p.rows && base + j < p.outer) {
        result[(group.z * p.rows + first + i) * p.outer + base + j] = sums[i][j];
      }
    }
  }`,
};

const sharesProgram: Program = {
  key: "sum shares",
  inputs: ["parts"],
  outputs: ["total"],
  parameters: { size: "i32", shares: "i32" },
  workgroup: [flatThreads, 1, 1],
  body: `${flatIndex}
  var sum = 0.0;
  for (var i = 0; i < p.shares; i++) { sum += parts[i * p.size + index]; }
  total[index] = sum;`,
};

/** Workgroups that keep a large GPU busy, and the fewest positions worth a workgroup. */
const enoughGroups = 256;
const leastPositions = 128;

/** dfilter [k, k, I, O]. */
export const convolveFilterGrad: Kernel = (call) => {
  const { backend } = call, x = need(call, "x"), dy = need(call, "dy");
  const [batch, height, width, inner] = sides(x), [, , , outer] = sides(dy);
  const k = Number(call.attributes.size), rows = k * k * inner, positions = batch * height * width;
  const tiles = [Math.ceil(rows / side), Math.ceil(outer / side)] as const;
  const wanted = Math.min(
    Math.ceil(enoughGroups / (tiles[0] * tiles[1])),
    Math.ceil(positions / leastPositions),
    Math.floor(largestTensor(backend.device) / (4 * rows * outer)),
  );
  const share = Math.ceil(positions / Math.max(1, wanted) / depth) * depth;
  const shares = Math.ceil(positions / share), shape = [k, k, inner, outer];
  const parts = at(dispatch(backend, filterGradProgram, {
    inputs: [x, dy],
    outputs: [shares > 1 ? [shares, rows * outer] : shape],
    parameters: { height, width, inner, outer, size: k, rows, positions, share },
    groups: [...tiles, shares],
  }));
  if (shares === 1) return [parts];
  const total = dispatch(backend, sharesProgram, {
    inputs: [parts],
    outputs: [shape],
    parameters: { size: rows * outer, shares },
    groups: flatGroups(rows * outer),
  });
  free(backend, parts);
  return total;
};
