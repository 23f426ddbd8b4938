/**
 * The projection discriminator D(x, y, i) = V(x, y)ᵀ(W_i + w0) + b (equation 5).
 *
 * @module
 */
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../backends/tf.ts";
import type { Rng } from "../pipeline/core/rng.ts";
import { type Architecture, discriminatorLayers, discriminatorParameters } from "./architecture.ts";
import { runLayers, sumPool } from "./blocks.ts";
import type { Pooling } from "./embedder.ts";
import { createNetwork, type Network, type Weights } from "./parameters.ts";

/**
 * A new discriminator without the rows of W, which a row table keeps in host memory: parameters
 * `D/…`, a pure function of the stream `rng`. Call inside `backend.run`.
 */
export const createDiscriminator = (architecture: Architecture, rng: Rng): Network =>
  createNetwork(discriminatorParameters(architecture), rng);

/** The realism score of each frame and the activations that feature matching compares. */
export interface Judgement {
  /** High where a frame is taken for real and of its person. // [B] */
  readonly score: Tensor;
  /** Outputs of the residual blocks, coarse to fine in number of blocks passed. */
  readonly features: readonly Tensor[];
}

/** D(x, y, i) (equation 5); `rows` are the W_i of the samples. // [B, S, S, 3] twice, [B, N] */
export const discriminate = (
  weights: Weights,
  architecture: Architecture,
  frames: Tensor,
  landmarks: Tensor,
  rows: Tensor,
  pooling: Pooling = "sum-relu",
): Judgement => {
  const features: Tensor[] = [];
  const h = runLayers(
    weights,
    discriminatorLayers(architecture),
    tf.concat([frames as Tensor4D, landmarks as Tensor4D], 3),
    { visit: (output) => void features.push(output) },
  );
  const v = sumPool(h, pooling) as Tensor2D; // [B, N]
  const general = tf.matMul(v, weights("D/w0") as Tensor2D).reshape([-1]);
  const personal = tf.sum(tf.mul(v, rows), 1);
  return { score: tf.add(tf.add(general, personal), weights("D/b")), features };
};
