/**
 * A video as a driver: its face followed through every frame, in one square that does not move.
 *
 * @module
 */
import { E, F, TE } from "../../pipeline/core/fp.ts";
import type { HasAbort, HasEvents } from "../../pipeline/core/env.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { type Flow, prefetch, take, through } from "../../pipeline/core/flow.ts";
import type { Image, Landmarks } from "../../pipeline/core/image.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { fromFunction } from "../../pipeline/core/stage.ts";
import type { FaceAnalyzer } from "../../backends/face.ts";
import { cropSquare, type Square, steadyFrames, toCrop } from "../crop.ts";
import { badClip } from "../video/probe.ts";
import { type ClipSource, openClip } from "../video/source.ts";
import { probeTiming, type Sound } from "../video/sound.ts";
import type { VideoTools } from "../video/tools.ts";
import { makeFaceTracker } from "../video/track.ts";
import type { LandmarkTrack } from "./landmark_track.ts";

/** Faces are looked for on pictures of at most this side, as in training. */
const ANALYSED = 960;
/** What is assumed where a file does not tell its frame rate. */
const USUAL_RATE = 25;

/** What can go wrong with a driver video. */
export type VideoDriverError = Err<"BadSample" | "Aborted" | "Backend">;

/** A driver video, its face followed. */
export interface VideoDriver {
  readonly track: LandmarkTrack;
  /** The crop of every frame, decoded again as they are asked for. // [size, size, 3] */
  readonly pictures: Flow<HasAbort, VideoDriverError, Image>;
  readonly sound: Sound | undefined;
}

/** How a video is read. */
export interface VideoDriverOptions {
  /** Side of the crop in pixels. */
  readonly size: number;
  /** Only so many frames from the beginning; default all. */
  readonly frames?: number;
}

const rateOf = (told: number, frames: number, duration: number): number => {
  if (told >= 1 && told <= 240) return told;
  const counted = duration > 0 ? frames / duration : 0;
  return counted >= 1 && counted <= 240 ? counted : USUAL_RATE;
};

/** The square in pixels of the pictures looked at, and the landmarks of every frame in its crop. */
const cropTrack = (
  seen: readonly (Landmarks | undefined)[],
  size: number,
): { readonly square: Square; readonly frames: readonly (Landmarks | null)[] } | undefined => {
  const steady = new Set(steadyFrames(seen));
  const kept = seen.map((landmarks, i) => steady.has(i) ? landmarks : undefined);
  const found = kept.filter((landmarks) => landmarks !== undefined);
  if (found.length === 0) return undefined;
  const square = cropSquare(found);
  return { square, frames: kept.map((points) => points ? toCrop(points, square, size) : null) };
};

const followFace = (
  analyzer: FaceAnalyzer,
  frames: Flow<HasAbort, Err<"BadSample" | "Aborted">, Image>,
  count: number,
  framesPerSecond: number,
) =>
({ signal, emit }: HasAbort & HasEvents): TE.TaskEither<
  VideoDriverError,
  readonly (Landmarks | undefined)[]
> =>
async () => {
  const tracker = makeFaceTracker(analyzer, Math.max(4, Math.round(framesPerSecond / 2)));
  let done = 0;
  for await (const frame of prefetch(2)(frames)({ signal })) {
    if (E.isLeft(frame)) return frame;
    const next = await tracker.next(frame.right)();
    if (E.isLeft(next)) return next;
    emit({ _tag: "Progress", what: "following the driver's face", done: ++done, of: count });
  }
  return E.right(tracker.result().landmarks);
};

/**
 * Opens a video and follows its face: every frame is looked at (section 3.1), all get the same
 * square crop, made by the same rule as in training. What is not seen, or jumps, is `null`. Errors:
 * `BadSample` "unreadable", "no video" or "no face"; `Aborted`; `Backend`.
 */
export const openVideoDriver = (
  analyzer: TE.TaskEither<Err<"Backend">, FaceAnalyzer>,
  tools: VideoTools,
  path: string,
  { size, frames: limit = Infinity }: VideoDriverOptions,
) =>
({ signal, emit }: HasAbort & HasEvents): TE.TaskEither<VideoDriverError, VideoDriver> => {
  const clip = { identity: "", video: "", key: path, path, stamp: "" };
  const upTo = <R, Er>(flow: Flow<R, Er, Image>): Flow<R, Er, Image> =>
    limit === Infinity ? flow : take(limit)(flow);
  const looked = ({ frames }: ClipSource) => upTo(frames({ longest: ANALYSED }));
  return F.pipe(
    TE.Do,
    TE.bindW("source", () => openClip(tools, clip, signal)),
    TE.bindW("timing", () => probeTiming(tools, path, path, signal)),
    TE.bindW("faces", () => analyzer),
    TE.flatMap(({ source, timing, faces }): TE.TaskEither<VideoDriverError, VideoDriver> => {
      const { info } = source, rate = rateOf(info.framesPerSecond, info.frames, timing.duration);
      const count = Math.min(limit, info.frames);
      return F.pipe(
        followFace(faces, looked(source), count, rate)({ signal, emit }),
        TE.flatMapEither((seen) => {
          const cropped = cropTrack(seen, size);
          if (cropped === undefined) {
            const message = `none in any of ${seen.length} frames, expected one face to follow`;
            return E.left(badClip(path, "no face", message));
          }
          const { square: { x, y, side }, frames } = cropped;
          const cut = fromFunction((image: Image) =>
            resample(image, { x, y, width: side, height: side }, size, size)
          );
          return E.right({
            track: { framesPerSecond: rate, size, frames },
            pictures: through(cut)(looked(source)),
            sound: timing.sound,
          });
        }),
      );
    }),
  );
};
