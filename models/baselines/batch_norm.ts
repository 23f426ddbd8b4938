/**
 * Batch norm: in training with the statistics of the batch, which are averaged; afterwards with
 * the average.
 *
 * @module
 */
import { instanceNormalize } from "../../backends/ops.ts";
import { type Tensor, tf } from "../../backends/tf.ts";
import { need, type Tensors, type Weights } from "../parameters.ts";
import type { BaselineParameter } from "./parameters.ts";

/** A batch norm layer by its path. // [B, H, W, C] → the same */
export type BatchNorm = (path: string, x: Tensor) => Tensor;

/** Mean and variance of each channel. // [C] both */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** How much of a batch enters the average. */
const momentum = 0.1;
const epsilon = 1e-5;

/** Gain and bias of a layer. */
export const normParameters = (path: string, channels: number): readonly BaselineParameter[] => [
  { name: `${path}/gain`, shape: [channels], mean: 1, deviation: 0.02 },
  { name: `${path}/bias`, shape: [channels], mean: 0, deviation: 0 },
];

/** The averaged statistics of layers as arrays with shapes: mean and variance of each. */
export const runningParameters = (
  norms: Readonly<Record<string, number>>,
): readonly BaselineParameter[] =>
  Object.entries(norms).flatMap(([path, channels]) => [
    { name: `${path}/mean`, shape: [channels], mean: 0, deviation: 0 },
    { name: `${path}/variance`, shape: [channels], mean: 1, deviation: 0 },
  ]);

const momentsOf = (x: Tensor): Moments => {
  const count = x.size / (x.shape[3] ?? 1);
  const mean = tf.mean(x, [0, 1, 2]);
  const spread = tf.sum(tf.square(tf.sub(x, mean)), [0, 1, 2]);
  return { mean, variance: tf.div(spread, Math.max(1, count - 1)) };
};

/** Batch norm in training; `note` is given the statistics of each layer. */
export const trainingNorm = (
  weights: Weights,
  note: (path: string, moments: Moments) => void,
): BatchNorm =>
(path, x) => {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  note(path, momentsOf(x));
  // The whole batch as one tall image: its instance norm is the batch norm.
  return instanceNormalize(
    x.reshape([1, batch * height, width, channels]),
    weights(`${path}/gain`).reshape([1, channels]),
    weights(`${path}/bias`).reshape([1, channels]),
    { epsilon },
  ).reshape(x.shape);
};

/** Batch norm after training, with averaged statistics. */
export const averagedNorm = (weights: Weights, running: Tensors): BatchNorm => (path, x) => {
  const scale = tf.mul(
    weights(`${path}/gain`),
    tf.rsqrt(tf.add(need(running, `${path}/variance`), epsilon)),
  );
  const shift = tf.sub(weights(`${path}/bias`), tf.mul(need(running, `${path}/mean`), scale));
  return tf.add(tf.mul(x, scale), shift);
};

/** Moves averages towards the statistics of a batch; where `finite` [] is 0 they stay. */
export const updateRunning = (
  running: Tensors,
  seen: Readonly<Record<string, Moments>>,
  finite: Tensor,
): Tensors => {
  const next: Record<string, Tensor> = { ...running };
  for (const [path, moments] of Object.entries(seen)) {
    for (const leaf of ["mean", "variance"] as const) {
      const name = `${path}/${leaf}`, before = need(next, name), now = moments[leaf];
      const moved = tf.add(tf.mul(before, 1 - momentum), tf.mul(now, momentum));
      const go = tf.greater(tf.mul(tf.onesLike(before), finite), 0);
      next[name] = tf.where(go, moved, before);
    }
  }
  return next;
};
