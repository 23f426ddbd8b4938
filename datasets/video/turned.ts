/**
 * Upright views of tilted heads: the landmark network has seen few of them, and is right again
 * when the head is turned upright first.
 *
 * @module
 */
import type { Image, Landmarks } from "../../pipeline/core/image.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { faceCentre, faceSide } from "../crop.ts";

/** A square in a picture, turned clockwise about its centre by `roll` radians. */
export interface TurnedSquare {
  readonly x: number;
  readonly y: number;
  readonly side: number;
  readonly roll: number;
}

const middle = (landmarks: Landmarks, from: number, to: number): readonly [number, number] => {
  let x = 0, y = 0;
  for (let i = from; i < to; i++) {
    x += landmarks[2 * i]! / (to - from);
    y += landmarks[2 * i + 1]! / (to - from);
  }
  return [x, y];
};

/** The tilt of a head: the angle of the line from its right eye (36–41) to its left (42–47). */
export const rollOf = (landmarks: Landmarks): number => {
  const [x0, y0] = middle(landmarks, 36, 42), [x1, y1] = middle(landmarks, 42, 48);
  return Math.atan2(y1 - y0, x1 - x0);
};

/** The upright square around a face, `margin` times its longer side. */
export const squareAround = (landmarks: Landmarks, margin: number): TurnedSquare => {
  const [x, y] = faceCentre(landmarks);
  return { x, y, side: faceSide(landmarks) * margin, roll: rollOf(landmarks) };
};

/**
 * False for landmarks that cannot be a face's: not finite, collapsed, upside down, or lying on
 * their side.
 */
export const plausible = (landmarks: Landmarks): boolean => {
  const side = faceSide(landmarks);
  if (!(side > 4) || !landmarks.every(Number.isFinite)) return false;
  const [x0, y0] = middle(landmarks, 36, 42), [x1, y1] = middle(landmarks, 42, 48);
  const [mx, my] = middle(landmarks, 48, 68);
  const [ex, ey] = [(x0 + x1) / 2, (y0 + y1) / 2];
  const roll = Math.atan2(y1 - y0, x1 - x0);
  const eyes = Math.hypot(x1 - x0, y1 - y0) / side;
  const below = ((my - ey) * Math.cos(roll) - (mx - ex) * Math.sin(roll)) / side;
  return Math.abs(roll) < 1.2 && eyes > 0.12 && eyes < 0.8 && below > 0.15 && below < 0.9;
};

/** A turned square of a picture, upright, at `size × size` pixels; edges are repeated. */
export const uprightView = (image: Image, square: TurnedSquare, size: number): Image => {
  // First the upright square that holds the turned one, reduced without aliasing; then turned.
  const cos = Math.cos(square.roll), sin = Math.sin(square.roll);
  const wider = Math.abs(cos) + Math.abs(sin);
  const held = Math.ceil(size * wider) + 2;
  const side = square.side * held / size;
  const source = resample(
    image,
    {
      x: square.x - side / 2,
      y: square.y - side / 2,
      width: side,
      height: side,
    },
    held,
    held,
  ).data;
  const data = new Uint8Array(size * size * 3);
  for (let y = 0, o = 0; y < size; y++) {
    for (let x = 0; x < size; x++, o += 3) {
      const u = x + 0.5 - size / 2, v = y + 0.5 - size / 2;
      const fromX = cos * u - sin * v + held / 2 - 0.5, fromY = sin * u + cos * v + held / 2 - 0.5;
      const left = Math.min(held - 2, Math.max(0, Math.floor(fromX)));
      const top = Math.min(held - 2, Math.max(0, Math.floor(fromY)));
      const right = fromX - left, down = fromY - top;
      const at = (top * held + left) * 3, under = at + held * 3;
      for (let c = 0; c < 3; c++) {
        const above = source[at + c]! * (1 - right) + source[at + 3 + c]! * right;
        const below = source[under + c]! * (1 - right) + source[under + 3 + c]! * right;
        data[o + c] = above * (1 - down) + below * down + 0.5;
      }
    }
  }
  return { width: size, height: size, channels: 3, data };
};

/** Landmarks of an upright view in pixels of the picture. */
export const fromUprightView = (
  landmarks: Landmarks,
  square: TurnedSquare,
  size: number,
): Landmarks => {
  const scale = square.side / size;
  const cos = Math.cos(square.roll) * scale, sin = Math.sin(square.roll) * scale;
  return landmarks.map((_, i) => {
    const u = landmarks[i - i % 2]! - size / 2, v = landmarks[i - i % 2 + 1]! - size / 2;
    return i % 2 === 0 ? square.x + cos * u - sin * v : square.y + sin * u + cos * v;
  });
};

/** Landmarks of the picture in pixels of an upright view: the reverse of {@link fromUprightView}. */
export const toUprightView = (
  landmarks: Landmarks,
  square: TurnedSquare,
  size: number,
): Landmarks => {
  const scale = size / square.side;
  const cos = Math.cos(square.roll) * scale, sin = Math.sin(square.roll) * scale;
  return landmarks.map((_, i) => {
    const x = landmarks[i - i % 2]! - square.x, y = landmarks[i - i % 2 + 1]! - square.y;
    return size / 2 + (i % 2 === 0 ? cos * x + sin * y : cos * y - sin * x);
  });
};
