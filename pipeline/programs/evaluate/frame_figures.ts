/**
 * What is measured on one synthesised frame beside the real one (section 4.1).
 *
 * @module
 */
import type { Err } from "../../core/errors.ts";
import { E, type Either } from "../../core/fp.ts";
import type { Frame, Image } from "../../core/image.ts";
import { csim } from "../../metrics/csim.ts";
import { landmarkError } from "../../metrics/landmarks.ts";
import { meanAbsoluteError } from "../../metrics/pixels.ts";
import { ssim } from "../../metrics/ssim.ts";
import { undetectedError } from "../held_out_figures.ts";
import type { Judges } from "./judges.ts";

/** Figures of one frame. */
export interface FrameFigures {
  /** Structural similarity, 1 for equal pictures. */
  readonly ssim: number;
  /** Cosine similarity of the identity descriptors, both aligned by the real frame's landmarks. */
  readonly csim: number;
  /** Mean absolute error, images in [-1, 1]. */
  readonly l1: number;
  /** In eye distances; a face that is not found counts as {@link undetectedError}. */
  readonly landmarkError: number;
  /** 1 where no face was found, else 0. */
  readonly undetected: number;
}

/** The names of the figures, in the order of tables. */
export const figureNames: readonly (keyof FrameFigures)[] = [
  ...["ssim", "csim", "l1", "landmarkError", "undetected"] as const,
];

/** There is one face in each picture, and small synthesised ones score low: the best is taken. */
const leastScore = 0.1;

/** A real frame with what does not change from answer to answer. */
export interface Truth {
  /** The hold-out frame. */
  readonly frame: Frame;
  /** Its identity descriptor. */
  readonly descriptor: Float32Array;
}

/** Describes real frames once for all answers. */
export const describeTruths = async (
  { identity }: Judges,
  frames: readonly Frame[],
): Promise<Either<Err<"Backend" | "DeviceLost">, readonly Truth[]>> => {
  const truths: Truth[] = [];
  for (const frame of frames) {
    const descriptor = await identity.describe(frame.image, frame.landmarks)();
    if (E.isLeft(descriptor)) return descriptor;
    truths.push({ frame, descriptor: descriptor.right });
  }
  return E.right(truths);
};

/** Measures one answer. `Backend` where the face networks fail. */
export const measureFrame = async (
  { faces, identity }: Judges,
  image: Image,
  { frame, descriptor }: Truth,
): Promise<Either<Err<"Backend" | "DeviceLost">, FrameFigures>> => {
  const described = await identity.describe(image, frame.landmarks)();
  if (E.isLeft(described)) return described;
  const detected = await faces.detect(image, { scoreThreshold: leastScore })();
  if (E.isLeft(detected)) return detected;
  const [face] = detected.right;
  return E.right({
    ssim: ssim(image, frame.image),
    csim: csim(described.right, descriptor),
    l1: meanAbsoluteError(image, frame.image),
    landmarkError: face
      ? Math.min(undetectedError, landmarkError(frame.landmarks, face.landmarks))
      : undetectedError,
    undetected: face ? 0 : 1,
  });
};
