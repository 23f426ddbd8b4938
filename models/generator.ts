/**
 * The generator G(y, ê; ψ, P) (section 3.1): a landmark image and an embedding → a frame. The
 * person-specific part enters through AdaIN, whose coefficients are ψ̂ = P·ê.
 *
 * @module
 */
import { type Tensor, type Tensor2D, tf } from "../backends/tf.ts";
import { convolve, instanceNormalize } from "../backends/ops.ts";
import type { Rng } from "../pipeline/core/rng.ts";
import { adaptiveChannels, type Architecture, generatorLayers } from "./architecture.ts";
import { generatorParameters } from "./parameter_specs.ts";
import { type Affine, type NextAffine, runLayers } from "./blocks.ts";
import { createNetwork, type Network, type Weights } from "./parameters.ts";

/** Whether AdaIN uses the projected gain as it is (the paper) or added to 1. */
export type AdaptiveGain = "raw" | "one-plus";

/**
 * A new generator with its projection P: parameters `G/…` and `P/…`, a pure function of the
 * stream `rng`. Call inside `backend.run`; the tensors are the caller's.
 */
export const createGenerator = (architecture: Architecture, rng: Rng): Network =>
  createNetwork(generatorParameters(architecture), rng);

/** ψ̂ = P·ê + bias: the AdaIN coefficients (section 3.1). // [B, N] → [B, coefficients] */
export const projectEmbedding = (weights: Weights, embedding: Tensor): Tensor =>
  tf.add(tf.matMul(embedding as Tensor2D, weights("P/kernel") as Tensor2D), weights("P/bias"));

/** The gain and bias of every AdaIN layer, in the order of the layers; each [B, C]. */
export type Affines = readonly Affine[];

/** Cuts ψ̂ into layers: bias C, then gain C, in the order of the layers. // [B, coefficients] */
export const splitCoefficients = (
  coefficients: Tensor,
  architecture: Architecture,
  gain: AdaptiveGain = "raw",
): Affines => {
  const sizes = adaptiveChannels(architecture).flatMap((c) => [c, c]);
  const parts = tf.split(coefficients, sizes, 1);
  return Array.from({ length: parts.length / 2 }, (_, i) => {
    const bias = parts[2 * i], raw = parts[2 * i + 1];
    if (!bias || !raw) throw new Error(`Cannot cut coefficients: AdaIN layer ${i} has none`);
    return { bias, gain: gain === "raw" ? raw : tf.add(raw, 1) };
  });
};

const oneByOne = (affines: Affines): NextAffine => {
  let position = 0;
  return () => {
    const affine = affines[position++];
    if (!affine) throw new Error("Cannot run an AdaIN layer: all coefficients are used up");
    return affine;
  };
};

/**
 * G with the gain and bias of every AdaIN layer given, [B, C] or [1, C] for a whole batch: all
 * that driving runs. Frames are in [-1, 1]. // [B, S, S, 3] → the same
 */
export const generateFolded = (
  weights: Weights,
  architecture: Architecture,
  landmarks: Tensor,
  affines: Affines,
): Tensor => {
  const next = oneByOne(affines);
  const h = runLayers(weights, generatorLayers(architecture), landmarks, { next });
  const last = next();
  const head = instanceNormalize(h, last.gain, last.bias, { relu: true });
  return tf.tanh(
    convolve(head, weights("G/head/kernel"), { bias: weights("G/head/bias") }),
  );
};

/**
 * G with given coefficients: ψ̂ = P·ê, or a person's own ψ′ (section 3.3). Frames are in [-1, 1].
 * // [B, S, S, 3], [B, coefficients] → [B, S, S, 3]
 */
export const generateWith = (
  weights: Weights,
  architecture: Architecture,
  landmarks: Tensor,
  coefficients: Tensor,
  gain: AdaptiveGain = "raw",
): Tensor =>
  generateFolded(
    weights,
    architecture,
    landmarks,
    splitCoefficients(coefficients, architecture, gain),
  );

/** x̂ = G(y, ê; ψ, P), in [-1, 1] (equation 2). // [B, S, S, 3], [B, N] → [B, S, S, 3] */
export const generate = (
  weights: Weights,
  architecture: Architecture,
  landmarks: Tensor,
  embedding: Tensor,
  gain: AdaptiveGain = "raw",
): Tensor =>
  generateWith(weights, architecture, landmarks, projectEmbedding(weights, embedding), gain);
