/**
 * Light on a scene and what surfaces make of it, in linear colours.
 *
 * @module
 */
import type { Vec3 } from "./vector.ts";

/** A key light, light from all around, and a rim light from behind. */
export interface Light {
  /** Towards the key light, in camera space, length 1. */
  readonly direction: Vec3;
  readonly key: Vec3;
  /** Light from above and from below. */
  readonly sky: Vec3;
  readonly ground: Vec3;
  /** From behind at this side. */
  readonly rimSide: -1 | 1;
  readonly rim: number;
}

/** How a surface answers to light. */
export interface Surface {
  /** How far diffuse light reaches beyond the terminator, 0 to 1: soft for skin. */
  readonly wrap: number;
  readonly shine: number;
  /** Exponent of the highlight. */
  readonly gloss: number;
}

/** Lights `albedo` in `color` in place; `shade` is how much light reaches the place, 0 to 1. */
export type Lighting = (
  nx: number,
  ny: number,
  nz: number,
  shade: number,
  shine: number,
  color: Float32Array,
) => void;

/** Prepares the lighting of one kind of surface. */
export const makeLighting = (light: Light, surface: Surface): Lighting => {
  const [lx, ly, lz] = light.direction, { wrap, gloss } = surface;
  const [kr, kg, kb] = light.key, [sr, sg, sb] = light.sky, [gr, gg, gb] = light.ground;
  const halfLength = Math.hypot(lx, ly, lz + 1);
  const hx = lx / halfLength, hy = ly / halfLength, hz = (lz + 1) / halfLength;
  return (nx, ny, nz, shade, shine, color) => {
    const facing = nx * lx + ny * ly + nz * lz;
    const direct = Math.max(0, (facing + wrap) / (1 + wrap)) * (0.4 + 0.6 * shade);
    // Blood reddens the soft border of the shadow.
    const red = wrap * 0.35 * Math.max(0, 1 - Math.abs(facing) * 2.5);
    const up = (0.5 - 0.5 * ny) * shade, down = (0.5 + 0.5 * ny) * shade;
    const edge = Math.max(0, 1 - nz) * Math.max(0, nx * light.rimSide);
    const rim = light.rim * edge * edge;
    const highlight = Math.max(0, nx * hx + ny * hy + nz * hz);
    const gleam = facing > 0 ? shine * surface.shine * shade * highlight ** gloss : 0;
    color[0] = color[0]! * (kr * (direct + red * direct) + sr * up + gr * down + rim) + gleam * kr;
    color[1] = color[1]! * (kg * direct + sg * up + gg * down + rim) + gleam * kg;
    color[2] = color[2]! * (kb * direct + sb * up + gb * down + rim) + gleam * kb;
  };
};

/** The lighting of skin: soft, a little oily. */
export const skinLighting = (light: Light): Lighting =>
  makeLighting(light, { wrap: 0.35, shine: 0.11, gloss: 18 });

/** sRGB 0–255 to linear 0–1. */
export const toLinear = (value: number): number => {
  const v = value / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
};

/** An sRGB colour as 0xRRGGBB to linear. */
export const linear = (hex: number): Vec3 => [
  toLinear(hex >> 16),
  toLinear((hex >> 8) & 255),
  toLinear(hex & 255),
];

const ENCODED = Uint8Array.from({ length: 4097 }, (_, i) => {
  const v = i / 4096;
  const encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
  return Math.round(255 * encoded);
});

/** Linear 0–1 to sRGB 0–255; what is brighter is rolled off like on film. */
export const toSrgb = (value: number): number => {
  const v = value < 0.7 ? value : 1 - 0.3 * Math.exp((0.7 - value) / 0.3);
  return ENCODED[v <= 0 ? 0 : (v * 4096) | 0] ?? 255;
};
