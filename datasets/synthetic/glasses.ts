/**
 * Glasses: rims, bridge and temples as ribbons in front of the face.
 *
 * @module
 */
import type { Head } from "./head.ts";
import { faceSurface } from "./head.ts";
import { profileAt, stepAtHeight } from "./head_shape.ts";
import type { Lighting } from "./light.ts";
import { makeGrid, type Mesh } from "./mesh.ts";
import type { Shader } from "./raster.ts";
import { lerp, type Vec3 } from "./vector.ts";

/** One person's glasses. */
export interface Glasses {
  readonly color: Vec3;
  /** Width of the rims in mm. */
  readonly rim: number;
  readonly width: number;
  readonly height: number;
  /** 2 is round, more is squarer. */
  readonly squareness: number;
}

const ribbon = (points: readonly (readonly [Vec3, Vec3])[], closed: boolean): Mesh =>
  makeGrid("frame", 2, points.length, { closed, open: true }, (row, column, put) => {
    const pair = points[column];
    if (pair !== undefined) put(...pair[row === 0 ? 0 : 1]);
  });

/** The ribbons of a pair of glasses on a head. */
export const glassesMeshes = (head: Head, glasses: Glasses): readonly Mesh[] => {
  const { eyes } = head.features, { rim, width, height, squareness } = glasses;
  const eyeX = eyes[1].x, y0 = 2.5, half = Math.min(width, eyeX - 5);
  const depth = Math.max(faceSurface(head, eyeX, -18)[2], faceSurface(head, eyeX, 0)[2] + 12) + 3;
  const templeY = y0 - 0.35 * height;
  const earX = profileAt(head.profile.w, stepAtHeight(head.profile, templeY)) + 3;
  const rings = ([-1, 1] as const).map((side) =>
    ribbon(
      Array.from({ length: 36 }, (_, i) => {
        const angle = 2 * Math.PI * i / 36, s = Math.sin(angle), c = Math.cos(angle);
        const at = (grow: number): Vec3 => {
          const x = (half + grow) * Math.sign(c) * Math.abs(c) ** (2 / squareness);
          const y = (height + grow) * Math.sign(s) * Math.abs(s) ** (2 / squareness);
          return [side * eyeX + x, y0 + y, depth - 0.006 * (eyeX + side * x) ** 2 * 0.35];
        };
        return [at(rim), at(0)];
      }),
      true,
    )
  );
  const line = (from: Vec3, to: Vec3, thick: number): Mesh =>
    ribbon(
      Array.from({ length: 6 }, (_, i) => {
        const t = i / 5, x = lerp(from[0], to[0], t), y = lerp(from[1], to[1], t);
        const z = lerp(from[2], to[2], t);
        return [[x, y - thick / 2, z], [x, y + thick / 2, z]];
      }),
      false,
    );
  const outer = eyeX + half + rim;
  return [
    ...rings,
    line([-(eyeX - half), y0 - 4, depth], [eyeX - half, y0 - 4, depth], rim),
    ...([-1, 1] as const).map((side) =>
      line([side * outer, templeY, depth - 6], [side * earX, templeY - 1, -8], rim)
    ),
  ];
};

/** The shader of the frame. */
export const makeFrameShader =
  ({ color }: Glasses, lighting: Lighting): Shader => (_x, _y, _z, nx, ny, nz, out) => {
    out.set(color);
    lighting(nx, ny, nz, 1, 1, out);
  };
