/**
 * The paint of a face: skin, brows, eyes, lips, teeth, beard and the shades of folds, as a function
 * of the place in the frontal view.
 *
 * @module
 */
import { type Beard, blend, type Complexion } from "./complexion.ts";
import type { Head } from "./head.ts";
import type { Lighting } from "./light.ts";
import { makeEyePainter } from "./eye_paint.ts";
import { makeMouthPainter } from "./mouth_paint.ts";
import { browHalf, browLine } from "./features.ts";
import type { Shader } from "./raster.ts";
import { bell, clamp, lerp, smoothstep, type Vec3 } from "./vector.ts";
import { noise2 } from "./noise.ts";

/** How dense a beard is at a place, 0 to 1. */
const makeBeard = ({ features: f }: Head, beard: Beard) => {
  const top = f.noseBaseY + 1.5, line = f.mouthY + 0.5 * f.gapDown;
  const lip = f.mouthY + f.gapDown + f.lowerLip;
  const any = Math.max(beard.moustache, beard.chin, beard.cheeks);
  return (x: number, y: number): number => {
    if (any <= 0 || y < 6) return 0;
    const side = Math.abs(x), ragged = 3 * (noise2(x * 0.35, y * 0.35) - 0.5);
    const u = side / f.mouthHalf, bent = 5 * u * u;
    const moustache = beard.moustache * smoothstep(top - 1.5, top + 2.5, y + ragged - bent) *
      (1 - smoothstep(1, 1.3, u + 0.05 * ragged)) * (1 - smoothstep(line - 2, line + 4, y - bent));
    // A ring around the mouth, filled below it.
    const ring = (side / (1.24 * f.mouthHalf)) ** 2 +
      ((y + ragged - line - 4) / (lip - line + 24)) ** 2;
    const hollow = Math.max(smoothstep(0.42, 0.7, ring), smoothstep(lip + 1, lip + 5, y + ragged));
    const chin = beard.chin * hollow * (1 - smoothstep(0.9, 1.2, ring)) *
      smoothstep(line - 6, line + 3, y);
    const edge = lerp(line + 2, 8, smoothstep(30, 70, side)) + ragged;
    const cheeks = beard.cheeks * smoothstep(edge - 3, edge + 8, y) *
      Math.max(smoothstep(1.1, 1.4, u), smoothstep(lip + 2, lip + 6, y));
    return clamp(Math.max(moustache, chin, cheeks), 0, 1);
  };
};

/** Folds and creases: how much light is lost at a place, 0 to 1. */
const makeFolds = ({ features: f }: Head, age: number, smile: number) => {
  const fold = 0.16 + 0.3 * age + 0.25 * Math.max(0, smile);
  const wing = f.noseHalf, base = f.noseBaseY, lip = f.mouthY + f.gapDown + f.lowerLip;
  return (x: number, y: number): number => {
    const side = Math.abs(x);
    let lost = 0;
    if (y > 26 && y < base + 12 && side < 34) {
      const nostril = bell(((side - 0.47 * wing) / 4) ** 2 + ((y - base + 2.5) / 2.3) ** 2);
      const groove = bell(((side - wing - 0.6) / 2) ** 2 + ((y - base + 7) / 6) ** 2);
      const under = bell((side / (wing + 2)) ** 2 + ((y - base - 3) / 3.4) ** 2);
      lost = Math.max(0.86 * nostril, 0.4 * groove) + 0.26 * under;
    }
    if (y > 2 && y < base && side < 26) {
      lost += 0.13 * bell(((side - 9 - 0.1 * y) / 3.6) ** 2 + ((y - 24) / 16) ** 2);
    }
    if (y > 40 && side < 50) {
      const along = clamp((y - base + 6) / (f.mouthY - base + 8), 0, 1);
      const line = side - (wing + 3 + along * (f.mouthHalf - wing + 6));
      lost += fold * bell((line / 2.6) ** 2) * bell(((along - 0.5) / 0.42) ** 2);
      lost += 0.2 * bell((x / 15) ** 2 + ((y - lip - 4) / 3.4) ** 2);
    }
    if (age > 0.2 && y < 20) {
      const waves = Math.sin((y + 0.004 * x * x) * 0.75);
      lost += 0.13 * age * Math.max(0, waves - 0.3) * bell(((y + 46) / 15) ** 2 + (x / 40) ** 2);
      lost += 0.1 * age * Math.max(0, Math.sin(y * 1.1 + side * 0.5)) *
        bell(((side - 52) / 6) ** 2 + ((y - 1) / 9) ** 2);
      lost += 0.2 * age * bell(((side - 26) / 10) ** 2 + ((y - 16) / 2.5) ** 2);
    }
    return lost;
  };
};

/**
 * The shader of a head's skin. `soft` is the width in mm over which painted edges fade: about one
 * sample.
 */
export const makeSkinShader = (
  head: Head,
  complexion: Complexion,
  smile: number,
  lighting: Lighting,
  soft: number,
): Shader => {
  const { features: f } = head, { skin, brows, blush, eyeShade, freckles } = complexion;
  const flush: Vec3 = [skin[0] * 1.04, skin[1] * 0.62, skin[2] * 0.6];
  const shadow: Vec3 = [skin[0] * 0.5, skin[1] * 0.38, skin[2] * 0.38];
  const beard = makeBeard(head, complexion.beard), folds = makeFolds(head, complexion.age, smile);
  const eyes = f.eyes.map((eye) => makeEyePainter(eye, complexion, soft));
  const mouth = makeMouthPainter(f, complexion, soft);
  const eyeX = f.eyes[1].x, browTop = f.browY - 16;
  return (x, y, z, nx, ny, nz, out) => {
    const side = Math.abs(x), pores = 0.94 + 0.12 * noise2(x * 0.11 + 40, y * 0.11 + 40);
    out[0] = skin[0] * pores;
    out[1] = skin[1] * pores;
    out[2] = skin[2] * pores;
    let shade = 1, shine = 1;
    if (z > 5 && y > -70) {
      const warm = bell(((side - 40) / 17) ** 2 + ((y - 32) / 15) ** 2) +
        0.8 * bell((x / 14) ** 2 + ((y - f.noseTipY) / 10) ** 2) +
        0.4 * bell((x / 17) ** 2 + ((y - f.mouthY - f.gapDown - 32) / 9) ** 2);
      blend(out, flush, clamp(blush * warm, 0, 0.75));
      const dark = bell(((side - eyeX + 4) / 17) ** 2 + ((y - 3) / 11) ** 2);
      blend(out, shadow, eyeShade * dark);
      shade -= 0.22 * bell(((side - 17) / 7) ** 2 + ((y + 3) / 8) ** 2);
      shine += 0.9 * bell((x / 9) ** 2 + ((y - f.noseTipY + 4) / 16) ** 2) - 0.5 * dark;
      if (freckles > 0) {
        const spots = noise2(x * 0.55, y * 0.55) - 0.62;
        if (spots > 0) blend(out, shadow, clamp(2.4 * freckles * spots * (warm + 0.25), 0, 0.6));
      }
      shade *= 1 - clamp(folds(x, y), 0, 0.9);
      const hairy = beard(x, y);
      if (hairy > 0) {
        blend(out, complexion.beard.color, hairy * (0.8 + 0.2 * noise2(x * 0.9, y * 0.4)));
        shine *= 1 - 0.8 * hairy;
      }
      if (y < 26 && y > browTop && side < 62) {
        const half = browHalf(f, x);
        if (half > 0) {
          const away = Math.abs(y - browLine(f, x)) - half;
          const hair = 0.72 + 0.4 * noise2(x * 0.8 + y * 0.5, y * 0.25);
          const grown = complexion.browDensity * hair * (1 - smoothstep(-soft - 0.8, soft, away));
          blend(out, brows, clamp(grown, 0, 1));
        }
        const lit = eyes[x < 0 ? 0 : 1]!(x, y, out);
        shade *= lit;
        if (lit > 1) shade = 1;
      }
      if (y > f.mouthY - 22 && side < f.mouthHalf + 6) shine += mouth(x, y, out);
    }
    lighting(nx, ny, nz, clamp(shade, 0.05, 1), clamp(shine, 0, 3), out);
  };
};
