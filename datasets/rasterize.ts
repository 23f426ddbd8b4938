/**
 * Landmarks as a picture (section 3.1): the 68 points joined into coloured polylines on black,
 * what the embedder and the generator see of a pose.
 *
 * @module
 */
import { fromFunction, type Stage } from "../pipeline/core/stage.ts";
import { type Frame, type Image, type Landmarks, makeImage } from "../pipeline/core/image.ts";

/** How a landmark picture is drawn. */
export interface RasterizeOptions {
  /** Factor from the landmarks' pixels to the picture's; default 1. */
  readonly scale?: number;
  /** Width of the lines in pixels; default size / 128, at least 1: 2 at 256. */
  readonly thickness?: number;
}

/** One polyline of the 68-point convention: from point `first` to point `last`. */
export interface LandmarkGroup {
  /** For people. */
  readonly name: string;
  /** Its first point. */
  readonly first: number;
  /** Its last point. */
  readonly last: number;
  /** The last point is joined to the first. */
  readonly closed: boolean;
  /** Red, green, blue, 0 to 255. */
  readonly color: readonly [number, number, number];
}

/** The groups in drawing order: later ones cover earlier ones. */
export const LANDMARK_GROUPS: readonly LandmarkGroup[] = [
  { name: "jaw", first: 0, last: 16, closed: false, color: [255, 255, 255] },
  { name: "right brow", first: 17, last: 21, closed: false, color: [255, 0, 0] },
  { name: "left brow", first: 22, last: 26, closed: false, color: [0, 255, 0] },
  { name: "nose bridge", first: 27, last: 30, closed: false, color: [0, 0, 255] },
  { name: "nose base", first: 31, last: 35, closed: false, color: [0, 0, 255] },
  { name: "right eye", first: 36, last: 41, closed: true, color: [255, 0, 255] },
  { name: "left eye", first: 42, last: 47, closed: true, color: [0, 255, 255] },
  { name: "outer lips", first: 48, last: 59, closed: true, color: [255, 255, 0] },
];

type Dot = (x: number, y: number) => void;

/** A square brush of `thickness` pixels whose middle is the point (x, y); clipped to the picture. */
const brush = (image: Image, [r, g, b]: LandmarkGroup["color"], thickness: number): Dot => {
  const { width, height, data } = image, before = Math.floor(thickness / 2);
  return (x, y) => {
    const left = Math.max(0, x - before), right = Math.min(width, x - before + thickness);
    const top = Math.max(0, y - before), bottom = Math.min(height, y - before + thickness);
    for (let row = top; row < bottom; row++) {
      for (let at = (row * width + left) * 3; at < (row * width + right) * 3; at += 3) {
        data[at] = r;
        data[at + 1] = g;
        data[at + 2] = b;
      }
    }
  };
};

/** Bresenham's line from one integer point to another, both ends included. */
const drawLine = (x0: number, y0: number, x1: number, y1: number, dot: Dot): void => {
  const dx = Math.abs(x1 - x0), dy = -Math.abs(y1 - y0);
  const stepX = x0 < x1 ? 1 : -1, stepY = y0 < y1 ? 1 : -1;
  let x = x0, y = y0, error = dx + dy;
  for (;;) {
    dot(x, y);
    if (x === x1 && y === y1) return;
    const doubled = 2 * error;
    if (doubled >= dy) {
      error += dy;
      x += stepX;
    }
    if (doubled <= dx) {
      error += dx;
      y += stepY;
    }
  }
};

type Segment = readonly [number, number, number, number];

/**
 * The part of a segment inside the square [low, high]², by Liang and Barsky; none if it misses or
 * is not finite. Only points absurdly far away are cut, so that no line costs more than a picture.
 */
const clipSegment = (
  [x0, y0, x1, y1]: Segment,
  low: number,
  high: number,
): Segment | undefined => {
  if (!Number.isFinite(x0 + y0 + x1 + y1)) return undefined;
  const dx = x1 - x0, dy = y1 - y0;
  let from = 0, to = 1;
  for (
    const [step, room] of [[-dx, x0 - low], [dx, high - x0], [-dy, y0 - low], [
      dy,
      high - y0,
    ]] as const
  ) {
    if (step === 0) {
      if (room < 0) return undefined;
    } else if (step < 0) from = Math.max(from, room / step);
    else to = Math.min(to, room / step);
  }
  return from > to ? undefined : [x0 + from * dx, y0 + from * dy, x0 + to * dx, y0 + to * dy];
};

/**
 * Draws 68 landmarks as a square picture of `size` pixels (section 3.1): polylines without
 * anti-aliasing, points rounded after scaling. Points outside or not finite are clipped, never an
 * error. // [68, 2] to [size, size, 3]
 *
 * @example
 * ```ts
 * import { rasterizeLandmarks } from "./rasterize.ts";
 * const landmarks = Float32Array.from({ length: 136 }, (_, i) => 8 + (i * 7) % 48);
 * const map = rasterizeLandmarks(landmarks, 64);
 * if (map.width !== 64 || !map.data.includes(255)) throw new Error("nothing was drawn");
 * ```
 */
export const rasterizeLandmarks = (
  landmarks: Landmarks,
  size: number,
  options: RasterizeOptions = {},
): Image => {
  const { scale = 1, thickness = Math.max(1, Math.round(size / 128)) } = options;
  const image = makeImage(size, size);
  const at = (i: number): number => (landmarks[i] ?? NaN) * scale;
  for (const { first, last, closed, color } of LANDMARK_GROUPS) {
    const dot = brush(image, color, thickness);
    for (let i = first; i < (closed ? last + 1 : last); i++) {
      const j = i === last ? first : i + 1;
      const segment = clipSegment(
        [at(2 * i), at(2 * i + 1), at(2 * j), at(2 * j + 1)],
        -4 * size,
        5 * size,
      );
      if (segment === undefined) continue;
      const [x0, y0, x1, y1] = segment;
      drawLine(Math.round(x0), Math.round(y0), Math.round(x1), Math.round(y1), dot);
    }
  }
  return image;
};

/** The stage of {@link rasterizeLandmarks}: a frame to its landmark picture, of the frame's size. */
export const landmarkMap: Stage<unknown, never, Frame, Image> = fromFunction((
  { image, landmarks }: Frame,
) => rasterizeLandmarks(landmarks, image.width));
