/**
 * How far landmarks are from where they should be.
 *
 * @module
 */
import type { Landmarks } from "../core/image.ts";

const rightEyeCorner = 36, leftEyeCorner = 45, points = 68;

const distance = (a: Landmarks, i: number, b: Landmarks, j: number): number =>
  Math.hypot(
    (a[2 * i] ?? NaN) - (b[2 * j] ?? NaN),
    (a[2 * i + 1] ?? NaN) - (b[2 * j + 1] ?? NaN),
  );

/** Distance between the outer corners of the eyes, in pixels. */
export const eyeDistance = (landmarks: Landmarks): number =>
  distance(landmarks, rightEyeCorner, landmarks, leftEyeCorner);

/**
 * Mean distance of 68 landmarks from the true ones, in eye distances of the true ones (outer
 * corners, points 36 and 45): 0.08 is 8%. Throws where there are not 68 points or no eye distance.
 */
export const landmarkError = (truth: Landmarks, found: Landmarks): number => {
  const eyes = eyeDistance(truth);
  if (truth.length !== 2 * points || found.length !== 2 * points || !(eyes > 0)) {
    throw new RangeError(
      `Cannot compute landmark error: there are ${truth.length / 2} and ${found.length / 2} ` +
        `points with eyes ${eyes} apart, expected 68 and 68 with eyes that do not coincide`,
    );
  }
  let sum = 0;
  for (let i = 0; i < points; i++) sum += distance(truth, i, found, i);
  return sum / points / eyes;
};
