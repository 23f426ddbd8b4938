/**
 * Stock kernels that the wasm backend lacks or has only in a form too slow to train with, composed
 * from those that it has. They serve what the added kernels do not: strides, depthwise filters,
 * other networks.
 *
 * @module
 */
import { type Tensor, type Tensor4D, type TensorInfo, tf } from "../tf.ts";
import { type Call, replaceKernel, type Results } from "./registry.ts";

/** The named input, as a tensor of the engine. */
const tensorOf = (call: Call, name: string): Tensor => {
  const info = call.inputs[name];
  if (info === undefined) throw new Error(`Cannot run kernel: input ${name} is missing`);
  return info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info);
};

type ConvShape = ReturnType<typeof tf.backend_util.computeConv2DInfo>;
type Size2 = [number, number];

const convShape = (
  { attributes }: Call,
  inShape: readonly number[],
  filterShape: readonly number[],
  depthwise: boolean,
): ConvShape =>
  tf.backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attributes.strides as Size2,
    (attributes.dilations ?? 1) as Size2,
    attributes.pad as "same",
    attributes.dimRoundingMode as "floor",
    depthwise,
    "channelsLast",
  );

/** x, zero-padded so that every tap of the filter is a strided slice of it. */
const padFor = (x: Tensor4D, c: ConvShape): Tensor4D => {
  const need = (out: number, stride: number, k: number, dilation: number): number =>
    (out - 1) * stride + (k - 1) * dilation + 1;
  const height = need(c.outHeight, c.strideHeight, c.filterHeight, c.dilationHeight);
  const width = need(c.outWidth, c.strideWidth, c.filterWidth, c.dilationWidth);
  const { top, left } = c.padInfo;
  return tf.pad(x, [
    [0, 0],
    [top, Math.max(0, height - top - x.shape[1])],
    [left, Math.max(0, width - left - x.shape[2])],
    [0, 0],
  ]);
};

const tapOf = (padded: Tensor4D, c: ConvShape, i: number, j: number): Tensor4D => {
  const y = i * c.dilationHeight, x = j * c.dilationWidth;
  return c.strideHeight === 1 && c.strideWidth === 1
    ? tf.slice(padded, [0, y, x, 0], [c.batchSize, c.outHeight, c.outWidth, padded.shape[3]])
    : tf.stridedSlice(
      padded,
      [0, y, x, 0],
      [
        c.batchSize,
        y + (c.outHeight - 1) * c.strideHeight + 1,
        x + (c.outWidth - 1) * c.strideWidth + 1,
        padded.shape[3],
      ],
      [1, c.strideHeight, c.strideWidth, 1],
    ) as Tensor4D;
};

const overTaps = <A>(c: ConvShape, f: (i: number, j: number) => A): A[] =>
  Array.from(
    { length: c.filterHeight * c.filterWidth },
    (_, t) => f(Math.floor(t / c.filterWidth), t % c.filterWidth),
  );

const filterGrad = (call: Call): Tensor =>
  tf.tidy(() => {
    const x = tensorOf(call, "x") as Tensor4D, dy = tensorOf(call, "dy");
    const shape = call.attributes.filterShape as [number, number, number, number];
    const c = convShape(call, x.shape, shape, false), padded = padFor(x, c);
    const rows = c.batchSize * c.outHeight * c.outWidth, flat = dy.reshape([rows, c.outChannels]);
    const taps = overTaps(c, (i, j) =>
      tf.matMul(tapOf(padded, c, i, j).reshape([rows, c.inChannels]), flat, true, false));
    return tf.stack(taps).reshape(shape);
  });

const inputGrad = (call: Call): Results => {
  const filter = tensorOf(call, "filter") as Tensor4D;
  const c = convShape(call, call.attributes.inputShape as number[], filter.shape, false);
  if (c.strideHeight !== 1 || c.strideWidth !== 1) return call.before();
  const { top, bottom, left, right } = c.padInfo;
  const height = c.filterHeight - 1, width = c.filterWidth - 1;
  // The full correlation with rotated filters, input and output channels swapped.
  return tf.tidy(() =>
    tf.conv2d(
      tensorOf(call, "dy") as Tensor4D,
      tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]),
      1,
      [[0, 0], [height - top, height - bottom], [width - left, width - right], [0, 0]],
    )
  );
};

const depthwiseFilterGrad = (call: Call): Tensor =>
  tf.tidy(() => {
    const x = tensorOf(call, "x") as Tensor4D, dy = tensorOf(call, "dy");
    const shape = call.attributes.filterShape as [number, number, number, number];
    const c = convShape(call, x.shape, shape, true), padded = padFor(x, c);
    const rows = c.batchSize * c.outHeight * c.outWidth;
    const flat = dy.reshape([rows, shape[2], shape[3]]);
    const taps = overTaps(c, (i, j) =>
      tf.sum(tf.mul(tapOf(padded, c, i, j).reshape([rows, shape[2], 1]), flat), 0));
    return tf.stack(taps).reshape(shape);
  });

const depthwiseInputGrad = (call: Call): Tensor =>
  tf.tidy(() => {
    const dy = tensorOf(call, "dy"), filter = tensorOf(call, "filter") as Tensor4D;
    const shape = call.attributes.inputShape as [number, number, number, number];
    const c = convShape(call, shape, filter.shape, true);
    if (c.strideHeight !== 1 || c.strideWidth !== 1) {
      throw new Error(
        "Cannot differentiate a depthwise convolution on wasm: its stride is above 1, expected 1",
      );
    }
    const [, , channels, multiplier] = filter.shape;
    const apart = dy.reshape([c.batchSize, c.outHeight, c.outWidth, channels * multiplier]);
    const reachY = (c.filterHeight - 1) * c.dilationHeight;
    const reachX = (c.filterWidth - 1) * c.dilationWidth;
    const parts = overTaps(c, (i, j) => {
      const tap = tf.slice(filter, [i, j, 0, 0], [1, 1, channels, multiplier]);
      const product = tf.mul(apart, tap.reshape([channels * multiplier]))
        .reshape([-1, channels, multiplier]);
      const spread = tf.sum(product, 2).reshape([c.batchSize, c.outHeight, c.outWidth, channels]);
      const y = i * c.dilationHeight, x = j * c.dilationWidth;
      return tf.pad(spread, [[0, 0], [y, reachY - y], [x, reachX - x], [0, 0]]);
    });
    const { top, left } = c.padInfo;
    const full = parts.reduce((a, b) => tf.add(a, b));
    // Cut to the input; what "valid" padding never read gets zeros.
    const height = Math.min(shape[1], (full.shape[1] ?? 0) - top);
    const width = Math.min(shape[2], (full.shape[2] ?? 0) - left);
    const cut = tf.slice(full, [0, top, left, 0], [shape[0], height, width, shape[3]]);
    return tf.pad(cut, [[0, 0], [0, shape[1] - height], [0, shape[2] - width], [0, 0]]);
  });

const segmentSum = (call: Call): TensorInfo => {
  const x = call.inputs.x, ids = call.inputs.segmentIds;
  if (!x || !ids) throw new Error("Cannot run UnsortedSegmentSum: an input is missing");
  const segments = Number(call.attributes.numSegments);
  const out = call.backend.makeOutput([segments, ...x.shape.slice(1)], x.dtype);
  const values = call.backend.typedArrayFromHeap(x), rows = call.backend.typedArrayFromHeap(ids);
  const sums = call.backend.typedArrayFromHeap(out);
  const width = x.shape.slice(1).reduce((a, b) => a * b, 1);
  sums.fill(0);
  for (let i = 0; i < rows.length; i++) {
    const segment = rows[i] ?? -1;
    if (segment < 0 || segment >= segments) continue;
    for (let j = 0; j < width; j++) {
      const at = segment * width + j;
      sums[at] = (sums[at] ?? 0) + (values[i * width + j] ?? 0);
    }
  }
  return out;
};

const batchMatMul = (call: Call): Results => {
  const { transposeA, transposeB } = call.attributes;
  const a = tensorOf(call, "a"), b = tensorOf(call, "b");
  const leadA = a.shape.slice(0, -2), leadB = b.shape.slice(0, -2);
  const batchA = leadA.reduce((p, q) => p * q, 1), batchB = leadB.reduce((p, q) => p * q, 1);
  // The stock kernel is fast for one untransposed product only.
  if (batchA === 1 && batchB === 1 && !transposeA && !transposeB) return call.before();
  return tf.tidy(() => {
    const three = (x: Tensor, batch: number, transposed: unknown): Tensor => {
      const y = x.reshape([batch, ...x.shape.slice(-2)]);
      return transposed ? tf.transpose(y, [0, 2, 1]) : y;
    };
    const left = three(a, batchA, transposeA), right = three(b, batchB, transposeB);
    const one = (x: Tensor, i: number): Tensor =>
      x.shape[0] === 1 ? x : tf.slice(x, [i, 0, 0], [1, x.shape[1] ?? 1, x.shape[2] ?? 1]);
    const batch = Math.max(batchA, batchB);
    const products = Array.from(
      { length: batch },
      (_, i) =>
        tf.engine().runKernel("BatchMatMul", { a: one(left, i), b: one(right, i) }, {
          transposeA: false,
          transposeB: false,
        }) as Tensor,
    );
    const lead = tf.broadcast_util.assertAndGetBroadcastShape(leadA, leadB);
    return tf.concat(products, 0).reshape([...lead, left.shape[1] ?? 1, right.shape[2] ?? 1]);
  });
};

/** Registers the missing and replaces the slow stock kernels of the wasm backend. */
export const fillStockKernels = (): void => {
  replaceKernel("BatchMatMul", batchMatMul);
  replaceKernel("Conv2DBackpropFilter", filterGrad);
  replaceKernel("Conv2DBackpropInput", inputGrad);
  replaceKernel("DepthwiseConv2dNativeBackpropFilter", depthwiseFilterGrad);
  replaceKernel("DepthwiseConv2dNativeBackpropInput", depthwiseInputGrad);
  replaceKernel("UnsortedSegmentSum", segmentSum);
};
