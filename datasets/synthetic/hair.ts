/**
 * Hair: a shell over the head that ends at a hairline, thick or thin, hanging or cropped, smooth
 * or curly.
 *
 * @module
 */
import {
  type HeadShape,
  makeProfile,
  type Profile,
  profileAt,
  stepAtHeight,
} from "./head_shape.ts";
import { NEUTRAL } from "./expression.ts";
import type { Lighting } from "./light.ts";
import { makeGrid, type Mesh } from "./mesh.ts";
import { noise2 } from "./noise.ts";
import type { Shader } from "./raster.ts";
import { clamp, lerp, smoothstep, spline, type Vec3 } from "./vector.ts";

/** One person's hair. */
export interface Hair {
  readonly color: Vec3;
  /** Colour of the strands that catch light. */
  readonly streak: Vec3;
  /**
   * Heights in mm where the hair ends, at {@link EDGE_ANGLES} from the forehead to the nape; the
   * first is the hairline.
   */
  readonly edge: readonly number[];
  /** Thickness on top, at the sides and at the edge of the forehead, in mm. */
  readonly top: number;
  readonly sides: number;
  readonly rim: number;
  /** The same at the back and over the ears, where it hangs. */
  readonly ends: number;
  /** How far hanging hair stands out below the ears, in mm. */
  readonly flare: number;
  /** Where it is parted: −1 at the left of the picture, 1 at the right. */
  readonly parting: number;
  /** Size of curls in mm, and how far apart they are (per mm). */
  readonly curl: number;
  readonly curlScale: number;
  /** Raggedness of the edge in mm. */
  readonly ragged: number;
  /** How bright it gleams. */
  readonly shine: number;
}

/** Angles of {@link Hair.edge} in degrees: 0 is the middle of the forehead. */
export const EDGE_ANGLES = [0, 20, 40, 56, 72, 88, 112, 180] as const;

const EAR_KNOT = 7, KNOT_MM = 20, ROWS = 26, COLUMNS = 56;

const edgeAt = (hair: Hair, angle: number): number => {
  const degrees = Math.abs(angle) * 180 / Math.PI;
  let i = 0;
  while (i < EDGE_ANGLES.length - 2 && EDGE_ANGLES[i + 1]! < degrees) i++;
  const from = EDGE_ANGLES[i]!, to = EDGE_ANGLES[i + 1]!;
  const t = clamp((degrees - from) / (to - from), 0, 1);
  const lift = degrees < 60
    ? 9 * hair.parting * Math.sin(angle) * smoothstep(60, 30, degrees) // swept to one side
    : 0;
  const hanging = 0.25 + 0.75 * smoothstep(50, 85, degrees);
  const ragged = hair.ragged * hanging * (noise2(angle * 9 + 7, 3.5) - 0.5) * 2;
  return spline(hair.edge, i + t) + lift + ragged;
};

/** The scalp's cross-section carried on below the ears, where hair hangs straight down. */
const scalp = (profile: Profile, hair: Hair, knot: number) => {
  const a = profile.steps / 15;
  if (knot <= EAR_KNOT) {
    const at = (column: Float64Array): number => profileAt(column, knot * a);
    return {
      y: at(profile.y),
      w: at(profile.w),
      front: at(profile.front),
      back: at(profile.back),
      widest: at(profile.widest),
    };
  }
  const at = (column: Float64Array): number => profileAt(column, EAR_KNOT * a);
  const below = (knot - EAR_KNOT) * KNOT_MM, hang = smoothstep(0, 70, below);
  return {
    y: at(profile.y) + below,
    w: at(profile.w) - 3 * hang + hair.flare * hang,
    front: at(profile.front) - 20 * hang,
    back: at(profile.back) + 12 * hang,
    widest: at(profile.widest) - 6 * hang,
  };
};

const knotAtHeight = (profile: Profile, y: number): number => {
  const ear = profileAt(profile.y, EAR_KNOT * profile.steps / 15);
  return y <= ear ? stepAtHeight(profile, y) * 15 / profile.steps : EAR_KNOT + (y - ear) / KNOT_MM;
};

/** The shell of hair of a head, in the head's frame. */
export const hairMesh = (shape: HeadShape, hair: Hair): Mesh => {
  const profile = makeProfile(shape, NEUTRAL);
  return makeGrid("hair", ROWS, COLUMNS, { closed: true, open: true }, (row, column, put) => {
    const u = 2 * column / COLUMNS - 1;
    const angle = Math.PI * u * (0.75 + 0.25 * Math.abs(u));
    const end = knotAtHeight(profile, edgeAt(hair, angle)), v = row / (ROWS - 1);
    const knot = end * v ** 0.9;
    const { y, w, front, back, widest } = scalp(profile, hair, knot);
    const power = 2 / 2.2, s = Math.sin(angle), c = Math.cos(angle);
    const x = w * Math.sign(s) * Math.abs(s) ** power;
    const z = widest + ((Math.abs(angle) < Math.PI / 2 ? front : back) - widest) *
        Math.abs(c) ** power;
    const height = smoothstep(10, -90, y);
    const last = Math.abs(angle) < 1 ? hair.rim : hair.ends;
    let thick = lerp(hair.sides, hair.top, height);
    thick = lerp(thick, last, smoothstep(0.62, 1, v));
    thick *= 1 + 0.35 * hair.parting * Math.sin(angle) * height;
    const bumps = noise2(angle * 60 * hair.curlScale + 20, y * hair.curlScale + 9) - 0.5;
    thick = Math.max(1.5, thick + 2 * hair.curl * bumps * smoothstep(1.02, 0.8, v));
    const cy = Math.min(y, -15), dx = x, dy = cy === y ? y + 15 : 0, dz = z + 5;
    const length = Math.hypot(dx, dy, dz) || 1;
    put(x + thick * dx / length, y + thick * dy / length, z + thick * dz / length);
  });
};

/** Where the hair ends, at {@link EDGE_STEPS} angles from −π to π. */
const EDGE_STEPS = 128;

/** The shader of hair: strands from the crown to the edge, thinning out on the forehead. */
export const makeHairShader = (hair: Hair, skin: Vec3, lighting: Lighting): Shader => {
  const { color, streak } = hair, curly = clamp(hair.curl / 6, 0, 1);
  const edges = Float32Array.from(
    { length: EDGE_STEPS + 1 },
    (_, i) => edgeAt(hair, Math.PI * (2 * i / EDGE_STEPS - 1)),
  );
  const thinning = hair.rim > 6 ? 0 : 7;
  return (x, y, z, nx, ny, nz, out) => {
    const angle = Math.atan2(x, z + 5), around = angle * 16;
    const strand = 0.65 * noise2(around + 3, y * 0.035) + 0.35 * noise2(around * 3.1, y * 0.06 + 5);
    const lump = noise2(x * 0.12 + z * 0.07, y * 0.12);
    const pattern = lerp(strand, lump, 0.6 * curly);
    const bright = 0.72 + 0.5 * pattern, light = 0.6 * smoothstep(0.5, 0.9, pattern);
    out[0] = bright * lerp(color[0], streak[0], light);
    out[1] = bright * lerp(color[1], streak[1], light);
    out[2] = bright * lerp(color[2], streak[2], light);
    if (thinning > 0 && y < -30 && Math.abs(angle) < 0.75) {
      const left = edges[Math.round((angle / Math.PI + 1) * EDGE_STEPS / 2)]! - y;
      const bare = smoothstep(thinning, 0, left + 5 * (noise2(around * 4, 1) - 0.5)) *
        0.75 * smoothstep(0.75, 0.6, Math.abs(angle));
      for (let i = 0; i < 3; i++) out[i] = lerp(out[i]!, skin[i]! * 0.85, bare);
    }
    const deep = smoothstep(40, 150, y) * 0.25; // hanging hair shades itself
    const tilt = (pattern - 0.5) * (0.3 + 0.6 * curly);
    lighting(nx + tilt, ny, nz, (0.62 + 0.38 * pattern) * (1 - deep), hair.shine * pattern, out);
  };
};
