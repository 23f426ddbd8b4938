/**
 * A person from a few frames at once, without training: ê_NEW by the embedder, ψ′ = P·ê_NEW
 * (section 3.3, equation 7).
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import { projectEmbedding } from "../../models/generator.ts";
import type { Model } from "../../models/adversarial.ts";
import { foldSpectralNorm, plainWeights, type Tensors } from "../../models/parameters.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { F, RTE } from "../core/fp.ts";
import type { Frame } from "../core/image.ts";
import { type Owned, upload } from "../core/owned.ts";
import { bracket, type Stage } from "../core/stage.ts";
import { averageEmbedding } from "./embed_average.ts";
import { downloadTensors } from "./host_tensors.ts";
import { choosePortrait, noConsent, type Person, rasterizerOf } from "./person.ts";
import { modelFrom, type TrainedModel, uploadModel } from "./trained_model.ts";

type Device = Err<"Backend" | "DeviceLost">;

/** What is said of a person who is made. */
export interface PersonOptions {
  /** Who agreed to what; kept in the person's file. */
  readonly consent?: string;
}

/** So many frames are embedded at once: memory stays that of a step of meta-learning. */
const CHUNK = 8;

/** ê, ψ′ and the folded generator of a person, on the device. */
interface Embedded {
  readonly embedding: Tensor;
  readonly coefficients: Tensor;
  readonly generator: Tensors;
}

/** E, G and P as they are used, spectral norms folded. Call inside `backend.run`. */
export const foldModel = (model: TrainedModel): Tensors => {
  const { embedder, generator } = uploadModel(model);
  return { ...foldSpectralNorm(embedder), ...foldSpectralNorm(generator) };
};

/** ê over any number of frames, a few at once (equation 7); `weights` are folded. // [1, N] */
export const embedFrames = (
  model: Model,
  weights: Tensors,
  frames: readonly Frame[],
): Tensor => {
  const parts: Tensor[] = [];
  for (let from = 0; from < frames.length; from += CHUNK) {
    const chunk = frames.slice(from, from + CHUNK);
    parts.push(
      tf.tidy(() => tf.mul(averageEmbedding(model, weights, chunk), chunk.length)),
    );
  }
  return tf.div(parts.reduce((sum, part) => tf.add(sum, part)), frames.length);
};

const embedOnDevice = (model: TrainedModel): Stage<
  HasBackend,
  Device,
  readonly Frame[],
  Owned<Embedded>
> =>
  upload("embedding of a person", (frames: readonly Frame[]): Embedded => {
    const weights = foldModel(model);
    const embedding = embedFrames(modelFrom(model.config), weights, frames);
    return {
      embedding,
      coefficients: projectEmbedding(plainWeights(weights), embedding),
      generator: Object.fromEntries(
        Object.entries(weights).filter(([name]) => name.startsWith("G/")),
      ),
    };
  });

/**
 * Frames of a person never seen → the person, feed-forward (equation 7): at once, on any number of
 * frames. They are crops of the model's size: see `readSources`. Errors: those of the backend;
 * throws a `RangeError` without frames or with frames of another size, a bug of the caller.
 *
 * @example
 * ```ts
 * import { F, RTE } from "../core/fp.ts";
 * import { embedPerson } from "./embed.ts";
 * import { readSources } from "./sources.ts";
 * import { loadModel } from "./trained_model.ts";
 *
 * const ada = F.pipe(
 *   loadModel("no-such-run"),
 *   RTE.flatMap((model) =>
 *     F.pipe(readSources({ size: 64 })(["ada.jpg"]), RTE.flatMap(embedPerson(model)))
 *   ),
 * );
 * if (typeof ada !== "function") throw new Error("unexpected");
 * ```
 */
export const embedPerson = (
  model: TrainedModel,
  { consent = noConsent }: PersonOptions = {},
): Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  readonly Frame[],
  Person<"embedded">
> =>
(frames) => {
  const { preset } = model.config,
    { architecture: { size }, pooling, gain } = modelFrom(model.config);
  const portrait = choosePortrait(frames);
  const wrong = frames.find(({ image }) => image.width !== size || image.height !== size);
  if (wrong) {
    throw new RangeError(
      `Cannot embed: a frame is ${wrong.image.width}×${wrong.image.height}, expected ${size}×${size}`,
    );
  }
  return bracket(
    embedOnDevice(model),
    (made: Owned<Embedded>) => {
      const { generator, embedding, coefficients } = made.value;
      return F.pipe(
        downloadTensors({ ...generator, embedding, coefficients }),
        RTE.map(({ embedding, coefficients, ...generator }): Person<"embedded"> => ({
          kind: "embedded",
          preset,
          pooling,
          gain,
          embedding: Float32Array.from(embedding?.data ?? []),
          coefficients: Float32Array.from(coefficients?.data ?? []),
          generator,
          rasterizer: rasterizerOf(preset),
          model: model.hash,
          consent,
          portrait,
          sources: frames.map(({ landmarks }) => landmarks),
        })),
      );
    },
    (made) => made[Symbol.dispose](),
  )(frames);
};
