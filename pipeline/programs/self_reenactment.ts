/**
 * Self-reenactment (section 4): embed some frames of a person, then synthesise other frames of the
 * same person from their landmarks alone.
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import type { Model } from "../../models/adversarial.ts";
import { generate } from "../../models/generator.ts";
import { plainWeights, type Tensors } from "../../models/parameters.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import type { Image } from "../core/image.ts";
import type { Stage } from "../core/stage.ts";
import { imagesToTensor, mapFrame, tensorToImages } from "./device_batch.ts";
import { averageEmbedding } from "./embed_average.ts";
import type { Trial } from "./held_out.ts";

/** Synthesised targets of one trial. */
export interface Reenactment {
  /** What was asked for. */
  readonly trial: Trial;
  /** With the person's own embedding. */
  readonly outputs: readonly Image[];
  /** The same landmarks with the embedding of the next person in the list. */
  readonly withOther: readonly Image[];
}

const synthesise = (
  model: Model,
  weights: Tensors,
  { targets }: Trial,
  embedding: Tensor,
): Tensor =>
  generate(
    plainWeights(weights),
    model.architecture,
    imagesToTensor(targets.map((frame) => mapFrame(frame).map)),
    tf.tile(embedding, [targets.length, 1]),
    model.gain,
  );

/**
 * Runs every trial with its own embedding and with another person's: if both give the same
 * pictures the embedding is dead. `weights` are E, G and P, spectral norms folded. Errors: those
 * of the backend.
 */
export const reenact = (
  model: Model,
  weights: Tensors,
): Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  readonly Trial[],
  readonly Reenactment[]
> =>
(trials) =>
({ backend }) =>
async () => {
  const embedded = await backend.run(
    "embeddings of held-out people",
    () => trials.map(({ sources }) => averageEmbedding(model, weights, sources)),
  )();
  if (E.isLeft(embedded)) return embedded;
  const results: Reenactment[] = [];
  try {
    for (const [i, trial] of trials.entries()) {
      const own = embedded.right[i], other = embedded.right[(i + 1) % trials.length];
      if (!own || !other) throw new Error(`Cannot reenact trial ${i}: it has no embedding`);
      const made = await backend.run(
        "self-reenactment",
        () => [own, other].map((embedding) => synthesise(model, weights, trial, embedding)),
      )();
      if (E.isLeft(made)) return made;
      const read = await backend.read(
        "synthesised frames",
        () => Promise.all(made.right.map((tensor) => tensor.data<"float32">())),
      )();
      backend.dispose(made.right);
      if (E.isLeft(read)) return read;
      const [outputs = [], withOther = []] = read.right.map((values) =>
        tensorToImages(values, model.architecture.size)
      );
      results.push({ trial, outputs, withOther });
    }
  } finally {
    backend.dispose(embedded.right);
  }
  return E.right(results);
};
