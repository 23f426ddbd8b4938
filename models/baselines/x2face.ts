/**
 * X2Face (Wiles et al. 2018), one of the paper's rivals: T frames are warped into one embedded
 * face, which is warped again to follow a driving frame. No landmarks: it sees the driving frame
 * itself.
 *
 * @module
 */
import { gridSample, identityGrid } from "../../backends/kernels/grid_sample.ts";
import { type Tensor, tf } from "../../backends/tf.ts";
import type { Weights } from "../parameters.ts";
import type { PresetName } from "../presets.ts";
import type { BatchNorm } from "./batch_norm.ts";
import type { BaselineParameter } from "./parameters.ts";
import { runUnet, unetNorms, unetParameters, type UnetShape } from "./unet.ts";

/** The shapes of both networks. */
export interface X2FaceArchitecture {
  /** Of a source frame: where it goes in the embedded face, and how sure that is. */
  readonly embedding: UnetShape;
  /** Of the driving frame: where the embedded face goes; through a bottleneck, without skips. */
  readonly driving: UnetShape;
}

const architecture = (
  levels: number,
  width: number,
  inner: { readonly embedding: number; readonly driving: number },
  start: number,
): X2FaceArchitecture => ({
  embedding: { levels, width, inner: inner.embedding, output: 3, skips: true, start },
  driving: { levels, width, inner: inner.driving, output: 2, skips: false, start },
});

/** Small runs are too short to untangle random warps: theirs start near the identity. */
const nearIdentity = 0.1;

/** The sizes by preset; those of `paper-256` are the original's: 39.16 M and 25.61 M parameters. */
export const x2faceSizes: Readonly<Record<PresetName, X2FaceArchitecture>> = {
  "paper-256": architecture(8, 64, { embedding: 512, driving: 128 }, 1),
  "small-128": architecture(7, 32, { embedding: 256, driving: 64 }, nearIdentity),
  "toy-64": architecture(6, 32, { embedding: 256, driving: 64 }, nearIdentity),
  "test-16": architecture(4, 16, { embedding: 64, driving: 64 }, nearIdentity),
};

const embeddingPath = "X2Face/embedding", drivingPath = "X2Face/driving";

/** Parameters of the embedding network. */
export const embeddingParameters = (sizes: X2FaceArchitecture): readonly BaselineParameter[] =>
  unetParameters(embeddingPath, sizes.embedding);

/** Parameters of the driving network. */
export const drivingParameters = (sizes: X2FaceArchitecture): readonly BaselineParameter[] =>
  unetParameters(drivingPath, sizes.driving);

/** The batch norms of both networks by path, with their channels. */
export const x2faceNorms = (sizes: X2FaceArchitecture): Readonly<Record<string, number>> => ({
  ...unetNorms(embeddingPath, sizes.embedding),
  ...unetNorms(drivingPath, sizes.driving),
});

/** What the forward passes need. */
export interface X2FaceNetworks {
  /** The sizes of both. */
  readonly sizes: X2FaceArchitecture;
  /** Their parameters. */
  readonly weights: Weights;
  /** How they normalise: as in training, or with what training has seen. */
  readonly norm: BatchNorm;
}

const gridOf = (offsets: Tensor): Tensor =>
  tf.add(tf.tanh(offsets), identityGrid(offsets.shape[1] ?? 1, offsets.shape[2] ?? 1));

/**
 * T frames of each of B people, images in [0, 1], as one embedded face each: the mean of the
 * warped frames, weighted by confidence. // [B·T, S, S, 3] → [B, S, S, 3]
 */
export const embedFace = (
  { sizes, weights, norm }: X2FaceNetworks,
  sources: Tensor,
  shots: number,
): Tensor => {
  const [count = 1, height = 1, width = 1] = sources.shape;
  const found = runUnet(embeddingPath, sizes.embedding, weights, norm, sources);
  const [offsets, certainty] = tf.split(found, [2, 1], 3) as [Tensor, Tensor];
  const confidence = tf.add(tf.exp(certainty), 0.1);
  const warped = tf.mul(gridSample(sources, gridOf(offsets)), confidence);
  const total = (x: Tensor): Tensor =>
    tf.sum(x.reshape([count / shots, shots, height * width, -1]), 1);
  return tf.div(total(warped), total(confidence))
    .reshape([count / shots, height, width, 3]);
};

/**
 * The embedded face as in a driving frame, both in [0, 1]. The offsets pass through tanh twice, as
 * in the original. // [B, S, S, 3] twice → [B, S, S, 3]
 */
export const driveFace = (
  { sizes, weights, norm }: X2FaceNetworks,
  face: Tensor,
  driving: Tensor,
): Tensor => {
  const offsets = tf.tanh(runUnet(drivingPath, sizes.driving, weights, norm, driving));
  return gridSample(face, gridOf(offsets));
};
