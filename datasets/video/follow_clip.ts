/**
 * The face of a clip, followed through its frames on reduced pictures: only as large as the landmark
 * network can use.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { prefetch } from "../../pipeline/core/flow.ts";
import type { Image } from "../../pipeline/core/image.ts";
import type { FaceAnalyzer } from "../../backends/face.ts";
import { faceSide, median } from "../crop.ts";
import type { DecodeOptions } from "./decode.ts";
import type { ClipSource } from "./source.ts";
import { makeFaceTracker, type Tracks } from "./track.ts";

/** Pictures are reduced to the first side, and where the face is small there to the second. */
const LOOKED: readonly number[] = [640, 960];
/** A face of so many pixels fills what the landmark network reads. */
const FULL = 90;
/** After so many frames with a face it is known how large it is. */
const EARLY = 5;

/** A clip whose face was followed. */
export interface FollowedClip {
  /** In pixels of the pictures that were looked at. */
  readonly tracks: Tracks;
  /** Which pictures those were. */
  readonly looked: DecodeOptions;
  /** Seconds in the tracker. */
  readonly seconds: number;
}

type Result = E.Either<Err<"BadSample" | "Aborted" | "Backend">, FollowedClip>;

const isSmall = ({ landmarks }: Tracks): boolean => {
  const sides = landmarks.flatMap((points) => points === undefined ? [] : [faceSide(points)]);
  return !(median(sides) >= FULL);
};

const followOnce = async (
  faces: FaceAnalyzer,
  confirmEvery: number,
  pictures: AsyncIterable<E.Either<Err<"BadSample" | "Aborted">, Image>>,
  looked: DecodeOptions,
  mayEnd: boolean,
): Promise<Result> => {
  const tracker = makeFaceTracker(faces, confirmEvery);
  let milliseconds = 0, found = 0;
  for await (const picture of pictures) {
    if (E.isLeft(picture)) return picture;
    const start = performance.now();
    const next = await tracker.next(picture.right)();
    if (E.isLeft(next)) return next;
    milliseconds += performance.now() - start;
    if (next.right !== undefined && ++found === EARLY && mayEnd && isSmall(tracker.result())) break;
  }
  return E.right({ tracks: tracker.result(), looked, seconds: milliseconds / 1000 });
};

/**
 * Follows the face of a clip through `frames` of its pictures, spread evenly, `framesPerSecond` of
 * them a second. Errors: `BadSample` where it does not decode, `Aborted`, `Backend`.
 */
export const followClip = async (
  faces: FaceAnalyzer,
  { info, frames }: ClipSource,
  wanted: { readonly frames: number; readonly framesPerSecond: number },
  signal: AbortSignal,
): Promise<Result> => {
  const confirmEvery = Math.max(4, Math.round(wanted.framesPerSecond / 2));
  const longer = Math.max(info.width, info.height);
  for (const [i, longest] of LOOKED.entries()) {
    const mayLookCloser = i + 1 < LOOKED.length && longer > longest;
    const looked = { frames: wanted.frames, longest };
    const pictures = prefetch(2)(frames(looked))({ signal });
    const followed = await followOnce(faces, confirmEvery, pictures, looked, mayLookCloser);
    if (E.isLeft(followed) || !mayLookCloser || !isSmall(followed.right.tracks)) return followed;
  }
  throw new RangeError("Cannot follow a face: there is no size to look at, expected one");
};
