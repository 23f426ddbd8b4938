/**
 * Landmarks over time: noise is taken out, movement stays.
 *
 * @module
 */
import type { Landmarks } from "../../pipeline/core/image.ts";
import { faceSide, median } from "../crop.ts";

/** Landmarks and when they were seen, in seconds. */
export interface Seen {
  /** In pixels. // [68, 2] */
  readonly landmarks: Landmarks;
  /** Seconds from the beginning of the clip. */
  readonly time: number;
}

/** How far in time a frame still says something about another one, in seconds (one sigma). */
const REACH = 0.05;
/** How far a point may have moved for that, in sides of the face (one sigma): noise is below. */
const STILL = 0.012;

/**
 * Smooths landmarks by a bilateral filter over time: a point is averaged with itself in frames
 * that are near in time, the less the further it moved. Frames must be in order. What is sampled
 * at a few frames a second, and what moves, comes back nearly as it was. // [n] to [n]
 */
export const smoothLandmarks = (frames: readonly Seen[]): readonly Landmarks[] =>
  frames.map(({ landmarks, time }, here) => {
    const side = faceSide(landmarks);
    const weigh = (at: number): number => Math.exp(-(((time - at) / REACH) ** 2) / 2);
    const near: (readonly [Landmarks, number])[] = [];
    for (const step of [-1, 1]) {
      for (let i = here + step; i >= 0 && i < frames.length; i += step) {
        const other = frames[i]!, weight = weigh(other.time);
        if (!(weight > 0.01)) break;
        near.push([other.landmarks, weight]);
      }
    }
    return landmarks.map((_, i) => {
      const x = i - i % 2;
      let sum = landmarks[i]!, total = 1;
      for (const [other, weight] of near) {
        const moved = Math.hypot(other[x]! - landmarks[x]!, other[x + 1]! - landmarks[x + 1]!);
        const w = weight * Math.exp(-((moved / side / STILL) ** 2) / 2);
        sum += w * other[i]!;
        total += w;
      }
      return sum / total;
    });
  });

/**
 * The median jitter of landmarks: half the second difference over three frames in a row (movement
 * at an even speed has none), as a part of the face's side; NaN where no three are in a row.
 * `numbers` are the frames' numbers in the video: where only some of its frames are looked at, what
 * changes between two of them is movement.
 */
export const jitter = (tracks: readonly Landmarks[], numbers: readonly number[]): number => {
  const all: number[] = [];
  for (let t = 1; t + 1 < tracks.length; t++) {
    const [a, b, c] = [tracks[t - 1]!, tracks[t]!, tracks[t + 1]!];
    if (numbers[t + 1]! - numbers[t - 1]! !== 2) continue;
    const side = faceSide(b);
    const points: number[] = [];
    for (let i = 0; i + 1 < b.length; i += 2) {
      const dx = a[i]! - 2 * b[i]! + c[i]!, dy = a[i + 1]! - 2 * b[i + 1]! + c[i + 1]!;
      points.push(Math.hypot(dx, dy) / 2 / side);
    }
    all.push(median(points));
  }
  return median(all);
};
