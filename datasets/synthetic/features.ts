/**
 * Where eyes, brows, nose and mouth are in the frontal view of a face, and their outlines. The
 * same outlines are painted and give the landmarks, so that both agree exactly.
 *
 * @module
 */
import type { Expression } from "./expression.ts";
import { faceHeight, type HeadShape, jawDrop } from "./head_shape.ts";
import { clamp, lerp, smoothstep } from "./vector.ts";

/** The individual form of the features, in mm or as factors that are 1 on average. */
export interface FeatureForm {
  /** Distance of an eye's middle from the symmetry plane. */
  readonly eyeX: number;
  readonly eyeWidth: number;
  readonly eyeOpening: number;
  /** How much higher the outer corner is than the inner one. */
  readonly eyeTilt: number;
  /** How far the fold of the upper lid is above the lid; below 1 it is hidden. */
  readonly lidFold: number;
  readonly browHeight: number;
  readonly browThickness: number;
  readonly browArch: number;
  /** How much lower the inner end is, and how much farther out the outer end. */
  readonly browTilt: number;
  readonly browLength: number;
  readonly mouthY: number;
  readonly mouthWidth: number;
  readonly upperLip: number;
  readonly lowerLip: number;
  /** Depth of the dip in the middle of the upper lip, 0 to 1. */
  readonly cupidBow: number;
  readonly noseLength: number;
}

/** One eye; `side` is −1 at the left of the picture. */
export interface Eye {
  readonly side: -1 | 1;
  readonly x: number;
  readonly y: number;
  readonly half: number;
  readonly tilt: number;
  readonly upper: number;
  readonly lower: number;
  readonly fold: number;
  readonly irisX: number;
  readonly irisY: number;
}

/** Features of one frame, placed. */
export interface Features {
  readonly eyes: readonly [Eye, Eye];
  readonly browY: number;
  readonly browThickness: number;
  readonly browArch: number;
  readonly browTilt: number;
  readonly browInner: number;
  readonly browOuter: number;
  readonly noseTipY: number;
  readonly noseBaseY: number;
  readonly noseHalf: number;
  readonly mouthY: number;
  readonly mouthHalf: number;
  /** How far the corners are below the middle. */
  readonly mouthBend: number;
  readonly upperLip: number;
  readonly lowerLip: number;
  readonly cupidBow: number;
  /** Opening between the lips at the middle, above and below `mouthY`. */
  readonly gapUp: number;
  readonly gapDown: number;
}

/** Places the features of a face for an expression. */
export const placeFeatures = (
  form: FeatureForm,
  shape: HeadShape,
  expression: Expression,
): Features => {
  const { smile, pucker, blink, brows, jaw } = expression;
  const squint = 0.25 * Math.max(0, smile);
  const open = (1 - blink) * (1 - squint) * (1 + 0.12 * Math.max(0, brows));
  const eye = (side: -1 | 1): Eye => ({
    side,
    x: side * form.eyeX,
    y: 0.8 * blink,
    half: 13.4 * form.eyeWidth,
    tilt: form.eyeTilt,
    upper: lerp(-2.6, 6.6 * form.eyeOpening, open), // a shut lid lies on the lower one
    lower: 4 * form.eyeOpening * lerp(1, 0.85, squint) * lerp(0.7, 1, open),
    fold: form.lidFold,
    irisX: side * form.eyeX + 4.2 * expression.gazeX,
    irisY: -0.6 + 2.6 * expression.gazeY,
  });
  const mouthY = faceHeight(70 + form.mouthY, shape);
  const drop = jawDrop(mouthY + 8, expression);
  return {
    eyes: [eye(-1), eye(1)],
    browY: -20 - form.browHeight - 4.5 * brows,
    browThickness: 5.2 * form.browThickness,
    browArch: form.browArch,
    browTilt: form.browTilt - 2.5 * Math.min(0, brows),
    browInner: 14 + 1.5 * Math.min(0, brows),
    browOuter: 55 * form.browLength,
    noseTipY: faceHeight(37, shape) * form.noseLength + shape.noseTip,
    noseBaseY: faceHeight(49, shape) * form.noseLength,
    noseHalf: 16 * shape.noseWidth,
    mouthY,
    mouthHalf: 25.5 * form.mouthWidth * (1 + 0.2 * smile - 0.3 * pucker - 0.004 * jaw),
    mouthBend: -5.5 * smile + 0.25 * drop,
    upperLip: 7 * form.upperLip * (1 - 0.22 * Math.max(0, smile) + 0.2 * pucker),
    lowerLip: 9 * form.lowerLip * (1 - 0.15 * Math.max(0, smile) + 0.25 * pucker),
    cupidBow: form.cupidBow,
    gapUp: 0.1 * drop + 1.2 * Math.max(0, smile) * clamp(drop / 6, 0, 1),
    gapDown: 0.9 * drop,
  };
};

const arc = (u: number, power: number): number => Math.max(0, 1 - u * u) ** power;

/** Position along an eye: −1 at its inner corner, 1 at its outer one. */
export const alongEye = (eye: Eye, x: number): number => eye.side * (x - eye.x) / eye.half;

const lidAxis = (eye: Eye, u: number): number => eye.y - eye.tilt * 0.5 * u;

/** Height of the upper lid's edge at `u` along the eye, see {@link alongEye}. */
export const upperLid = (eye: Eye, u: number): number =>
  lidAxis(eye, u) - eye.upper * arc(u, 0.62) * (1 - 0.14 * u);

/** Height of the lower lid's edge. */
export const lowerLid = (eye: Eye, u: number): number =>
  lidAxis(eye, u) + eye.lower * arc(u, 0.7) * (1 + 0.15 * u);

/** Height of a brow's middle line at distance `|x|` from the symmetry plane. */
export const browLine = (f: Features, x: number): number => {
  const v = (Math.abs(x) - f.browInner) / (f.browOuter - f.browInner);
  const rise = -f.browArch * (1 - ((v - 0.62) / 0.62) ** 2); // highest at 0.62 of its length
  return f.browY + f.browTilt * (1 - v) + 2.5 + rise + 5 * smoothstep(0.62, 1, v);
};

/** Half the thickness of a brow there; 0 beyond its ends. */
export const browHalf = (f: Features, x: number): number => {
  const v = (Math.abs(x) - f.browInner) / (f.browOuter - f.browInner);
  if (v < 0 || v > 1) return 0;
  return 0.5 * f.browThickness * smoothstep(-0.08, 0.1, v) * lerp(1, 0.35, smoothstep(0.5, 1, v));
};

const mouthAxis = (f: Features, u: number): number => f.mouthY + f.mouthBend * u * u;

/** Outline of the lips at `u` = x / mouthHalf: upper lip's upper edge. */
export const upperLipTop = (f: Features, u: number): number =>
  upperLipBottom(f, u) -
  f.upperLip * arc(u, 0.85) * (1 - 0.28 * f.cupidBow * Math.exp(-((u / 0.16) ** 2)));

/** Upper lip's lower edge. */
export const upperLipBottom = (f: Features, u: number): number =>
  mouthAxis(f, u) - f.gapUp * arc(u, 0.8);

/** Lower lip's upper edge. */
export const lowerLipTop = (f: Features, u: number): number =>
  mouthAxis(f, u) + f.gapDown * arc(u, 0.75);

/** Lower lip's lower edge. */
export const lowerLipBottom = (f: Features, u: number): number =>
  lowerLipTop(f, u) + f.lowerLip * arc(u, 0.8);
