/**
 * The paint of a mouth: lips, the line between them, teeth, tongue and the dark behind.
 *
 * @module
 */
import {
  type Features,
  lowerLipBottom,
  lowerLipTop,
  upperLipBottom,
  upperLipTop,
} from "./features.ts";
import { linear } from "./light.ts";
import { blend, type Complexion } from "./complexion.ts";
import { bell, clamp, smoothstep, type Vec3 } from "./vector.ts";

const INSIDE = linear(0x2a0d0d);
const TONGUE = linear(0x9a4444);
const TEETH = linear(0xe8e0d4);

/** Paints into `out` where the mouth is; returns how much more the place shines. */
export type MouthPainter = (x: number, y: number, out: Float32Array) => number;

/** Prepares the paint of the mouth; `soft` is the width of a painted edge in mm. */
export const makeMouthPainter = (
  f: Features,
  { lips, skin }: Complexion,
  soft: number,
): MouthPainter => {
  const seam: Vec3 = [lips[0] * 0.28, lips[1] * 0.2, lips[2] * 0.2];
  const upperLip: Vec3 = [lips[0] * 0.8, lips[1] * 0.74, lips[2] * 0.76];
  const corner: Vec3 = [skin[0] * 0.45, skin[1] * 0.33, skin[2] * 0.33];
  const teethHeight = Math.min(7, 2.5 + 0.5 * (f.gapUp + f.gapDown));
  const edge = 0.7 + soft;
  return (x, y, out) => {
    const u = x / f.mouthHalf;
    if (Math.abs(u) > 1.2) return 0;
    const inside = clamp(u, -1, 1);
    const past = Math.max(0, Math.abs(u) - 1) * f.mouthHalf;
    const a = upperLipTop(f, inside), b = upperLipBottom(f, inside);
    const c = lowerLipTop(f, inside), d = lowerLipBottom(f, inside);
    const dimple = bell(((Math.abs(u) - 1.03) / 0.09) ** 2 + ((y - b) / 3) ** 2);
    blend(out, corner, 0.5 * dimple);
    const lip = smoothstep(-edge, edge, Math.min(y - a, d - y) - past);
    if (lip <= 0) return 0;
    blend(out, y < (b + c) / 2 ? upperLip : lips, 0.92 * lip);
    const gap = c - b;
    if (gap > 0.4) {
      const open = smoothstep(-soft, soft, Math.min(y - b, c - y) - past);
      if (open > 0) {
        blend(out, INSIDE, open);
        const tongue = smoothstep(0.45, 0.95, (y - b) / gap) * (1 - u * u);
        blend(out, TONGUE, 0.55 * open * tongue);
        const upper = 1 - smoothstep(teethHeight - soft, teethHeight + soft, y - b);
        const bright = 0.85 - 0.75 * u * u;
        blend(
          out,
          [TEETH[0] * bright, TEETH[1] * bright, TEETH[2] * bright],
          open * upper * (1 - smoothstep(0.62, 0.9, Math.abs(u))),
        );
        return -open;
      }
    }
    const middle = (b + c) / 2;
    const line = 1 - smoothstep(0.3 + 0.3 * soft, 1 + soft, Math.abs(y - middle) + past);
    blend(out, seam, gap > 0.4 ? 0.25 * line : 0.85 * line);
    const gloss = bell((u / 0.45) ** 2 + ((y - c - 0.45 * f.lowerLip) / 2.5) ** 2);
    return lip * (1.6 * gloss - 0.2);
  };
};
