/**
 * How well a driver's face fits a source's: the paper's remedy where nothing is retargeted is a
 * driver of the same geometry (section 4, puppeteering).
 *
 * @module
 */
import type { Landmarks } from "../../pipeline/core/image.ts";
import {
  ALL_POINTS,
  distance,
  fitSimilarity,
  gestureDistance,
  gestureOf,
  move,
  pointOf,
} from "./geometry.ts";

/** The mean distance of the points of two faces laid over each other, in eye distances of `to`. */
export const alignedDistance = (from: Landmarks, to: Landmarks): number => {
  const laid = fitSimilarity(from, to, ALL_POINTS);
  const sum = ALL_POINTS.reduce(
    (all, i) => all + distance(move(laid, pointOf(from, i)), pointOf(to, i)),
    0,
  );
  return sum / ALL_POINTS.length / distance(pointOf(to, 36), pointOf(to, 45));
};

/** Frames held most like a source frame that are compared with it. */
const NEAREST = 3;

/**
 * How far a driver's geometry is from a source's, in eye distances, 0 for the same face: for each
 * source frame the best of the driver frames that are held most like it, the mean over the source
 * frames. Throws a `RangeError` where either has no frame.
 */
export const geometryFit = (
  sources: readonly Landmarks[],
  driver: readonly Landmarks[],
): number => {
  if (sources.length === 0 || driver.length === 0) {
    throw new RangeError("Cannot compare faces: one of them has no frame, expected both");
  }
  const gestures = driver.map((points) => ({ points, gesture: gestureOf(points) }));
  const fits = sources.map((source) => {
    const wanted = gestureOf(source);
    const nearest = gestures.toSorted((a, b) =>
      gestureDistance(wanted, a.gesture) - gestureDistance(wanted, b.gesture)
    ).slice(0, NEAREST);
    return Math.min(...nearest.map(({ points }) => alignedDistance(points, source)));
  });
  return fits.reduce((sum, fit) => sum + fit, 0) / fits.length;
};
