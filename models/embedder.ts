/**
 * The embedder E(x, y; φ) (section 3.1): a frame and its landmark image → a vector that keeps who
 * it is and not the pose.
 *
 * @module
 */
import { type Tensor, type Tensor4D, tf } from "../backends/tf.ts";
import type { Rng } from "../pipeline/core/rng.ts";
import { type Architecture, embedderLayers } from "./architecture.ts";
import { embedderParameters } from "./parameter_specs.ts";
import { runLayers, sumPool } from "./blocks.ts";
import { createNetwork, type Network, type Weights } from "./parameters.ts";

/** How E and V pool: the paper sums, then applies ReLU. */
export type Pooling = "sum-relu" | "relu-sum";

/**
 * A new embedder: parameters `E/…`, a pure function of the stream `rng`. Call inside
 * `backend.run`; the tensors are the caller's.
 */
export const createEmbedder = (architecture: Architecture, rng: Rng): Network =>
  createNetwork(embedderParameters(architecture), rng);

/** ê of each frame: E(x, y) (section 3.1). // [B, S, S, 3] in [-1, 1] twice → [B, N] */
export const embed = (
  weights: Weights,
  architecture: Architecture,
  frames: Tensor,
  landmarks: Tensor,
  pooling: Pooling = "sum-relu",
): Tensor =>
  sumPool(
    runLayers(
      weights,
      embedderLayers(architecture),
      tf.concat([frames as Tensor4D, landmarks as Tensor4D], 3),
    ),
    pooling,
  );

/** ê (equation 1): the mean over the K frames of each sequence. // [B·K, N] → [B, N] */
export const averageEmbeddings = (embeddings: Tensor, shots: number): Tensor => {
  const [rows = shots, numbers = 1] = embeddings.shape;
  return tf.mean(embeddings.reshape([rows / shots, shots, numbers]), 1);
};
