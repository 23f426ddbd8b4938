/**
 * The relief of a face: how far nose, brows, cheekbones, lips and chin stand out of the smooth
 * cross-sections, and eyes lie in.
 *
 * @module
 */
import type { Features } from "./features.ts";
import type { HeadShape } from "./head_shape.ts";
import { bell, clamp, smoothstep } from "./vector.ts";

/** Depth added at a place of the frontal view, in mm. */
export type Relief = (x: number, y: number) => number;

const makeNose = (shape: HeadShape, f: Features): Relief => {
  const tip = f.noseTipY, base = f.noseBaseY, wing = base - 6.5;
  const height = 23 * shape.noseHeight, wingX = f.noseHalf - 5.5;
  return (x, y) => {
    if (y < -24 || y > base + 12 || x > 30 || x < -30) return 0;
    const down = clamp((y + 4) / (tip + 4), 0, 1); // 0 at the root, 1 at the tip
    const hump = shape.noseHump * bell(((down - 0.4) / 0.3) ** 2);
    const rise = smoothstep(-24, -2, y) * 4 + (height - 4) * down ** 1.25 + hump;
    const fall = 1 - smoothstep(tip - 1, base + 2, y);
    const sigma = (6.6 + 2.5 * down * down) * (0.6 + 0.4 * shape.noseWidth);
    const ridge = rise * fall * bell((x / sigma) ** 2 * 0.72);
    const ball = 5 * bell((x / (8.5 * shape.noseWidth)) ** 2 + ((y - tip) / 7.5) ** 2);
    const side = Math.abs(x) - wingX;
    const wings = 9.5 * bell((side / 5.6) ** 2 + ((y - wing) / 6.4) ** 2);
    const body = 4.5 * bell((x / (15 * shape.noseWidth)) ** 2 + ((y - wing + 4) / 13) ** 2);
    return ridge + ball + wings + body;
  };
};

const makeMouth = (shape: HeadShape, f: Features): Relief => {
  const half = f.mouthHalf, d = shape.lipDepth;
  const upper = f.mouthY - f.gapUp - 0.45 * f.upperLip;
  const lower = f.mouthY + f.gapDown + 0.5 * f.lowerLip;
  const line = f.mouthY + 0.5 * (f.gapDown - f.gapUp), open = 2.5 + 0.5 * (f.gapDown + f.gapUp);
  return (x, y) => {
    if (y < upper - 26 || y > lower + 26) return 0;
    const u = x / half;
    const muzzle = 4.5 * bell((u / 1.25) ** 2 + ((y - line) / 24) ** 2);
    const lips = (4.2 + d) * bell((u / 0.8) ** 2 + ((y - upper) / (0.62 * f.upperLip + 1)) ** 2) +
      (5 + d) * bell((u / 0.68) ** 2 + ((y - lower) / (0.62 * f.lowerLip + 1)) ** 2);
    const slit = -3 * bell((u / 0.95) ** 2 + ((y - line) / open) ** 2);
    const corner = -1.6 * bell(((Math.abs(u) - 1.05) / 0.2) ** 2 + ((y - line) / 5) ** 2);
    const below = -4 * bell((u / 0.8) ** 2 + ((y - lower - 0.6 * f.lowerLip - 5) / 5) ** 2);
    const philtrum = -1.3 * bell((x / 3.4) ** 2 + ((y - upper + f.upperLip + 3) / 6) ** 2);
    return muzzle + lips + slit + corner + below + philtrum;
  };
};

const makeEyes = (shape: HeadShape, f: Features): Relief => {
  const { x: eyeX, half } = f.eyes[1], lid = -f.eyes[1].upper;
  return (x, y) => {
    if (y < -42 || y > 26) return 0;
    const side = Math.abs(x);
    const socket = -(8.5 + shape.eyeDepth) * bell(((side - eyeX + 2) / 18) ** 2 + (y / 12.5) ** 2);
    const corner = -4 * bell(((side - 16) / 6.5) ** 2 + ((y + 2) / 9) ** 2);
    const ball = 6.2 * bell(((side - eyeX) / (0.92 * half)) ** 2 + ((y + 0.5) / 9.5) ** 2);
    const lidEdge = 0.9 * bell(((side - eyeX) / half) ** 2 + ((y - lid + 1.5) / 2.2) ** 2);
    const ridge = (4 + shape.browRidge) *
      bell(((side - 27) / 23) ** 2 + ((y - f.browY + 1) / 8) ** 2);
    const bag = -0.9 * bell(((side - eyeX + 3) / 13) ** 2 + ((y - 13) / 3.5) ** 2);
    return socket + corner + ball + lidEdge + ridge + bag;
  };
};

const makeCheeks = (shape: HeadShape, f: Features, smile: number): Relief => {
  const chinY = f.mouthY + f.gapDown + 34;
  const fold = Math.max(0, smile);
  return (x, y) => {
    if (y < -14) return 0;
    const side = Math.abs(x);
    const bone = 4.2 * bell(((side - 45) / 17) ** 2 + ((y - 21) / 15) ** 2);
    const apple = (1 + 3.5 * fold + shape.fullness) *
      bell(((side - 33) / 14) ** 2 + ((y - 33) / 13) ** 2);
    const cheek = (shape.fullness - 2) * bell(((side - 44) / 16) ** 2 + ((y - 62) / 18) ** 2);
    // The fold from the wing of the nose to the corner of the mouth.
    const along = clamp((y - 44) / 26, 0, 1);
    const crease = side - (f.noseHalf + 3 + along * (f.mouthHalf - f.noseHalf + 6));
    const folded = -(0.8 + 1.6 * fold) * bell((crease / 3.2) ** 2 + ((y - 57) / 15) ** 2);
    const chin = (5.5 + 0.4 * shape.chin) * bell((x / 16) ** 2 + ((y - chinY) / 10) ** 2);
    return bone + apple + cheek + folded + chin;
  };
};

/** The whole relief of a face with that expression. */
export const makeRelief = (shape: HeadShape, f: Features, smile: number): Relief => {
  const nose = makeNose(shape, f), mouth = makeMouth(shape, f), eyes = makeEyes(shape, f);
  const cheeks = makeCheeks(shape, f, smile);
  return (x, y) => nose(x, y) + mouth(x, y) + eyes(x, y) + cheeks(x, y);
};
