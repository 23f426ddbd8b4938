/**
 * One photo or painting to one frame: its faces are found wherever they are and however small,
 * one is chosen, and the crop of the project cuts it out.
 *
 * @module
 */
import type { FaceAnalyzer } from "../backends/face.ts";
import { E, F, TE } from "../pipeline/core/fp.ts";
import type { BadSample, Err } from "../pipeline/core/errors.ts";
import type { Frame, Image, Landmarks } from "../pipeline/core/image.ts";
import { type Rect, resample } from "../pipeline/core/resample.ts";
import { readImage } from "./codec.ts";
import { cropFrame, cropSquare, faceSide } from "./crop.ts";
import { confirmFace, LADDER, movement } from "./video/find_face.ts";
import { badClip } from "./video/probe.ts";

/** Detectors are given at most this many pixels a side: as many as the careful one reads. */
const GLANCED = 512;
/** Faces are confirmed in at most this many pixels a side. */
const LOOKED = 960;
/** Faces nearer than this, in face sides, are the same face seen twice. */
const SAME = 0.5;
/** Crops from squares smaller than this part of their size are smears. */
const ENLARGED = 0.5;
/** Smaller parts than this hold no face that could be used. */
const LEAST_PART = 480;

/** A picture as a whole, then overlapping parts of a half and of a quarter of its sides. */
const partsOf = ({ width, height }: Image): readonly (readonly Rect[])[] =>
  [1, 2, 4].filter((n) => n === 1 || Math.max(width, height) / n >= LEAST_PART).map((n) => {
    const side = Math.max(width, height) / n;
    const starts = (length: number): readonly number[] => {
      if (length <= side) return [0];
      const count = Math.ceil((length - side) / (side / 2)) + 1;
      return Array.from({ length: count }, (_, i) => i * (length - side) / (count - 1));
    };
    const [w, h] = [Math.min(side, width), Math.min(side, height)];
    return starts(height).flatMap((y) =>
      starts(width).map((x): Rect => ({ x, y, width: w, height: h }))
    );
  });

/** The faces of one part, in pixels of the picture, as far as close looks confirm them. */
const facesIn = async (
  analyzer: FaceAnalyzer,
  image: Image,
  part: Rect,
  careful: boolean,
): Promise<E.Either<Err<"Backend">, readonly Landmarks[]>> => {
  const reduced = (longest: number): Image => {
    const scale = Math.min(1, longest / Math.max(part.width, part.height));
    const sides = [part.width, part.height].map((side) => Math.max(1, Math.round(side * scale)));
    return resample(image, part, sides[0] ?? 1, sides[1] ?? 1);
  };
  // Detectors look at few pixels; only where they see something are more worth the time.
  const glance = reduced(GLANCED);
  let close: Image | undefined;
  for (const options of careful ? LADDER : LADDER.slice(1, 2)) {
    const found = await analyzer.detect(glance, options)();
    if (E.isLeft(found)) return found;
    const faces: Landmarks[] = [];
    for (const face of found.right) {
      const view = close ??= reduced(LOOKED);
      const larger = view.width / glance.width;
      const landmarks = face.landmarks.map((v) => v * larger);
      const sure = await confirmFace(analyzer, view, landmarks)();
      if (E.isLeft(sure)) return sure;
      if (sure.right) {
        faces.push(
          sure.right.landmarks.map((v, i) =>
            i % 2 === 0
              ? v * part.width / view.width + part.x
              : v * part.height / view.height + part.y
          ),
        );
      }
    }
    if (faces.length > 0) return E.right(faces);
  }
  return E.right([]);
};

/**
 * The faces of a picture, the largest first: looked for in the whole picture, then, while fewer
 * than `wanted` are found, in ever smaller parts of it. None is an empty list. Error: `Backend`.
 * // each [68, 2] in pixels of the picture
 */
export const findFaces = (
  analyzer: FaceAnalyzer,
  image: Image,
  wanted = 1,
): TE.TaskEither<Err<"Backend">, readonly Landmarks[]> =>
async () => {
  const faces: Landmarks[] = [];
  for (const [level, parts] of partsOf(image).entries()) {
    for (const part of parts) {
      const found = await facesIn(analyzer, image, part, level === 0);
      if (E.isLeft(found)) return found;
      for (const face of found.right) {
        if (!faces.some((other) => movement(other, face) < SAME)) faces.push(face);
      }
    }
    if (faces.length >= wanted) break;
  }
  return E.right(faces.toSorted((a, b) => faceSide(b) - faceSide(a)));
};

/** What is made of a photo. */
export interface PhotoOptions {
  /** Side of the frame in pixels. */
  readonly size: number;
  /** Which face, 1 for the largest (the default), 2 for the next. */
  readonly face?: number;
}

const noSuchFace = (path: string, face: number, found: number): BadSample =>
  found === 0
    ? badClip(path, "no face", "no face was found in it, expected one that is seen from the front")
    : badClip(path, "no face", `it shows ${found} of them, expected number ${face}`);

/** Cuts a face out of a picture. Errors: `BadSample` "no face" or "face too small"; `Backend`. */
export const frameOfPhoto = (
  analyzer: FaceAnalyzer,
  { size, face = 1 }: PhotoOptions,
) =>
(path: string, image: Image): TE.TaskEither<Err<"BadSample" | "Backend">, Frame> =>
  F.pipe(
    findFaces(analyzer, image, face),
    TE.flatMap((faces): TE.TaskEither<Err<"BadSample" | "Backend">, Frame> => {
      const landmarks = faces[face - 1];
      if (!landmarks) return TE.left(noSuchFace(path, face, faces.length));
      const square = cropSquare([landmarks]);
      if (square.side >= ENLARGED * size) {
        return TE.right(cropFrame(image, landmarks, square, size));
      }
      const message = `it is ${Math.round(faceSide(landmarks))} pixels, expected at least ` +
        `${Math.ceil(size / 4)}`;
      return TE.left(badClip(path, "face too small", message));
    }),
  );

/** Reads a picture file and cuts a face out: see {@link frameOfPhoto}; `BadFile` names the file. */
export const readPhoto = (
  analyzer: FaceAnalyzer,
  options: PhotoOptions,
) =>
(path: string): TE.TaskEither<Err<"BadSample" | "Backend" | "BadFile">, Frame> =>
  F.pipe(
    readImage(path),
    TE.flatMap((image): TE.TaskEither<Err<"BadSample" | "Backend" | "BadFile">, Frame> =>
      frameOfPhoto(analyzer, options)(path, image)
    ),
  );
