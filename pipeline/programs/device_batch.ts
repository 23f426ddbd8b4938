/**
 * From frames in memory to tensors: landmark images are drawn, pixels become numbers in [-1, 1].
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import { rasterizeLandmarks } from "../../datasets/rasterize.ts";
import type { StepEpisodes } from "../../datasets/sample.ts";
import type { Batch } from "../../models/adversarial.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import type { Frame, Image } from "../core/image.ts";
import { type Owned, upload } from "../core/owned.ts";
import { fromFunction, type Stage } from "../core/stage.ts";

/** A frame and the image of its landmarks: the pair (x, y) of the paper. */
export interface MappedFrame {
  /** x: the frame. */
  readonly image: Image;
  /** y: the picture of its landmarks, of the same size. */
  readonly map: Image;
}

/** An episode with landmark images. */
export interface MappedEpisode {
  /** The row of W. */
  readonly row: number;
  /** What ê is averaged over. // [K] */
  readonly sources: readonly MappedFrame[];
  /** The pair to be synthesised from its landmarks. */
  readonly target: MappedFrame;
}

/** One training step in host memory. */
export interface MappedStep {
  /** Number of the step, from 0. */
  readonly step: number;
  /** One for each place of the batch. // [B] */
  readonly episodes: readonly MappedEpisode[];
}

/** One training step on the device. */
export interface DeviceStep {
  /** Number of the step, from 0. */
  readonly step: number;
  /** The distinct rows of W that the step needs; `Batch.selector` points into them. */
  readonly rows: readonly number[];
  /** As many as gradients are accumulated over. */
  readonly parts: readonly Batch[];
}

/** Draws the landmarks of one frame: y = landmark image of x. */
export const mapFrame = ({ image, landmarks }: Frame): MappedFrame => ({
  image,
  map: rasterizeLandmarks(landmarks, image.width),
});

/** Draws the landmarks of every frame of a step (section 3.1). */
export const landmarkMaps: Stage<unknown, never, StepEpisodes, MappedStep> = fromFunction(
  ({ step, episodes }: StepEpisodes) => ({
    step,
    episodes: episodes.map(({ row, sources, target }) => ({
      row,
      sources: sources.map(mapFrame),
      target: mapFrame(target),
    })),
  }),
);

/** Pixels as numbers in [-1, 1]. // [images, S, S, 3] */
export const imagesToTensor = (images: readonly Image[]): Tensor => {
  const [{ width, height } = { width: 0, height: 0 }] = images;
  const values = new Float32Array(images.length * width * height * 3);
  images.forEach(({ data }, i) => {
    const from = i * width * height * 3;
    for (let k = 0; k < data.length; k++) values[from + k] = (data[k] ?? 0) / 127.5 - 1;
  });
  return tf.tensor(values, [images.length, height, width, 3]);
};

/** Numbers in [-1, 1] as pictures, rounded and clamped. // values of [images, S, S, 3] */
export const tensorToImages = (values: Float32Array, side: number): readonly Image[] => {
  const numbers = side * side * 3;
  return Array.from({ length: values.length / numbers }, (_, i) => {
    const data = new Uint8Array(numbers);
    for (let k = 0; k < numbers; k++) {
      const level = Math.round(((values[i * numbers + k] ?? 0) + 1) * 127.5);
      data[k] = Math.min(255, Math.max(0, level));
    }
    return { width: side, height: side, channels: 3, data };
  });
};

const toBatch = (episodes: readonly MappedEpisode[], rows: readonly number[]): Batch => {
  const sources = episodes.flatMap(({ sources }) => sources);
  const targets = episodes.map(({ target }) => target);
  const selector = episodes.map(({ row }) => rows.map((other) => row === other ? 1 : 0));
  return {
    sources: imagesToTensor(sources.map(({ image }) => image)),
    sourceLandmarks: imagesToTensor(sources.map(({ map }) => map)),
    target: imagesToTensor(targets.map(({ image }) => image)),
    targetLandmarks: imagesToTensor(targets.map(({ map }) => map)),
    selector: tf.tensor2d(selector, [episodes.length, rows.length]),
  };
};

/** Uploads a step, split into `accumulate` parts of equal size; the caller owns it. */
export const toDevice = (
  accumulate = 1,
): Stage<HasBackend, Err<"Backend" | "DeviceLost">, MappedStep, Owned<DeviceStep>> =>
  upload("upload of a batch", ({ step, episodes }: MappedStep): DeviceStep => {
    const rows = [...new Set(episodes.map(({ row }) => row))];
    const size = Math.ceil(episodes.length / accumulate);
    const parts = Array.from(
      { length: Math.ceil(episodes.length / size) },
      (_, i) => toBatch(episodes.slice(i * size, (i + 1) * size), rows),
    );
    return { step, rows, parts };
  });
