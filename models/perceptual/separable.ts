/**
 * Convolutions of MobileNets with capped ReLU (ReLU6), frozen: the gradient goes to the input only.
 * It is made of forward kernels that every backend has, since the stock gradient of a depthwise
 * convolution is slow or missing.
 *
 * @module
 */
import { convolve, upsampleNearest2 } from "../../backends/ops.ts";
import { runOne } from "../../backends/kernels/gradients.ts";
import { type Tensor, type Tensor4D, tf } from "../../backends/tf.ts";

const cap = 6;

type Save = (saved: Tensor[]) => void;

/** Runs `forward` without a tape; on the way back `backward` gets dy and the output. */
const withInputGradient = (
  x: Tensor,
  forward: (x: Tensor) => Tensor,
  backward: (dy: Tensor, y: Tensor) => Tensor,
): Tensor => {
  const f = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [Tensor, Save];
    const output = forward(input);
    save([output]);
    return {
      value: output,
      gradFunc: (dy: Tensor, [y]: Tensor[]) => {
        if (!y) throw new Error("Cannot differentiate: the output was not saved");
        return tf.tidy(() => backward(dy, y));
      },
    };
  });
  return f(x);
};

/** dy where 0 < y < 6, else 0. */
const cappedGradient = (dy: Tensor, y: Tensor): Tensor =>
  runOne("ReluGrad", { dy: runOne("ReluGrad", { dy, y }), y: tf.sub(cap, y) });

/** min(6, ReLU(convolution of x + bias)), stride 1, zero padding. */
export const convolveRelu6 = (
  x: Tensor, // [B, H, W, in]
  filter: Tensor, // [k, k, in, out], odd k
  bias: Tensor, // [out]
): Tensor =>
  withInputGradient(
    x,
    (input) => tf.clipByValue(convolve(input, filter, { bias }), 0, cap),
    (dy, y) => runOne("ConvolveInputGrad", { dy: cappedGradient(dy, y), filter }),
  );

/** A depthwise filter with its copy rotated by half a turn, which the gradient needs. */
export interface DepthwiseFilter {
  /** The filter with the batch norm in it. // [3, 3, C, 1] */
  readonly filter: Tensor;
  /** The same, rotated by half a turn. // [3, 3, C, 1] */
  readonly rotated: Tensor;
  /** What is added before the ReLU. // [C] */
  readonly bias: Tensor;
}

const depthwise = (x: Tensor, filter: Tensor, stride: 1 | 2): Tensor =>
  tf.depthwiseConv2d(x as Tensor4D, filter as Tensor4D, stride, "same");

/** Puts x at the odd rows and columns of a picture twice as large, zeros elsewhere. */
const spread = (x: Tensor): Tensor => {
  const odd = tf.tensor([0, 0, 0, 1], [1, 2, 2, 1]);
  const [, height = 1, width = 1] = x.shape;
  return tf.mul(upsampleNearest2(x), tf.tile(odd, [1, height, width, 1]));
};

/**
 * min(6, ReLU(depthwise 3×3 convolution of x + bias)) with TensorFlow's "same" padding. With stride
 * 2, for even sizes, that is the stride-1 result at odd rows and columns, which gives its gradient.
 */
export const depthwiseRelu6 = (
  x: Tensor, // [B, H, W, C]
  { filter, rotated, bias }: DepthwiseFilter,
  stride: 1 | 2,
): Tensor =>
  withInputGradient(
    x,
    (input) => tf.clipByValue(tf.add(depthwise(input, filter, stride), bias), 0, cap),
    (dy, y) => {
      const before = cappedGradient(dy, y);
      return depthwise(stride === 1 ? before : spread(before), rotated, 1);
    },
  );
