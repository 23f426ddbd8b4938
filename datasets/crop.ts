/**
 * The one crop of the project: training, few-shot and driving cut faces out with it, so that a
 * network always sees a face at the same place. One square for a whole clip keeps the picture
 * still while the head moves.
 *
 * @module
 */
import type { Frame, Image, Landmarks } from "../pipeline/core/image.ts";
import { resample } from "../pipeline/core/resample.ts";

/** A square in pixels of a picture; it may leave the picture. */
export interface Square {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** The bounding box of landmarks. */
export interface Extent {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The bounding box of landmarks; not finite where one of them is not. */
export const extentOf = (landmarks: Landmarks): Extent => {
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
  for (let i = 0; i + 1 < landmarks.length; i += 2) {
    left = Math.min(left, landmarks[i]!);
    right = Math.max(right, landmarks[i]!);
    top = Math.min(top, landmarks[i + 1]!);
    bottom = Math.max(bottom, landmarks[i + 1]!);
  }
  return { left, top, right, bottom };
};

/** The longer side of the landmarks' bounding box, in pixels. */
export const faceSide = (landmarks: Landmarks): number => {
  const { left, top, right, bottom } = extentOf(landmarks);
  return Math.max(right - left, bottom - top);
};

/** The middle of the landmarks' bounding box. */
export const faceCentre = (landmarks: Landmarks): readonly [number, number] => {
  const { left, top, right, bottom } = extentOf(landmarks);
  return [(left + right) / 2, (top + bottom) / 2];
};

/** The middle value; the mean of the two middle ones of an even count; NaN of none. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
};

/** A face box may be so many times larger or smaller than the clip's median. */
const SIZE_RATIO = 1.42;
/** A face may stand so many median sides away from the clip's median place. */
const DISPLACEMENT = 0.6;

/**
 * Tells which frames of a clip show the face at about its usual size and place: indices in
 * ascending order. The others are wrong detections, cuts, or a face that leaves; `undefined` and
 * landmarks that are not finite never count.
 */
export const steadyFrames = (tracks: readonly (Landmarks | undefined)[]): readonly number[] => {
  const found = tracks.flatMap((landmarks, index) =>
    landmarks !== undefined && landmarks.every(Number.isFinite)
      ? [{ index, side: faceSide(landmarks), centre: faceCentre(landmarks) }]
      : []
  );
  const side = median(found.map((face) => face.side));
  const x = median(found.map(({ centre }) => centre[0]));
  const y = median(found.map(({ centre }) => centre[1]));
  return found.filter((face) =>
    face.side <= side * SIZE_RATIO && face.side * SIZE_RATIO >= side &&
    Math.max(Math.abs(face.centre[0] - x), Math.abs(face.centre[1] - y)) <= DISPLACEMENT * side
  ).map(({ index }) => index);
};

/**
 * The square of a clip, from the landmarks of its frames (one frame will do): its side is twice
 * the median face, or 1.15 of the area that the face moves in, whichever is more; its centre is
 * that area's, moved up by a sixth of a face for the hair, but never so far that a landmark
 * leaves. Throws a `RangeError` without landmarks: a bug of the caller.
 */
export const cropSquare = (tracks: readonly Landmarks[]): Square => {
  if (tracks.length === 0) throw new RangeError("Cannot crop: there are no landmarks");
  const extents = tracks.map(extentOf);
  const left = Math.min(...extents.map((extent) => extent.left));
  const right = Math.max(...extents.map((extent) => extent.right));
  const top = Math.min(...extents.map((extent) => extent.top));
  const bottom = Math.max(...extents.map((extent) => extent.bottom));
  const face = median(tracks.map(faceSide));
  const side = Math.max(2 * face, 1.15 * Math.max(right - left, bottom - top));
  const up = Math.min(face / 6, (side - (bottom - top)) / 2);
  return { x: (left + right - side) / 2, y: (top + bottom - side) / 2 - up, side };
};

/** Where landmarks of a picture lie in a `size × size` crop of it. */
export const toCrop = (landmarks: Landmarks, square: Square, size: number): Landmarks => {
  const scale = size / square.side;
  return landmarks.map((v, i) => (v - (i % 2 === 0 ? square.x : square.y)) * scale);
};

/** Where landmarks of a `size × size` crop lie in the picture: the inverse of {@link toCrop}. */
export const fromCrop = (landmarks: Landmarks, square: Square, size: number): Landmarks => {
  const scale = square.side / size;
  return landmarks.map((v, i) => v * scale + (i % 2 === 0 ? square.x : square.y));
};

/**
 * Cuts a square out of a picture at `size × size` pixels, with its landmarks in pixels of the
 * crop. Antialiased; what lies outside the picture repeats its edge.
 *
 * @example
 * ```ts
 * import { cropFrame, cropSquare } from "./crop.ts";
 * import { makeImage } from "../pipeline/core/image.ts";
 * const landmarks = new Float32Array(136).map((_, i) => i % 2 === 0 ? 40 + i / 8 : 50);
 * const frame = cropFrame(makeImage(100, 80), landmarks, cropSquare([landmarks]), 64);
 * if (frame.image.width !== 64) throw new Error("unexpected size");
 * ```
 */
export const cropFrame = (
  image: Image,
  landmarks: Landmarks,
  square: Square,
  size: number,
): Frame => ({
  image: resample(
    image,
    { x: square.x, y: square.y, width: square.side, height: square.side },
    size,
    size,
  ),
  landmarks: toCrop(landmarks, square, size),
});
