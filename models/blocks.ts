/**
 * The residual block of all three networks (section 4): down, up or at the same resolution, with
 * no norm, affine instance norm or AdaIN.
 *
 * @module
 */
import { type Tensor, tf } from "../backends/tf.ts";
import {
  averagePool2,
  convolve,
  instanceNormalize,
  relu,
  upsampleNearest2,
} from "../backends/ops.ts";
import { type BlockLayer, hasNorms, hasSkip, type Layer } from "./architecture.ts";
import { selfAttention } from "./attention.ts";
import type { Weights } from "./parameters.ts";

/** Gain and bias of one normalisation, [B, C] (AdaIN) or [1, C]. */
export interface Affine {
  /** What the normalised values are multiplied by. */
  readonly gain: Tensor;
  /** What is added then. */
  readonly bias: Tensor;
}

/** Gives the AdaIN coefficients of the layers one after the other, in the order of the layers. */
export type NextAffine = () => Affine;

const noAffine: NextAffine = () => {
  throw new Error("Cannot run an AdaIN block: it was given no coefficients");
};

const affineOf = (
  weights: Weights,
  layer: BlockLayer,
  name: "norm1" | "norm2",
  next: NextAffine,
): Affine => {
  if (layer.norm === "adaptive") return next();
  const of = (leaf: string): Tensor => weights(`${layer.path}/${name}/${leaf}`).reshape([1, -1]);
  return { gain: of("gain"), bias: of("bias") };
};

const normRelu = (x: Tensor, { gain, bias }: Affine): Tensor =>
  instanceNormalize(x, gain, bias, { relu: true });

/** `[norm] ReLU [x2] conv3x3 [norm] ReLU conv3x3 [avgpool]` beside `[x2] conv1x1 [avgpool]`. */
export const residualBlock = (
  weights: Weights,
  layer: BlockLayer,
  x: Tensor,
  next: NextAffine = noAffine,
): Tensor => {
  const { path, mode, first } = layer;
  const normed = hasNorms(layer) || layer.norm === "adaptive";
  const kernel = (name: string): Tensor => weights(`${path}/${name}/kernel`);
  const bias = (name: string): Tensor => weights(`${path}/${name}/bias`);

  let r = x;
  if (!first) r = normed ? normRelu(x, affineOf(weights, layer, "norm1", next)) : relu(x);
  if (mode === "up") r = upsampleNearest2(r);
  r = normed
    ? normRelu(convolve(r, kernel("conv1")), affineOf(weights, layer, "norm2", next))
    : convolve(r, kernel("conv1"), { bias: bias("conv1"), relu: true });
  r = convolve(r, kernel("conv2"), normed ? {} : { bias: bias("conv2") });
  if (mode === "down") r = averagePool2(r);

  if (!hasSkip(layer)) return tf.add(r, x);
  // A 1×1 convolution commutes with average pooling and with nearest upsampling: it runs where
  // there are four times fewer positions.
  const low = mode === "down" ? averagePool2(x) : x;
  const skip = convolve(low, kernel("skip"), { bias: bias("skip") });
  return tf.add(r, mode === "up" ? upsampleNearest2(skip) : skip);
};

/** Runs layers in order; `visit` sees the output of every residual block. */
export const runLayers = (
  weights: Weights,
  layers: readonly Layer[],
  x: Tensor,
  { next = noAffine, visit }: {
    readonly next?: NextAffine;
    readonly visit?: (output: Tensor) => void;
  } = {},
): Tensor =>
  layers.reduce((h, layer) => {
    if (layer.kind === "attention") return selfAttention(weights, layer.path, h);
    const output = residualBlock(weights, layer, h, next);
    visit?.(output);
    return output;
  }, x);

/** Global sum pooling, then ReLU: how E and V turn a feature map into a vector. // [B, C] */
export const sumPool = (x: Tensor, order: "sum-relu" | "relu-sum" = "sum-relu"): Tensor =>
  order === "sum-relu" ? relu(tf.sum(x, [1, 2])) : tf.sum(relu(x), [1, 2]);
