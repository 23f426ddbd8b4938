/** Tracks for the tests of motion: synthetic people whose true landmarks are known. */
import { makeRng } from "../../../pipeline/core/rng.ts";
import type { Landmarks } from "../../../pipeline/core/image.ts";
import type { WholeTrack } from "../../../datasets/track/landmark_track.ts";
import { syntheticTrack } from "../../../datasets/track/synthetic_driver.ts";

/** The pixels of the crops. */
export const size = 256;

/** A film of a synthetic person. */
export const film = (identity: number, frames = 60, video = 0): WholeTrack =>
  syntheticTrack({ identity, video, size, frames });

/** Landmarks that tremble by `pixels` (standard deviation). */
export const trembling = (track: WholeTrack, pixels: number): WholeTrack => {
  const draw = makeRng(5).fold("tremble").draw();
  return {
    ...track,
    frames: track.frames.map((points) => points.map((v) => v + pixels * draw.normal())),
  };
};

/** The largest distance of two points of the same place, in pixels. */
export const farthest = (a: readonly Landmarks[], b: readonly Landmarks[]): number =>
  Math.max(
    ...a.map((points, k) =>
      Math.max(...points.map((_, i) =>
        i % 2 === 1 ? 0 : Math.hypot(points[i]! - b[k]![i]!, points[i + 1]! - b[k]![i + 1]!)
      ))
    ),
  );

/** Root mean square of the differences, in pixels. */
export const rms = (a: readonly Landmarks[], b: readonly Landmarks[]): number => {
  let sum = 0, count = 0;
  a.forEach((points, k) =>
    points.forEach((v, i) => {
      sum += (v - b[k]![i]!) ** 2;
      count++;
    })
  );
  return Math.sqrt(sum / count);
};
