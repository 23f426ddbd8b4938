/**
 * The paint of clothes: colour, pattern, neckline, lapels and tie.
 *
 * @module
 */
import type { Clothes } from "./body.ts";
import { type Lighting, linear } from "./light.ts";
import { noise2 } from "./noise.ts";
import type { Shader } from "./raster.ts";
import { lerp, smoothstep, type Vec3 } from "./vector.ts";

const SHIRT = linear(0xe9ebee);

const patterned = ({ pattern, color, second }: Clothes, x: number, y: number): Vec3 => {
  switch (pattern) {
    case "plain":
      return color;
    case "stripes":
      return Math.sin(y * 0.42) > 0.1 ? color : second;
    case "pinstripes":
      return Math.sin(x * 0.55) > 0.8 ? second : color;
    case "checks": {
      const t = (Math.sin(x * 0.24) > 0 ? 0.5 : 0) + (Math.sin(y * 0.24) > 0 ? 0.5 : 0);
      return [
        lerp(color[0], second[0], t),
        lerp(color[1], second[1], t),
        lerp(color[2], second[2], t),
      ];
    }
  }
};

/** What is seen at a place of the chest: skin, shirt, tie, lapel or the garment. */
const garment = (clothes: Clothes, skin: Vec3, x: number, y: number, z: number): Vec3 => {
  const side = Math.abs(x), front = z > -20;
  const base = patterned(clothes, x, y);
  if (!front) return base;
  switch (clothes.neckline) {
    case "turtleneck":
    case "hood":
      return base;
    case "round":
      return (x / 64) ** 2 + ((y - 134) / 22) ** 2 < 1 ? skin : base;
    case "wide":
      return (x / 92) ** 2 + ((y - 134) / 34) ** 2 < 1 ? skin : base;
    case "vee":
      return y < 196 - 0.95 * side ? skin : base;
    case "shirt":
      return y < 172 - 1.2 * side ? skin : side < 2 && y > 172 ? clothes.second : base;
    case "suit":
      if (y < 150 - side) return skin;
      if (side < 7 + 0.06 * (y - 150)) return clothes.second;
      return y < 260 - 1.9 * side ? SHIRT : base;
  }
};

/** The shader of clothes. */
export const makeClothShader =
  (clothes: Clothes, skin: Vec3, lighting: Lighting): Shader => (x, y, z, nx, ny, nz, out) => {
    const [r, g, b] = garment(clothes, skin, x, y, z);
    const weave = 0.9 + 0.2 * noise2(x * 0.06 + 11, y * 0.05);
    const wrinkle = 0.25 * (noise2(x * 0.035 + 3, y * 0.05 + z * 0.02) - 0.5);
    out[0] = r * weave;
    out[1] = g * weave;
    out[2] = b * weave;
    const under = smoothstep(150, 128, y) * 0.3;
    lighting(nx + wrinkle, ny, nz, 1 - under, 0.25, out);
  };

/** The shader of a collar. */
export const makeCollarShader =
  (clothes: Clothes, lighting: Lighting): Shader => (x, y, z, nx, ny, nz, out) => {
    const [r, g, b] = clothes.neckline === "suit" ? SHIRT : patterned(clothes, x, y);
    const rib = clothes.neckline === "turtleneck" ? 0.12 * Math.sin(Math.atan2(x, z + 24) * 40) : 0;
    out[0] = r;
    out[1] = g;
    out[2] = b;
    lighting(nx + rib, ny, nz, 0.55 + 0.45 * smoothstep(120, 150, y), 0.2, out);
  };
