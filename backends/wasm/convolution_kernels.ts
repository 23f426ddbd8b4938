/**
 * Convolve and its gradients (`kernels/names.ts`) on our own kernels.
 *
 * @module
 */
import type { TensorInfo } from "../tf.ts";
import { convolve, filterGradient } from "./convolution.ts";
import type { ConvolutionShape } from "./plan.ts";
import { at, type Call, given, make, replaceKernel, type Results, sizeOf } from "./registry.ts";

const four = ({ shape }: TensorInfo, what: string): readonly [number, number, number, number] => {
  const [a = 1, b = 1, c = 1, d = 1] = shape;
  if (shape.length !== 4) {
    throw new Error(`Cannot convolve: ${what} is [${shape}], expected four dimensions`);
  }
  return [a, b, c, d];
};

const square = (filter: TensorInfo): readonly [number, number, number] => {
  const [size, width, inputs, outputs] = four(filter, "the filter");
  if (size !== width || size % 2 === 0) {
    throw new Error(`Cannot convolve: the filter is ${size}×${width}, expected an odd square`);
  }
  return [size, inputs, outputs];
};

const need = (actual: number, expected: number, what: string): void => {
  if (actual !== expected) {
    throw new Error(`Cannot convolve: ${what} has ${actual} channels, expected ${expected}`);
  }
};

const forward = (call: Call): Results => {
  const x = given(call, "x"), filter = given(call, "filter");
  const [batch, height, width, channels] = four(x, "the input");
  const [size, inputs, outputs] = square(filter);
  need(channels, inputs, "the input");
  const bias = call.inputs.bias ? given(call, "bias") : undefined;
  if (bias) need(sizeOf(bias.shape), outputs, "the bias");
  const y = make(call, [batch, height, width, outputs]);
  convolve(
    call.pool,
    { batch, height, width, inputs, outputs, size },
    {
      x: at(call, x),
      filter: at(call, filter),
      bias: bias ? at(call, bias) : 0,
      y: at(call, y),
    },
    { relu: call.attributes.relu === true },
  );
  return y;
};

const inputGradient = (call: Call): Results => {
  const dy = given(call, "dy"), filter = given(call, "filter");
  const [batch, height, width, channels] = four(dy, "the output's gradient");
  const [size, outputs, inputs] = square(filter);
  need(channels, inputs, "the output's gradient");
  const dx = make(call, [batch, height, width, outputs]);
  convolve(
    call.pool,
    { batch, height, width, inputs, outputs, size },
    { x: at(call, dy), filter: at(call, filter), bias: 0, y: at(call, dx) },
    { rotated: true },
  );
  return dx;
};

const filterGradientKernel = (call: Call): Results => {
  const x = given(call, "x"), dy = given(call, "dy"), size = Number(call.attributes.size);
  const [batch, height, width, inputs] = four(x, "the input");
  const [batch2, height2, width2, outputs] = four(dy, "the output's gradient");
  if (batch !== batch2 || height !== height2 || width !== width2) {
    throw new Error(
      `Cannot convolve: the output's gradient is [${dy.shape}] for an input [${x.shape}]`,
    );
  }
  const shape: ConvolutionShape = { batch, height, width, inputs, outputs, size };
  const dfilter = make(call, [size, size, inputs, outputs]);
  filterGradient(call.pool, shape, {
    x: at(call, x),
    dy: at(call, dy),
    dfilter: at(call, dfilter),
  });
  return dfilter;
};

/** Registers Convolve, ConvolveInputGrad and ConvolveFilterGrad. */
export const registerConvolutionKernels = (): void => {
  replaceKernel("Convolve", forward);
  replaceKernel("ConvolveInputGrad", inputGradient);
  replaceKernel("ConvolveFilterGrad", filterGradientKernel);
};
