/**
 * Embedding averaging as a stage: ê of a person from some frames (equations 1 and 7).
 *
 * @module
 */
import type { Tensor } from "../../backends/tf.ts";
import type { Model } from "../../models/adversarial.ts";
import { averageEmbeddings, embed } from "../../models/embedder.ts";
import { plainWeights, type Tensors } from "../../models/parameters.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import type { Frame } from "../core/image.ts";
import { type Owned, upload } from "../core/owned.ts";
import type { Stage } from "../core/stage.ts";
import { imagesToTensor, mapFrame } from "./device_batch.ts";

/** ê = mean over the frames of E(x, y); `weights` are E's, spectral norms folded. // [1, N] */
export const averageEmbedding = (
  { architecture, pooling }: Model,
  weights: Tensors,
  frames: readonly Frame[],
): Tensor => {
  const mapped = frames.map(mapFrame);
  return averageEmbeddings(
    embed(
      plainWeights(weights),
      architecture,
      imagesToTensor(mapped.map(({ image }) => image)),
      imagesToTensor(mapped.map(({ map }) => map)),
      pooling,
    ),
    frames.length,
  );
};

/** K frames of a person → their mean embedding ê (equation 7), owned by the caller. // [1, N] */
export const embedAverage = (
  model: Model,
  weights: Tensors,
): Stage<HasBackend, Err<"Backend" | "DeviceLost">, readonly Frame[], Owned<Tensor>> =>
  upload("embedding", (frames: readonly Frame[]) => averageEmbedding(model, weights, frames));
