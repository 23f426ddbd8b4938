/**
 * What is measured on one synthesised frame beside the real one (section 4.1).
 *
 * @module
 */
import type { Err } from "../../core/errors.ts";
import { E, type Either } from "../../core/fp.ts";
import type { Frame, Image } from "../../core/image.ts";
import { csim } from "../../metrics/csim.ts";
import { measureFollowing } from "../../metrics/following.ts";
import { meanAbsoluteError } from "../../metrics/pixels.ts";
import { ssim } from "../../metrics/ssim.ts";
import type { Judges } from "./judges.ts";

/** Figures of one frame. */
export interface FrameFigures {
  /** Structural similarity, 1 for equal pictures. */
  readonly ssim: number;
  /** Cosine similarity of the identity descriptors, both aligned by the real frame's landmarks. */
  readonly csim: number;
  /** Mean absolute error, images in [-1, 1]. */
  readonly l1: number;
  /** In eye distances; a face that is not found counts as 1. */
  readonly landmarkError: number;
  /** 1 where no face was found, else 0. */
  readonly undetected: number;
  /** The learnt distance of the whole pictures, where its weights were given. */
  readonly lpips?: number;
}

/** Something for each figure. */
export type Figured<A> =
  & Readonly<Record<Exclude<keyof FrameFigures, "lpips">, A>>
  & { readonly lpips?: A };

const always = ["ssim", "csim", "l1", "landmarkError", "undetected"] as const;

/** The names of the figures that some rows have, in the order of tables. */
export const namesOf = (
  rows: readonly { readonly figures: Figured<unknown> }[],
): readonly (keyof FrameFigures)[] =>
  rows.some(({ figures }) => figures.lpips !== undefined) ? [...always, "lpips"] : always;

/** Makes something for each figure that all of these frames have. */
export const forFigures = <A>(
  frames: readonly FrameFigures[],
  make: (of: (figures: FrameFigures) => number) => A,
): Figured<A> => ({
  ssim: make(({ ssim }) => ssim),
  csim: make(({ csim }) => csim),
  l1: make(({ l1 }) => l1),
  landmarkError: make(({ landmarkError }) => landmarkError),
  undetected: make(({ undetected }) => undetected),
  ...(frames.length > 0 && frames.every(({ lpips }) => lpips !== undefined) && {
    lpips: make(({ lpips = NaN }) => lpips),
  }),
});

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

/** Measures one frame of an answer. `Backend` where the face networks fail. */
const measureFrame = async (
  { faces, identity }: Judges,
  image: Image,
  { frame, descriptor }: Truth,
): Promise<Either<Err<"Backend" | "DeviceLost">, FrameFigures>> => {
  const described = await identity.describe(image, frame.landmarks)();
  if (E.isLeft(described)) return described;
  const following = await measureFollowing(faces, image, frame.landmarks)();
  if (E.isLeft(following)) return following;
  return E.right({
    ssim: ssim(image, frame.image),
    csim: csim(described.right, descriptor),
    l1: meanAbsoluteError(image, frame.image),
    ...following.right,
  });
};

/** Measures all frames of an answer. `Backend` where a judge fails. Throws where one is not answered. */
export const measureAll = async (
  judges: Judges,
  images: readonly Image[],
  truths: readonly Truth[],
): Promise<Either<Err<"Backend" | "DeviceLost">, readonly FrameFigures[]>> => {
  const figures: FrameFigures[] = [];
  for (const [i, truth] of truths.entries()) {
    const image = images[i];
    if (!image) throw new Error(`Cannot measure frame ${i}: it was not answered`);
    const measured = await measureFrame(judges, image, truth);
    if (E.isLeft(measured)) return measured;
    figures.push(measured.right);
  }
  if (!judges.lpips) return E.right(figures);
  const real = truths.map(({ frame }) => frame.image);
  const distances = await judges.lpips.distances(images.slice(0, real.length), real)();
  return E.map((lpips: readonly number[]) =>
    figures.map((each, i) => ({ ...each, lpips: lpips[i] ?? NaN }))
  )(distances);
};
