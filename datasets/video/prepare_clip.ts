/**
 * One clip from file to training frames: decode, find and follow the face, choose the square,
 * decode again and cut. Two passes, so that a clip of any length and size needs the memory of a
 * few pictures.
 *
 * @module
 */
import { E, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { prefetch } from "../../pipeline/core/flow.ts";
import type { Frame, Image, Landmarks } from "../../pipeline/core/image.ts";
import type { Rect } from "../../pipeline/core/resample.ts";
import type { FaceAnalyzer } from "../../backends/face.ts";
import { cropFrame, cropSquare, faceSide, median, type Square, steadyFrames } from "../crop.ts";
import { decodedSize } from "./decode.ts";
import type { Clip } from "./discover.ts";
import { badClip, type VideoInfo } from "./probe.ts";
import { followClip } from "./follow_clip.ts";
import { openClip } from "./source.ts";
import type { VideoTools } from "./tools.ts";
import type { Tracks } from "./track.ts";

/** How clips are prepared; all of it is part of the cache key. */
export interface PrepareSettings {
  /** Side of the square frames in pixels. */
  readonly size: number;
  /** At most so many frames a clip, spread evenly. */
  readonly framesPerClip: number;
  /**
   * Of clips of ten seconds and more only so many frames a second, spread evenly; of shorter ones
   * every frame. Default: every frame of all of them, up to `framesPerClip`.
   */
  readonly framesPerSecond?: number;
  /** A clip with fewer usable frames is rejected as too short. */
  readonly minFrames: number;
}

/** Seconds by stage and counts, for throughput tables. */
export interface PrepareFigures {
  /** Asking ffprobe. */
  readonly probeSeconds: number;
  /** Waiting for ffmpeg, in both passes. */
  readonly decodeSeconds: number;
  /** Detection, landmarks, tracking. */
  readonly analyseSeconds: number;
  /** Cutting the square out. */
  readonly cropSeconds: number;
  /** Frames looked at. */
  readonly decoded: number;
  /** Frames on which a detector was run; the others were followed. */
  readonly detections: number;
}

/** A clip's usable frames, cropped by one square. */
export interface PreparedClip {
  readonly frames: readonly Frame[];
  /** The square in pixels of the shown video. */
  readonly square: Square;
  /** For each frame, its number in the video, from 0. */
  readonly numbers: readonly number[];
  /** The video as it is shown. */
  readonly info: VideoInfo;
  readonly figures: PrepareFigures;
}

/** Crops come from regions of at most so many times their side: ffmpeg reduces the rest quicker. */
const CROPPED = 2;
/** At least this part of a clip's frames must show the face. */
const SEEN = 0.5;
/** Clips of fewer seconds are short: all of their frames are looked at. */
const SHORT = 10;
/** Crops from squares smaller than this part of their size are smears. */
const ENLARGED = 0.5;

type Prepared = E.Either<Err<"BadSample" | "Aborted" | "Backend">, PreparedClip>;

const seconds = (since: number): number => (performance.now() - since) / 1000;

/** How many frames of a video to look at. */
const wantedFrames = (info: VideoInfo, settings: PrepareSettings): number => {
  const { framesPerClip, framesPerSecond = Infinity } = settings;
  const duration = info.framesPerSecond > 0 ? info.frames / info.framesPerSecond : 0;
  const sampled = duration < SHORT ? Infinity : Math.round(duration * framesPerSecond);
  return Math.max(1, Math.min(framesPerClip, sampled, info.frames));
};

const rejectTracks = (key: string, tracks: Tracks, steady: number, least: number) => {
  const { length } = tracks.landmarks;
  const found = tracks.landmarks.filter((landmarks) => landmarks !== undefined).length;
  if (found === 0 && tracks.ambiguous === 0) {
    return badClip(key, "no face", `no face in any of ${length} frames`);
  }
  if (steady >= least) return undefined;
  if (tracks.ambiguous > (length - found) / 2) {
    const message = `in ${tracks.ambiguous} of ${length} frames it is unclear whom to follow`;
    return badClip(key, "several faces", message);
  }
  const message = `${steady} of ${length} frames show a face that stays, expected ${least}`;
  return badClip(key, "face lost", message);
};

/** The part of the shown picture that the square covers, on whole pixels, with a margin for the
 * resampler's reach. */
export const regionOf = ({ x, y, side }: Square, { width, height }: VideoInfo): Rect => {
  const margin = 4, grid = 4; // chroma is stored at half or a quarter of the resolution
  const left = Math.min(width - 1, Math.max(0, Math.floor((x - margin) / grid) * grid));
  const top = Math.min(height - 1, Math.max(0, Math.floor((y - margin) / grid) * grid));
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.min(width, Math.ceil(x + side + margin)) - left),
    height: Math.max(1, Math.min(height, Math.ceil(y + side + margin)) - top),
  };
};

const scaled = (landmarks: Landmarks, x: number, y: number): Landmarks =>
  landmarks.map((v, i) => v * (i % 2 === 0 ? x : y));

/**
 * Prepares one clip; the analyzer is asked for only where there is a video to look at. Errors:
 * `BadSample` with the reason (see `RejectReason`), `Aborted`, `Backend` where the face networks
 * fail.
 */
export const prepareClip = (
  analyzer: TE.TaskEither<Err<"Backend">, FaceAnalyzer>,
  tools: VideoTools | undefined,
  clip: Clip,
  settings: PrepareSettings,
  signal: AbortSignal,
): TE.TaskEither<Err<"BadSample" | "Aborted" | "Backend">, PreparedClip> =>
async (): Promise<Prepared> => {
  const { key } = clip;
  const { size, minFrames } = settings;
  const began = performance.now();
  const opened = await openClip(tools, clip, signal)();
  if (E.isLeft(opened)) return opened;
  const { info, frames } = opened.right;
  const probeSeconds = seconds(began);
  if (info.frames < minFrames) {
    const message = `it has ${info.frames} frames, expected at least ${minFrames}`;
    return E.left(badClip(key, "too short", message));
  }

  const faces = await analyzer();
  if (E.isLeft(faces)) return faces;
  const wanted = wantedFrames(info, settings);
  const framesASecond = info.framesPerSecond * wanted / info.frames;
  const analysing = performance.now();
  const followed = await followClip(
    faces.right,
    opened.right,
    { frames: wanted, framesPerSecond: framesASecond },
    signal,
  );
  if (E.isLeft(followed)) return followed;
  const { tracks, looked: whole, seconds: analyseSeconds } = followed.right;
  let decodeSeconds = seconds(analysing) - analyseSeconds, cropSeconds = 0;
  const decoded = tracks.landmarks.length;
  const steady = steadyFrames(tracks.landmarks);
  const least = Math.max(minFrames, Math.ceil(SEEN * decoded));
  const rejected = rejectTracks(key, tracks, steady.length, least);
  if (rejected !== undefined) return E.left(rejected);

  // Landmarks and the square in pixels of the shown video, whatever size was looked at.
  const looked = decodedSize(info, whole);
  const kept = new Map(steady.flatMap((index) => {
    const landmarks = tracks.landmarks[index];
    return landmarks === undefined ? [] : [
      [
        index,
        scaled(landmarks, info.width / looked.width, info.height / looked.height),
      ] as const,
    ];
  }));
  const square = cropSquare([...kept.values()]);
  if (square.side < ENLARGED * size) {
    const face = Math.round(median([...kept.values()].map(faceSide)));
    const message = `its face is ${face} pixels, expected at least ${Math.ceil(size / 4)}`;
    return E.left(badClip(key, "face too small", message));
  }

  const region = regionOf(square, info);
  const part = { frames: wanted, region, longest: CROPPED * size };
  const { width, height } = decodedSize(info, part);
  const [across, down] = [width / region.width, height / region.height];
  const inPart = {
    x: (square.x - region.x) * across,
    y: (square.y - region.y) * down,
    side: square.side * across,
  };
  const cropped: Frame[] = [], places: number[] = [];
  const cropping = performance.now();
  let index = 0;
  for await (const frame of prefetch(2)(frames(part))({ signal })) {
    if (E.isLeft(frame)) return frame;
    const place = index++, landmarks = kept.get(place);
    if (landmarks === undefined) continue;
    places.push(place);
    const start = performance.now();
    const shifted = landmarks.map((v, i) =>
      i % 2 === 0 ? (v - region.x) * across : (v - region.y) * down
    );
    cropped.push(cropFrame(frame.right satisfies Image, shifted, inPart, size));
    cropSeconds += seconds(start);
  }
  decodeSeconds += seconds(cropping) - cropSeconds;
  const { detections } = tracks;
  const figures = { probeSeconds, decodeSeconds, analyseSeconds, cropSeconds, decoded, detections };
  const numbers = places.map((place) => Math.ceil(place * info.frames / wanted));
  return E.right({ frames: cropped, square, numbers, info, figures });
};
