/**
 * The projection discriminator D(x, y, i) = V(x, y)ᵀ(W_i + w0) + b (equation 5).
 *
 * @module
 */
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../backends/tf.ts";
import type { Rng } from "../pipeline/core/rng.ts";
import { spectralNormalize } from "../backends/ops.ts";
import { type Architecture, discriminatorLayers } from "./architecture.ts";
import { discriminatorParameters } from "./parameter_specs.ts";
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

/** V(x, y; θ) (section 3.1) and what it passed on the way. // [B, S, S, 3] twice → [B, N] */
const describe = (
  weights: Weights,
  architecture: Architecture,
  frames: Tensor,
  landmarks: Tensor,
  pooling: Pooling,
): { readonly v: Tensor2D; readonly features: readonly Tensor[] } => {
  const features: Tensor[] = [];
  const h = runLayers(
    weights,
    discriminatorLayers(architecture),
    tf.concat([frames as Tensor4D, landmarks as Tensor4D], 3),
    { visit: (output) => void features.push(output) },
  );
  return { v: sumPool(h, pooling) as Tensor2D, features };
};

/** D(x, y, i) (equation 5); `rows` are the W_i of the samples. // [B, S, S, 3] twice, [B, N] */
export const discriminate = (
  weights: Weights,
  architecture: Architecture,
  frames: Tensor,
  landmarks: Tensor,
  rows: Tensor,
  pooling: Pooling = "sum-relu",
): Judgement => {
  const { v, features } = describe(weights, architecture, frames, landmarks, pooling);
  const general = tf.matMul(v, weights("D/w0") as Tensor2D).reshape([-1]);
  const personal = tf.sum(tf.mul(v, rows), 1);
  return { score: tf.add(tf.add(general, personal), weights("D/b")), features };
};

/** The name of w′ of one person's discriminator. */
export const personalName = "D/w";

/** D′(x, y) = V(x, y)ᵀw′ + b (equation 8); w′ is the weight `D/w`. // [B, S, S, 3] twice */
export const discriminatePerson = (
  weights: Weights,
  architecture: Architecture,
  frames: Tensor,
  landmarks: Tensor,
  pooling: Pooling = "sum-relu",
): Judgement => {
  const { v, features } = describe(weights, architecture, frames, landmarks, pooling);
  const score = tf.matMul(v, weights(personalName) as Tensor2D).reshape([-1]);
  return { score: tf.add(score, weights("D/b")), features };
};

/**
 * D′ of a person from D: w′ = w0 / σ(w0) + ê_NEW, the sum with which D′ scores as D would with
 * W_i = ê_NEW; θ and b are D's own tensors (section 3.3). // ê [1, N]
 */
export const personDiscriminator = (
  { parameters, spectral }: Network,
  embedding: Tensor,
): Network => {
  const { "D/w0": w0, ...rest } = parameters, { "D/w0": u, ...spectralRest } = spectral;
  if (!w0 || !u) throw new Error("Cannot make D′: the discriminator has no D/w0");
  const general = spectralNormalize(w0, u);
  const own = tf.add(general, embedding.reshape([-1, 1]));
  return { parameters: { ...rest, [personalName]: own }, spectral: spectralRest };
};
