/**
 * The shape of a head: horizontal cross-sections from the crown to the chin, and a relief (nose,
 * eye sockets, cheekbones, lips, chin) added in depth. Since the relief moves points in depth only,
 * the face is a height field over its frontal view, and features can be placed in that plane.
 *
 * @module
 */
import { bell, clamp, lerp, smoothstep, spline } from "./vector.ts";
import type { Expression } from "./expression.ts";

/** What makes one skull and face differ from another; 0 is the average unless said otherwise. */
export interface HeadShape {
  /** Factors on the width of the whole head, of the jaw and of the cheekbones; 1 on average. */
  readonly width: number;
  readonly jaw: number;
  readonly cheeks: number;
  /** Factor on lengths below the eyes, 1 on average, and chin size in mm. */
  readonly length: number;
  readonly chin: number;
  /** Height of the forehead, slope of the forehead, in mm. */
  readonly forehead: number;
  /** 2 is an ellipse seen from above, more is squarer. */
  readonly squareness: number;
  /** How far brows stand out, how deep the eyes lie, how full the cheeks are, in mm. */
  readonly browRidge: number;
  readonly eyeDepth: number;
  readonly fullness: number;
  /** Nose: factors on width and height of the ridge, tip up or down in mm, a hump in mm. */
  readonly noseWidth: number;
  readonly noseHeight: number;
  readonly noseTip: number;
  readonly noseHump: number;
  /** How far the lips stand out in mm, and their width as a factor. */
  readonly lipDepth: number;
}

/** Knots of the cross-sections: height, half width, front, back, depth of the widest point. */
const KNOTS = {
  y: [-118, -115, -104, -86, -64, -42, -22, 0, 20, 40, 60, 76, 92, 104, 112, 116],
  w: [0, 27, 49, 64, 71.5, 74, 74, 72.5, 70.5, 68, 64, 58, 48, 36, 21, 0],
  front: [-5, 30, 58, 76, 86, 91, 93, 90, 88, 88, 89, 89, 88, 86, 81, 70],
  back: [-5, -42, -72, -88, -95, -96, -93, -86, -76, -62, -42, -18, 12, 36, 54, 70],
  widest: [-5, -5, -8, -10, -10, -8, -4, 0, 2, 4, 6, 9, 22, 40, 58, 70],
  power: [2, 2, 2.1, 2.2, 2.3, 2.3, 2.25, 2.2, 2.2, 2.2, 2.15, 2.1, 2.1, 2.15, 2.1, 2],
} as const;

/** How many knots there are between crown and chin; cross-sections are numbered 0 to this. */
export const LAST_KNOT = KNOTS.y.length - 1;

/** Cross-sections at equal steps of the knot number. */
export interface Profile {
  readonly steps: number;
  readonly y: Float64Array;
  readonly w: Float64Array;
  readonly front: Float64Array;
  readonly back: Float64Array;
  readonly widest: Float64Array;
  readonly power: Float64Array;
}

const STEPS_A_KNOT = 6;

/** How far the jaw pulls a point at rest height `y` down, in mm. */
export const jawDrop = (y: number, expression: Expression): number =>
  expression.jaw * smoothstep(62, 86, y);

/** The height of a feature of this shape whose average height is `y`, mouth closed. */
export const faceHeight = (y: number, shape: HeadShape): number =>
  y <= 0 ? y : y * shape.length + shape.chin * smoothstep(70, 112, y);

const knotHeight = (y: number, shape: HeadShape): number =>
  y < -30 ? y - shape.forehead * smoothstep(-30, -110, y) : faceHeight(y, shape);

const knotWidth = (y: number, w: number, shape: HeadShape): number =>
  w * shape.width * lerp(1, shape.jaw, smoothstep(35, 85, y)) *
  lerp(1, shape.cheeks, bell(((y - 22) / 26) ** 2));

/** The cross-sections of a head with that expression. */
export const makeProfile = (shape: HeadShape, expression: Expression): Profile => {
  const steps = LAST_KNOT * STEPS_A_KNOT;
  const column = (values: readonly number[]): Float64Array =>
    Float64Array.from({ length: steps + 1 }, (_, i) => spline(values, i / STEPS_A_KNOT));
  const y = KNOTS.y.map((v) => {
    const rest = knotHeight(v, shape);
    return rest + jawDrop(v, expression);
  });
  return {
    steps,
    y: column(y),
    w: column(KNOTS.w.map((w, i) => knotWidth(KNOTS.y[i] ?? 0, w, shape))),
    front: column(KNOTS.front),
    back: column(KNOTS.back.map((z, i) => z - 0.15 * expression.jaw * smoothstep(9, 14, i))),
    widest: column(KNOTS.widest),
    power: column(KNOTS.power.map((p) => p + shape.squareness)),
  };
};

/** The position of height `y` among the profile's steps, fractional. */
export const stepAtHeight = (profile: Profile, y: number): number => {
  let low = 0, high = profile.steps;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (profile.y[middle]! <= y) low = middle;
    else high = middle;
  }
  const from = profile.y[low]!, to = profile.y[high]!;
  return low + clamp((y - from) / (to - from || 1), 0, 1);
};

/** The profile's column at a fractional step. */
export const profileAt = (column: Float64Array, step: number): number => {
  const i = Math.min(column.length - 2, Math.floor(step));
  return lerp(column[i]!, column[i + 1]!, step - i);
};
