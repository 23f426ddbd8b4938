/**
 * The encoder and decoder of which X2Face's networks are made: halving by strided convolutions,
 * doubling by bilinear upsampling, with or without skip connections.
 *
 * @module
 */
import { convolve, relu } from "../../backends/ops.ts";
import { type Tensor, tf } from "../../backends/tf.ts";
import type { Weights } from "../parameters.ts";
import { type BatchNorm, normParameters } from "./batch_norm.ts";
import { convolveStrided, upsampleBilinear2 } from "./layers.ts";
import type { BaselineParameter } from "./parameters.ts";

/** The shape of such a network; it takes images of side 2^levels or a multiple. */
export interface UnetShape {
  /** How often the side is halved. */
  readonly levels: number;
  /** Channels after the first halving; they double up to eight times that. */
  readonly width: number;
  /** Channels at the bottom. */
  readonly inner: number;
  /** Channels out. */
  readonly output: number;
  /** Whether the decoder sees the encoder's maps of its resolution. */
  readonly skips: boolean;
  /** What the start of the last convolution is multiplied by: below 1, warps start small. */
  readonly start: number;
}

/** Channels after each halving. */
const channelsOf = ({ levels, width, inner }: UnetShape): readonly number[] =>
  Array.from(
    { length: levels },
    (_, i) => i === levels - 1 ? inner : width * Math.min(8, 2 ** i),
  );

interface Level {
  readonly down: string;
  readonly up: string;
  readonly input: number;
  readonly channels: number;
  /** Channels into the decoder's convolution of this level. */
  readonly decoded: number;
  readonly output: number;
  readonly normsDown: boolean;
  readonly normsUp: boolean;
}

const levelsOf = (path: string, shape: UnetShape): readonly Level[] => {
  const channels = channelsOf(shape), last = shape.levels - 1;
  return channels.map((count, i) => ({
    down: `${path}/down${i}`,
    up: `${path}/up${i}`,
    input: channels[i - 1] ?? 3,
    channels: count,
    decoded: shape.skips && i < last ? 2 * count : count,
    output: channels[i - 1] ?? shape.output,
    normsDown: i > 0 && i < last,
    normsUp: i > 0,
  }));
};

/** Xavier's normal start. */
const kernel = (
  layer: string,
  size: number,
  input: number,
  output: number,
  gain = 1,
): BaselineParameter => ({
  name: `${layer}/kernel`,
  shape: [size, size, input, output],
  mean: 0,
  deviation: gain * Math.sqrt(2 / (size * size * (input + output))),
});

/** Its parameters. */
export const unetParameters = (path: string, shape: UnetShape): readonly BaselineParameter[] =>
  levelsOf(path, shape).flatMap((level, i) => [
    kernel(level.down, 4, level.input, level.channels),
    ...(level.normsDown ? normParameters(`${level.down}/norm`, level.channels) : []),
    kernel(level.up, 3, level.decoded, level.output, i === 0 ? shape.start : 1),
    ...(level.normsUp ? normParameters(`${level.up}/norm`, level.output) : []),
  ]);

/** Its batch norms by path, with their channels. */
export const unetNorms = (path: string, shape: UnetShape): Readonly<Record<string, number>> =>
  Object.fromEntries(
    levelsOf(path, shape).flatMap((level): [string, number][] => [
      ...(level.normsDown ? [[`${level.down}/norm`, level.channels] as [string, number]] : []),
      ...(level.normsUp ? [[`${level.up}/norm`, level.output] as [string, number]] : []),
    ]),
  );

/** Runs it. Call inside `backend.run`. // [B, S, S, 3] → [B, S, S, output] */
export const runUnet = (
  path: string,
  shape: UnetShape,
  weights: Weights,
  norm: BatchNorm,
  x: Tensor,
): Tensor => {
  const levels = levelsOf(path, shape), encoded: Tensor[] = [];
  let h = x;
  levels.forEach((level, i) => {
    const before = i === 0 ? h : tf.leakyRelu(h, 0.2);
    const made = convolveStrided(before, weights(`${level.down}/kernel`), { padding: 1 });
    h = level.normsDown ? norm(`${level.down}/norm`, made) : made;
    encoded.push(h);
  });
  for (const [i, level] of [...levels.entries()].reverse()) {
    const own = encoded[i];
    const seen = own && shape.skips && i < shape.levels - 1 ? tf.concat([own, h], 3) : h;
    const made = convolve(upsampleBilinear2(relu(seen)), weights(`${level.up}/kernel`));
    h = level.normsUp ? norm(`${level.up}/norm`, made) : made;
  }
  return h;
};
