/**
 * A person as a value: everything that turns landmarks into frames of them, in host memory
 * (section 3.3). Made by `embedPerson` and `fineTune`, taken by `openPerson` and `drive`.
 *
 * @module
 */
import { adaptiveChannels } from "../../models/architecture.ts";
import { generatorParameters } from "../../models/parameter_specs.ts";
import type { Model } from "../../models/adversarial.ts";
import type { Pooling } from "../../models/embedder.ts";
import type { AdaptiveGain } from "../../models/generator.ts";
import { type PresetName, presets } from "../../models/presets.ts";
import type { Frame, Landmarks } from "../core/image.ts";
import type { HostTensors } from "../core/safetensors.ts";

/** How a person came to be: by the embedder alone, or fine-tuned after it. */
export type PersonKind = "embedded" | "fine-tuned";

/**
 * A person, in host memory. Driving takes both kinds, fine-tuning only an embedded one; photos are
 * not a person.
 */
export interface Person<out Kind extends PersonKind = PersonKind> {
  /** How it came to be. */
  readonly kind: Kind;
  /** Sizes of the networks, by name. */
  readonly preset: PresetName;
  /** How the embedder pooled. */
  readonly pooling: Pooling;
  /** How AdaIN reads its gain. */
  readonly gain: AdaptiveGain;
  /** ê_NEW (equation 7). // [N] */
  readonly embedding: Float32Array;
  /** ψ′: P·ê_NEW, or what fine-tuning made of it; bias and gain of each AdaIN layer. */
  readonly coefficients: Float32Array;
  /** Weights of the generator, `G/…`, spectral norms folded into the kernels. */
  readonly generator: HostTensors;
  /** How landmarks were drawn when the generator learnt to read them. */
  readonly rasterizer: RasterizerSettings;
  /** SHA-256 of the `weights.safetensors` that it was made with, in hex. */
  readonly model: string;
  /** Who agreed to what, as told by whoever made it. */
  readonly consent: string;
  /** One of the source frames, cropped: what side-by-side films show. */
  readonly portrait: Frame;
  /** Landmarks of all source frames in pixels of their S×S crops. // [T][68, 2] */
  readonly sources: readonly Landmarks[];
}

/** How landmarks become a picture: see `rasterizeLandmarks`. */
export interface RasterizerSettings {
  /** Side of the picture in pixels. */
  readonly size: number;
  /** Width of the lines in pixels. */
  readonly thickness: number;
}

/** The consent line where nobody said anything. */
export const noConsent = "consent was not recorded";

/** How the landmarks of a preset's frames are drawn. */
export const rasterizerOf = (preset: PresetName): RasterizerSettings => {
  const { size } = presets[preset].architecture;
  return { size, thickness: Math.max(1, Math.round(size / 128)) };
};

/** The networks that a person belongs to, and how they are read. */
export const modelOf = ({ preset, pooling, gain }: Person): Model => ({
  architecture: presets[preset].architecture,
  pooling,
  gain,
});

/** A tensor that a person must have. */
export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The weights `G/…` that a person of a preset has. */
export const expectedGenerator = (preset: PresetName): readonly ExpectedTensor[] =>
  generatorParameters(presets[preset].architecture)
    .filter(({ name }) => name.startsWith("G/"))
    .map(({ name, shape }) => ({ name, shape }));

/** How many numbers ψ′ has in a preset. */
export const coefficientCount = (preset: PresetName): number =>
  2 * adaptiveChannels(presets[preset].architecture).reduce((a, b) => a + b, 0);

/**
 * The source frame that looks most like the middle of all: its landmarks are closest to their
 * mean. Throws a `RangeError` without frames: a bug of the caller.
 */
export const choosePortrait = (frames: readonly Frame[]): Frame => {
  const [first] = frames;
  if (!first) throw new RangeError("Cannot choose a portrait: there are no frames");
  const mean = first.landmarks.map((_, i) =>
    frames.reduce((sum, { landmarks }) => sum + (landmarks[i] ?? 0), 0) / frames.length
  );
  const distance = ({ landmarks }: Frame): number =>
    landmarks.reduce((sum, value, i) => sum + Math.abs(value - (mean[i] ?? 0)), 0);
  return frames.reduce((best, frame) => distance(frame) < distance(best) ? frame : best);
};
