/**
 * The paint of an eye: white, iris, pupil, a reflection, lashes, and the fold of the upper lid.
 *
 * @module
 */
import { alongEye, type Eye, lowerLid, upperLid } from "./features.ts";
import { linear } from "./light.ts";
import { blend, type Complexion } from "./complexion.ts";
import { bell, smoothstep, type Vec3 } from "./vector.ts";

const PUPIL = linear(0x080708);
const LASH = linear(0x140e0c);
const WHITE = linear(0xe6deda);
const GLINT: Vec3 = [1.6, 1.6, 1.6];
const CORNER = linear(0xb0665c);

/** Paints into `out` where the eye is; returns the factor on the light that reaches the place. */
export type EyePainter = (x: number, y: number, out: Float32Array) => number;

/** Prepares the paint of one eye; `soft` is the width of a painted edge in mm. */
export const makeEyePainter = (eye: Eye, complexion: Complexion, soft: number): EyePainter => {
  const { iris, lid, skin } = complexion;
  const rim: Vec3 = [iris[0] * 0.25, iris[1] * 0.25, iris[2] * 0.25];
  const crease: Vec3 = [skin[0] * 0.42, skin[1] * 0.33, skin[2] * 0.32];
  const edge = 0.6 + soft, radius = 6.1;
  return (x, y, out) => {
    const u = alongEye(eye, x);
    if (u < -1.25 || u > 1.35 || y < -22 || y > 14) return 1;
    const inside = Math.min(1, Math.max(-1, u));
    const top = upperLid(eye, inside), bottom = lowerLid(eye, inside);
    const past = Math.max(0, Math.abs(u) - 1) * eye.half;
    const below = y - top, above = bottom - y;
    let light = 1;
    if (below < 0) { // lid and fold
      const reach = 1 - smoothstep(0.9, 1.25, Math.abs(u));
      const onLid = smoothstep(-eye.fold - soft, -eye.fold + 1, below) * reach;
      blend(out, lid, 0.75 * onLid);
      const fold = bell(((below + eye.fold) / (0.9 + 0.7 * soft)) ** 2) * reach;
      blend(out, crease, 0.55 * fold * (0.4 + 0.6 * smoothstep(-1.1, 0.3, u)));
    }
    const opening = Math.min(below, above) - past;
    const seen = smoothstep(-soft, soft, opening);
    if (seen > 0 && bottom - top > 0.3) {
      const dx = x - eye.irisX, dy = y - eye.irisY, r = Math.sqrt(dx * dx + dy * dy);
      const white = 0.95 - 0.3 * Math.abs(u) ** 3;
      blend(out, [WHITE[0] * white, WHITE[1] * white, WHITE[2] * white], seen);
      blend(out, CORNER, seen * 0.8 * smoothstep(-0.78, -0.98, u));
      blend(out, rim, seen * (1 - smoothstep(radius - soft, radius + soft, r)));
      blend(out, iris, seen * (1 - smoothstep(radius - 1.4 - soft, radius - 0.6 + soft, r)));
      blend(out, PUPIL, seen * (1 - smoothstep(2.4 - soft, 2.5 + soft, r)));
      const glint = (dx - 2) ** 2 + (dy + 2) ** 2;
      blend(out, GLINT, seen * 0.85 * bell(glint / (1.1 + soft * soft)));
      // The upper lid shades the ball.
      light = 1 - seen * 0.45 * (1 - smoothstep(0, 4.5, below));
    }
    const lashes = complexion.lashes * (0.75 + 0.35 * u);
    const upper = (1 - smoothstep(edge * 0.7, edge * 1.6, Math.abs(below - 0.2) + past)) * lashes;
    const lower = (1 - smoothstep(edge * 0.4, edge * 1.3, Math.abs(above) + past)) * 0.38 * lashes;
    blend(out, LASH, Math.min(0.95, Math.max(upper, lower, 0)));
    return light;
  };
};
