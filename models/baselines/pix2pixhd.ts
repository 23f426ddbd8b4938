/**
 * pix2pixHD (Wang et al. 2018), one of the paper's rivals: a global generator paints a frame from
 * its landmark image alone; patch discriminators judge it at two scales.
 *
 * @module
 */
import { instanceNormalize, meanAbsoluteDifference } from "../../backends/ops.ts";
import { type Tensor, tf } from "../../backends/tf.ts";
import { sumOf } from "../losses.ts";
import type { Weights } from "../parameters.ts";
import type { PresetName } from "../presets.ts";
import {
  averagePool3,
  convolvePadded,
  convolveStrided,
  convolveTransposed,
  padReflecting,
} from "./layers.ts";
import type { BaselineParameter } from "./parameters.ts";

/** The shapes of its networks. */
export interface Pix2pixHDArchitecture {
  /** Channels of the generator at full resolution; they double with each halving. */
  readonly width: number;
  /** How often the generator halves the side. */
  readonly levels: number;
  /** Residual blocks at the lowest resolution. */
  readonly blocks: number;
  /** Channels after the first layer of each discriminator. */
  readonly judgeWidth: number;
  /** Layers of each discriminator with stride 2. */
  readonly judgeLevels: number;
}

/** How many scales are judged. */
const scales = 2;

/**
 * The sizes by preset; those of `paper-256` are the original's: 182.4 M parameters, and 2.77 M in
 * each discriminator.
 */
export const pix2pixhdSizes: Readonly<Record<PresetName, Pix2pixHDArchitecture>> = {
  "paper-256": { width: 64, levels: 4, blocks: 9, judgeWidth: 64, judgeLevels: 3 },
  "small-128": { width: 32, levels: 3, blocks: 6, judgeWidth: 32, judgeLevels: 3 },
  "toy-64": { width: 32, levels: 3, blocks: 3, judgeWidth: 32, judgeLevels: 2 },
  "test-16": { width: 8, levels: 2, blocks: 1, judgeWidth: 8, judgeLevels: 1 },
};

/** Kernel from N(0, 0.02) and bias, as in the original. */
const convolution = (
  path: string,
  size: number,
  input: number,
  output: number,
): readonly BaselineParameter[] => [
  { name: `${path}/kernel`, shape: [size, size, input, output], mean: 0, deviation: 0.02 },
  { name: `${path}/bias`, shape: [output], mean: 0, deviation: 0 },
];

const generatorPath = "Pix2pixHD/generator";
const judgePath = (scale: number): string => `Pix2pixHD/discriminator${scale}`;

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** Parameters of the generator. */
export const paintParameters = (
  { width, levels, blocks }: Pix2pixHDArchitecture,
): readonly BaselineParameter[] => {
  const at = (path: string): string => `${generatorPath}/${path}`, deep = width * 2 ** levels;
  return [
    ...convolution(at("first"), 7, 3, width),
    ...range(levels).flatMap((i) =>
      convolution(at(`down${i}`), 3, width * 2 ** i, width * 2 ** (i + 1))
    ),
    ...range(blocks).flatMap((i) => [
      ...convolution(at(`block${i}/conv1`), 3, deep, deep),
      ...convolution(at(`block${i}/conv2`), 3, deep, deep),
    ]),
    ...range(levels).flatMap((i) =>
      convolution(at(`up${i}`), 3, deep / 2 ** i, deep / 2 ** (i + 1))
    ),
    ...convolution(at("last"), 7, width, 3),
  ];
};

/** Instance norm without parameters, then ReLU where wanted. */
const normalize = (x: Tensor, rectify: boolean): Tensor => {
  const shape: [number, number] = [1, x.shape[3] ?? 1];
  return instanceNormalize(x, tf.ones(shape), tf.zeros(shape), { epsilon: 1e-5, relu: rectify });
};

/** A convolution without padding on an image that was mirrored over its edges. */
const mirrored = (weights: Weights, path: string, x: Tensor): Tensor => {
  const filter = weights(`${path}/kernel`), by = ((filter.shape[0] ?? 1) - 1) / 2;
  return tf.add(convolvePadded(padReflecting(x, by), filter, 0), weights(`${path}/bias`));
};

/** Frames from landmark images. Call inside `backend.run`. // [B, S, S, 3] → the same, in [-1, 1] */
export const paint = (
  weights: Weights,
  { levels, blocks }: Pix2pixHDArchitecture,
  landmarks: Tensor,
): Tensor => {
  const at = (path: string): string => `${generatorPath}/${path}`;
  const biased = (path: string, x: Tensor): Tensor => tf.add(x, weights(`${at(path)}/bias`));
  let h = normalize(mirrored(weights, at("first"), landmarks), true);
  for (const i of range(levels)) {
    const made = convolveStrided(h, weights(`${at(`down${i}`)}/kernel`), { padding: 1 });
    h = normalize(biased(`down${i}`, made), true);
  }
  for (const i of range(blocks)) {
    const inner = normalize(mirrored(weights, at(`block${i}/conv1`), h), true);
    h = tf.add(h, normalize(mirrored(weights, at(`block${i}/conv2`), inner), false));
  }
  for (const i of range(levels)) {
    const path = at(`up${i}`);
    h = normalize(
      convolveTransposed(h, weights(`${path}/kernel`), weights(`${path}/bias`)),
      true,
    );
  }
  return tf.tanh(mirrored(weights, at("last"), h));
};

/** Input and output channels of each layer of a discriminator, the score included. */
const judgeLayers = (
  { judgeWidth, judgeLevels }: Pix2pixHDArchitecture,
): readonly (readonly [input: number, output: number])[] => {
  const channels = [6, ...range(judgeLevels + 1).map((i) => judgeWidth * Math.min(8, 2 ** i)), 1];
  return channels.slice(1).map((output, i) => [channels[i] ?? 1, output]);
};

/** Parameters of the discriminator of one scale. */
export const judgeParameters = (
  sizes: Pix2pixHDArchitecture,
  scale: number,
): readonly BaselineParameter[] =>
  judgeLayers(sizes).flatMap(([input, output], i) =>
    convolution(`${judgePath(scale)}/layer${i}`, 4, input, output)
  );

/** Parameters of the discriminators of all scales. */
export const allJudgeParameters = (sizes: Pix2pixHDArchitecture): readonly BaselineParameter[] =>
  range(scales).flatMap((scale) => judgeParameters(sizes, scale));

/** Activations of the layers of each scale; the last one is the map of scores. */
export type Verdicts = readonly (readonly Tensor[])[];

/** Judges frames beside their landmark images, at full and at half resolution. // [B, S, S, 3] */
export const judgePatches = (
  weights: Weights,
  sizes: Pix2pixHDArchitecture,
  frames: Tensor,
  landmarks: Tensor,
): Verdicts => {
  let seen = tf.concat([landmarks, frames], 3);
  return range(scales).map((scale) => {
    if (scale > 0) seen = averagePool3(seen);
    let h = seen;
    const last = sizes.judgeLevels + 1;
    return range(last + 1).map((i) => {
      const path = `${judgePath(scale)}/layer${i}`, filter = weights(`${path}/kernel`);
      const made = i < sizes.judgeLevels
        ? convolveStrided(h, filter, { padding: 2 })
        : convolvePadded(h, filter, 2);
      const biased = tf.add(made, weights(`${path}/bias`));
      if (i === last) return h = biased;
      return h = tf.leakyRelu(i === 0 ? biased : normalize(biased, false), 0.2);
    });
  });
};

/** LSGAN: the squared distance of the scores from `truth`, summed over the scales. // → [] */
export const leastSquares = (verdicts: Verdicts, truth: 0 | 1): Tensor =>
  sumOf(verdicts.map((layers) => {
    const score = layers.at(-1);
    if (!score) throw new Error("Cannot score: the discriminator has no layer");
    return tf.mean(tf.square(tf.sub(score, truth)));
  }));

/** L1 between activations of fake and real, as weighted in the original without its 10. // → [] */
export const matchPatches = (fake: Verdicts, real: Verdicts): Tensor =>
  sumOf(fake.flatMap((layers, scale) =>
    layers.slice(0, -1).map((activation, i) => {
      const other = real[scale]?.[i];
      if (!other) throw new Error(`Cannot match features: the real side has no layer ${i}`);
      const weight = 4 / (layers.length - 1) / fake.length;
      return tf.mul(meanAbsoluteDifference(activation, other), weight);
    })
  ));
