/**
 * One face through a clip. Between detections the face is followed by its own landmarks, which is
 * twice as quick and steadier: the landmark network is given the upright square around the last
 * landmarks, and an error in that square shrinks to a third with each pass.
 *
 * @module
 */
import { F, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import type { Image, Landmarks } from "../../pipeline/core/image.ts";
import type { FaceAnalyzer } from "../../backends/face.ts";
import { findFace, lookClose, movement, refine, settled } from "./find_face.ts";

/** Movement between two frames, in face sides: below it one pass of the network is enough. */
const STILL = 0.04;
/** Movement or growth beyond which landmarks are not believed without a detection. */
const JUMP = 0.3;

/** Follows one face; frames are given in order, one at a time. */
export interface FaceTracker {
  /** The landmarks in the next frame, in its pixels; `undefined` where the face is not seen. */
  readonly next: (image: Image) => TE.TaskEither<Err<"Backend">, Landmarks | undefined>;
  /** The tracks of all frames so far, less those that a later detection refuted; and counts. */
  readonly result: () => Tracks;
}

/** A face through a clip. */
export interface Tracks {
  /** One entry a frame, in its pixels. */
  readonly landmarks: readonly (Landmarks | undefined)[];
  /** Frames on which a detector was run. */
  readonly detections: number;
  /** Frames where the face jumped and another large face was there too. */
  readonly ambiguous: number;
}

/** After so many failures of all detectors only the quick one is tried on the rest of a clip. */
const PATIENCE = 6;

/**
 * Makes a tracker. A followed face is confirmed by a detection every `confirmEvery` frames (about
 * half a second of video is right: landmarks alone cannot tell a face from a wall); where neither
 * this frame nor the one before confirms it, the frames since the last confirmation do not count.
 */
export const makeFaceTracker = (analyzer: FaceAnalyzer, confirmEvery: number): FaceTracker => {
  const landmarks: (Landmarks | undefined)[] = [];
  let last: Landmarks | undefined;
  let place: Landmarks | undefined; // where the face was last seen, also after it is lost
  let before: Image | undefined;
  let unconfirmed = 0, failures = 0, detections = 0, ambiguous = 0;

  const follow = (image: Image, from: Landmarks) =>
    F.pipe(
      refine(analyzer, image, from),
      TE.flatMap((first) => {
        if (first === undefined || movement(from, first) > JUMP) return TE.right(undefined);
        if (movement(from, first) < STILL) return TE.right(first);
        return F.pipe(
          refine(analyzer, image, first),
          TE.map((second) => settled(first, second) ? second : undefined),
        );
      }),
    );

  /** The face is not where it was: was it still there in the frame before? If not, since when? */
  const review = (): TE.TaskEither<Err<"Backend">, void> =>
    before === undefined || last === undefined || unconfirmed === 0 ? TE.right(undefined) : F.pipe(
      lookClose(analyzer, before, last, JUMP),
      TE.map((confirmed) => {
        if (confirmed !== undefined) return;
        for (let i = landmarks.length - unconfirmed; i < landmarks.length; i++) {
          landmarks[i] = undefined;
        }
      }),
    );

  const search = (image: Image): TE.TaskEither<Err<"Backend">, Landmarks | undefined> =>
    F.pipe(
      review(),
      TE.flatMap(() =>
        findFace(analyzer, image, {
          careful: failures < PATIENCE,
          ...(place === undefined ? {} : { near: place }),
        })
      ),
      TE.map((found) => {
        if (found === undefined) {
          failures++;
          return undefined;
        }
        const jumped = place !== undefined && movement(place, found.landmarks) > 2 * JUMP;
        if (found.rival && jumped) {
          ambiguous++;
          return undefined;
        }
        return found.landmarks;
      }),
    );

  const detect = (image: Image) =>
    F.pipe(
      TE.fromIO(() => detections++),
      TE.flatMap(() =>
        place === undefined
          ? TE.right(undefined)
          : lookClose(analyzer, image, place, last === undefined ? 2 * JUMP : JUMP)
      ),
      TE.flatMap((confirmed) => confirmed === undefined ? search(image) : TE.right(confirmed)),
      TE.map((found) => {
        unconfirmed = 0;
        return found;
      }),
    );

  return {
    next: (image) =>
      F.pipe(
        last !== undefined && unconfirmed + 1 < confirmEvery
          ? follow(image, last)
          : TE.right(undefined),
        TE.flatMap((followed) => {
          if (followed === undefined) return detect(image);
          unconfirmed++;
          return TE.right(followed);
        }),
        TE.map((found) => {
          landmarks.push(found);
          last = found;
          place = found ?? place;
          before = image;
          return found;
        }),
      ),
    result: () => ({ landmarks, detections, ambiguous }),
  };
};
