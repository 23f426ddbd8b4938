/**
 * Landmarks smoothed in time: a detector trembles, a head does not.
 *
 * @module
 */
import type { Landmarks } from "../../pipeline/core/image.ts";
import { faceSide, median } from "../crop.ts";
import { ALL_POINTS, fitSimilarity, inverse, mapPoints, move, STEADY_POINTS } from "./geometry.ts";
import type { LandmarkTrack } from "./landmark_track.ts";

/** How much is smoothed. */
export interface SmoothOptions {
  /** What is slower than this passes unchanged, in Hz; lower is calmer. Default 1.5. */
  readonly cutoff?: number;
  /** By how many Hz the cutoff rises for a point that moves one face side a second. Default 15. */
  readonly agility?: number;
}

/** The cutoff for the speed itself, in Hz: a speed read off two trembling points is mostly noise. */
const SPEED_CUTOFF = 1.5;
/** Slower points, in face sides a second, stand still and only seem to move. */
const REST = 0.15;

/** The weight of the new value in a first-order low pass. */
const weightOf = (cutoff: number, seconds: number): number =>
  1 - Math.exp(-2 * Math.PI * cutoff * seconds);

type Frames = readonly (Landmarks | null)[];
type Pass = (frames: Frames) => Frames;

/** One pass of the filter in the order given. */
const onePass = (
  secondsPerFrame: number,
  side: number,
  { cutoff = 1.5, agility = 15 }: SmoothOptions,
): Pass =>
(frames) => {
  let value: Landmarks | undefined, raw: Landmarks | undefined, speed = new Float32Array(136);
  let since = 0;
  return frames.map((points) => {
    since += secondsPerFrame;
    if (points === null) return null;
    const seconds = since, before = value, seen = raw, last = speed;
    since = 0;
    raw = points;
    if (before === undefined || seen === undefined) return value = points;
    const trust = weightOf(SPEED_CUTOFF, seconds);
    speed = last.map((v, i) => v + trust * ((points[i]! - seen[i]!) / (side * seconds) - v));
    const next = before.map((v, i) => {
      const point = i - i % 2; // a point has one speed, or its path would bend
      const pace = Math.max(0, Math.hypot(speed[point]!, speed[point + 1]!) - REST);
      return v + weightOf(cutoff + agility * pace, seconds) * (points[i]! - v);
    });
    return value = next;
  });
};

/** The mean of a pass forwards and one backwards: lags cancel. */
const bothWays = (pass: Pass): Pass => (frames) => {
  const backwards = pass(frames.toReversed()).toReversed();
  return pass(frames).map((points, i) =>
    points && points.map((v, k) => (v + (backwards[i]?.[k] ?? v)) / 2)
  );
};

/**
 * Smooths a track by a filter whose cutoff rises with the speed of each point (the one-euro
 * filter), forwards and backwards, so that nothing lags. The head as a whole and the face in it are
 * smoothed apart: a nodding head would let every point of a still face tremble. Time counts, not
 * frames: over a gap the filter forgets. Lost frames stay lost.
 */
export const smoothTrack = <Track extends LandmarkTrack>(
  track: Track,
  options: SmoothOptions = {},
): Track => {
  const { frames, framesPerSecond } = track;
  const first = frames.find((points) => points !== null);
  if (first === undefined || first === null) return track;
  const side = median(frames.flatMap((points) => points === null ? [] : [faceSide(points)]));
  const pass = bothWays(onePass(1 / framesPerSecond, side, options));
  const heads = frames.map((points) => points && fitSimilarity(first, points, STEADY_POINTS));
  const whole = pass(heads.map((head) => head && mapPoints(first, (point) => move(head, point))));
  const face = pass(frames.map((points, i) => {
    const head = heads[i];
    if (!points || !head) return null;
    const back = inverse(head);
    return mapPoints(points, (point) => move(back, point));
  }));
  return {
    ...track,
    frames: face.map((points, i) => {
      const moved = whole[i];
      if (!points || !moved) return null;
      const head = fitSimilarity(first, moved, ALL_POINTS);
      return mapPoints(points, (point) => move(head, point));
    }),
  };
};
