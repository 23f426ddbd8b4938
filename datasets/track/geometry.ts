/**
 * Geometry of 68 landmarks: similarities, upright coordinates, proportions, and what a face does.
 *
 * @module
 */
import type { Landmarks } from "../../pipeline/core/image.ts";

/** A point in pixels. */
export type Point = readonly [x: number, y: number];

/** Point `i` of landmarks. */
export const pointOf = (
  points: Landmarks,
  i: number,
): Point => [points[2 * i]!, points[2 * i + 1]!];

/** The mean of some points. */
export const middleOf = (points: Landmarks, ...indices: readonly number[]): Point => {
  const sum = indices.map((i) => pointOf(points, i)).reduce(([x, y], [u, v]) => [x + u, y + v]);
  return [sum[0] / indices.length, sum[1] / indices.length];
};

/** The distance of two points. */
export const distance = ([x, y]: Point, [u, v]: Point): number => Math.hypot(u - x, v - y);

/** Landmarks with every point changed by `f`. */
export const mapPoints = (points: Landmarks, f: (point: Point, i: number) => Point): Landmarks => {
  const out = new Float32Array(points.length);
  for (let i = 0; 2 * i < points.length; i++) out.set(f(pointOf(points, i), i), 2 * i);
  return out;
};

/** Turn, growth and shift of the plane: z ↦ a·z + b in complex numbers. */
export interface Similarity {
  readonly a: Point;
  readonly b: Point;
}

const times = ([x, y]: Point, [u, v]: Point): Point => [x * u - y * v, x * v + y * u];

/** Where a similarity takes a point. */
export const move = ({ a, b }: Similarity, point: Point): Point => {
  const [x, y] = times(a, point);
  return [x + b[0], y + b[1]];
};

/** The similarity that takes `from` closest to `to`, at the points `indices`, in least squares. */
export const fitSimilarity = (
  from: Landmarks,
  to: Landmarks,
  indices: readonly number[],
): Similarity => {
  const [x, y] = middleOf(from, ...indices), [u, v] = middleOf(to, ...indices);
  let along = 0, across = 0, spread = 0;
  for (const i of indices) {
    const [px, py] = pointOf(from, i), [qx, qy] = pointOf(to, i);
    const dx = px - x, dy = py - y, ex = qx - u, ey = qy - v;
    along += dx * ex + dy * ey;
    across += dx * ey - dy * ex;
    spread += dx * dx + dy * dy;
  }
  const a: Point = spread > 0 ? [along / spread, across / spread] : [1, 0];
  const [mx, my] = times(a, [x, y]);
  return { a, b: [u - mx, v - my] };
};

/** A similarity undone. */
export const inverse = ({ a, b }: Similarity): Similarity => {
  const square = a[0] ** 2 + a[1] ** 2;
  const c: Point = [a[0] / square, -a[1] / square], [x, y] = times(c, b);
  return { a: c, b: [-x, -y] };
};

const indices = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** All 68. */
export const ALL_POINTS = indices(0, 67);
/** Points that expressions hardly move: upper jaw line, nose, corners of the eyes. */
export const STEADY_POINTS: readonly number[] = [
  ...[0, 1, 2, 3, 13, 14, 15, 16],
  ...indices(27, 35),
  ...[36, 39, 42, 45],
];

const RIGHT_EYE = indices(36, 41), LEFT_EYE = indices(42, 47), MOUTH = indices(48, 67);

/** The tilt of a head in radians: of the line between the middles of the eyes. */
export const tiltOf = (points: Landmarks): number => {
  const [x0, y0] = middleOf(points, ...RIGHT_EYE), [x1, y1] = middleOf(points, ...LEFT_EYE);
  return Math.atan2(y1 - y0, x1 - x0);
};

/** A vector turned by an angle, clockwise in the picture. */
export const turn = ([x, y]: Point, angle: number): Point => {
  const cos = Math.cos(angle), sin = Math.sin(angle);
  return [cos * x - sin * y, sin * x + cos * y];
};

/** The chin. */
export const CHIN = 8;

/** Landmarks around their chin with the tilt taken out: x across the face, y down along it. */
export const upright = (points: Landmarks): Landmarks => {
  const [x, y] = pointOf(points, CHIN), tilt = tiltOf(points);
  return mapPoints(points, ([px, py]) => turn([px - x, py - y], -tilt));
};

/** The proportions of a face. */
export interface Proportions {
  /** Width of the jaw (points 0 to 16) in heights of the face (27 to 8). */
  readonly jaw: number;
  /** Distance of the eyes' middles in widths of the jaw. */
  readonly eyes: number;
}

/** The proportions that landmarks show; both change with the pose. */
export const proportionsOf = (points: Landmarks): Proportions => {
  const width = distance(pointOf(points, 0), pointOf(points, 16));
  const eyes = distance(middleOf(points, ...RIGHT_EYE), middleOf(points, ...LEFT_EYE));
  return {
    jaw: width / distance(pointOf(points, 27), pointOf(points, CHIN)),
    eyes: eyes / width,
  };
};

/** Pairs of an upper and a lower point of each lid, and of the inner lips. */
export const LID_PAIRS = {
  right: [[37, 41], [38, 40]],
  left: [[43, 47], [44, 46]],
  lips: [[61, 67], [62, 66], [63, 65]],
} as const;

/** How far something is open: the mean height between its pairs, in pixels of upright points. */
export const openingOf = (up: Landmarks, pairs: readonly (readonly [number, number])[]): number =>
  pairs.reduce((sum, [top, under]) => sum + up[2 * under + 1]! - up[2 * top + 1]!, 0) /
  pairs.length;

/** What a face does, in numbers that depend little on whose face it is; differences of 1 are large. */
export const gestureOf = (points: Landmarks): readonly number[] => {
  const up = upright(points);
  const right = middleOf(up, 36, 39), left = middleOf(up, 42, 45), nose = pointOf(up, 30);
  const mouth = middleOf(up, ...MOUTH), between = Math.max(1e-6, left[0] - right[0]);
  const eyeY = (left[1] + right[1]) / 2;
  const lids = openingOf(up, LID_PAIRS.right) + openingOf(up, LID_PAIRS.left);
  const lips = openingOf(up, LID_PAIRS.lips);
  return [
    (nose[0] - (left[0] + right[0]) / 2) / between / 0.15,
    (nose[1] - eyeY) / Math.max(1e-6, mouth[1] - eyeY) / 0.15,
    lids / between / 0.15,
    lips / between / 0.15,
    distance(pointOf(up, 48), pointOf(up, 54)) / between / 0.3,
    tiltOf(points) / 0.5,
  ];
};

/** How differently two faces are held: the distance of their gestures. */
export const gestureDistance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...a.map((v, i) => v - (b[i] ?? 0)));
