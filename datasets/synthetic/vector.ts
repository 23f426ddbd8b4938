/**
 * Small arithmetic of the synthetic heads. Lengths are millimetres in the head's frame: x to the
 * right of the picture, y down, z towards the camera; the origin lies between the ears at the
 * height of the eyes.
 *
 * @module
 */

/** A linear colour or a direction. */
export type Vec3 = readonly [number, number, number];

/** `v` kept between `low` and `high`. */
export const clamp = (v: number, low: number, high: number): number =>
  v < low ? low : v > high ? high : v;

/** From `a` to `b` as `t` goes from 0 to 1. */
export const lerp = (a: number, b: number, t: number): number => a + (b - a) * t;

/** Componentwise {@link lerp}. */
export const lerp3 = (a: Vec3, b: Vec3, t: number): Vec3 => [
  lerp(a[0], b[0], t),
  lerp(a[1], b[1], t),
  lerp(a[2], b[2], t),
];

/** 0 below `low`, 1 above `high`, smooth between; `low` may be above `high`. */
export const smoothstep = (low: number, high: number, v: number): number => {
  const t = clamp((v - low) / (high - low), 0, 1);
  return t * t * (3 - 2 * t);
};

/** exp(−d²), 0 where that is negligible: the hot loops call it for distances that mostly are. */
export const bell = (squared: number): number => squared > 9 ? 0 : Math.exp(-squared);

/** A direction of length 1. */
export const normalize = ([x, y, z]: Vec3): Vec3 => {
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
};

/** The spline of Catmull and Rom through `values` at 0, 1, 2, …; flat beyond the ends. */
export const spline = (values: readonly number[], at: number): number => {
  const last = values.length - 1;
  const i = clamp(Math.floor(at), 0, last - 1), t = clamp(at - i, 0, 1);
  const p1 = values[i] ?? 0, p2 = values[i + 1] ?? 0;
  const p0 = values[i - 1] ?? 2 * p1 - p2, p3 = values[i + 2] ?? 2 * p2 - p1;
  return p1 + 0.5 * t *
      (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
};

/** A rotation matrix in row order. */
export type Rotation = readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/**
 * Turns by yaw (positive: the face looks to the right of the picture), then pitch (positive: up),
 * then roll (positive: clockwise in the picture), in radians.
 */
export const rotation = (yaw: number, pitch: number, roll: number): Rotation => {
  const cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
  const cr = Math.cos(roll), sr = Math.sin(roll);
  // Yaw: x' = cy·x + sy·z, z' = cy·z − sy·x. Pitch: y' = cp·y − sp·z, z' = sp·y + cp·z.
  const yx = sp * sy, yy = cp, yz = -sp * cy, zx = -cp * sy, zy = sp, zz = cp * cy;
  return [
    cr * cy - sr * yx,
    -sr * yy,
    cr * sy - sr * yz,
    sr * cy + cr * yx,
    cr * yy,
    sr * sy + cr * yz,
    zx,
    zy,
    zz,
  ];
};
