/**
 * Frames moved as a whole, picture and landmarks together: what a person looks like a little
 * elsewhere, where there are too few photos to see it.
 *
 * @module
 */
import type { Frame } from "../pipeline/core/image.ts";
import type { Draw, Rng } from "../pipeline/core/rng.ts";
import { toUprightView, uprightView } from "./video/turned.ts";

/** How a frame is moved. */
export interface Movement {
  /** To the right, in sides of the picture. */
  readonly right: number;
  /** Downwards, in sides of the picture. */
  readonly down: number;
  /** About the middle of the picture; 1.1 enlarges by a tenth. */
  readonly scale: number;
  /** Clockwise about the middle, in radians. */
  readonly roll: number;
}

// Measured: movements twice as large blur what stands still, and heads follow no better.
const farthest = 0.03, largest = 0.05, steepest = 0.06;

/** A movement of at most 3 % of the side, a twentieth of the size and 3.4 degrees. */
export const drawMovement = (draw: Draw): Movement => ({
  right: draw.uniform(-farthest, farthest),
  down: draw.uniform(-farthest, farthest),
  scale: Math.exp(draw.uniform(-largest, largest)),
  roll: draw.uniform(-steepest, steepest),
});

/** Moves picture and landmarks alike; edge pixels are repeated. // [S, S, 3] → the same size */
export const moveFrame = (
  { image, landmarks }: Frame,
  { right, down, scale, roll }: Movement,
): Frame => {
  const { width: size } = image, side = size / scale;
  const middle = { x: size / 2 - right * side, y: size / 2 - down * side };
  const square = { ...middle, side, roll: -roll };
  return {
    image: uprightView(image, square, size),
    landmarks: toUprightView(landmarks, square, size),
  };
};

/**
 * Each frame as often as it has moved copies beside it, so that half of what is drawn from the
 * list is real. The same stream gives the same copies.
 */
export const besideMoved = (
  rng: Rng,
  frames: readonly Frame[],
  copies: number,
): readonly Frame[] =>
  frames.flatMap((frame, i) =>
    Array.from({ length: copies }, (_, k) => [
      frame,
      moveFrame(frame, drawMovement(rng.fold(i).fold(k).draw())),
    ]).flat()
  );
