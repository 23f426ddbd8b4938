/**
 * What is below and beside the face: ears, neck, shoulders and clothes.
 *
 * @module
 */
import type { Head } from "./head.ts";
import { profileAt, stepAtHeight } from "./head_shape.ts";
import type { Lighting } from "./light.ts";
import { makeGrid, type Mesh, type Mover } from "./mesh.ts";
import { noise2 } from "./noise.ts";
import type { Shader } from "./raster.ts";
import { bell, lerp, smoothstep, spline, type Vec3 } from "./vector.ts";

/** Proportions below the face; 1 is average. */
export interface Build {
  readonly neck: number;
  readonly shoulders: number;
  /** Factor on the ears, and how far they stand out. */
  readonly ears: number;
}

/** Forms of a garment's opening at the neck. */
export type Neckline = "round" | "vee" | "wide" | "turtleneck" | "shirt" | "suit" | "hood";

/** What a person wears in one video. */
export interface Clothes {
  readonly neckline: Neckline;
  readonly color: Vec3;
  readonly second: Vec3;
  readonly pattern: "plain" | "stripes" | "pinstripes" | "checks";
}

/** An ear; `side` is −1 at the left of the picture. */
export const earMesh = (head: Head, build: Build, side: -1 | 1): Mesh => {
  const { profile } = head, y0 = 14;
  const w = profileAt(profile.w, stepAtHeight(profile, y0));
  const rows = 9, columns = 12;
  return makeGrid("skin", rows, columns, { closed: true, open: true }, (row, column, put) => {
    const v = Math.PI * row / (rows - 1), u = 2 * Math.PI * column / columns;
    const ring = Math.sin(v) ** 0.8;
    const narrow = 1 - 0.3 * smoothstep(0, Math.PI, v); // the lobe is smaller than the top
    const out = 5.5 * ring * Math.cos(u), back = 15 * ring * Math.sin(u) * narrow;
    const stand = 0.5 * build.ears * (0.4 + 0.6 * smoothstep(15, -20, back));
    put(
      side * (w - 1 + (out + stand * (7 - back * 0.45))),
      y0 - 31 * build.ears * Math.cos(v) * 0.97,
      -12 - back * build.ears + 3 * Math.cos(v),
    );
  });
};

/** The shader of an ear. */
export const makeEarShader =
  (skin: Vec3, lighting: Lighting): Shader => (_x, y, z, nx, ny, nz, out) => {
    const shell = bell(((z + 12) / 7) ** 2 + ((y - 10) / 14) ** 2);
    out[0] = skin[0] * 1.02;
    out[1] = skin[1] * 0.84;
    out[2] = skin[2] * 0.82;
    lighting(nx, ny, nz, 0.85 - 0.5 * shell, 0.5, out);
  };

const NECK = {
  y: [62, 90, 112, 130, 148, 166, 190],
  w: [50, 50, 49, 50, 56, 74, 100],
  front: [22, 28, 30, 29, 26, 22, 20],
} as const;

/** The neck, from inside the head to inside the clothes. */
export const neckMesh = (build: Build): Mesh => {
  const rows = 13, columns = 28;
  return makeGrid("skin", rows, columns, { closed: true }, (row, column, put) => {
    const at = row / (rows - 1) * (NECK.y.length - 1);
    const angle = 2 * Math.PI * column / columns - Math.PI;
    const middle = -22, front = spline(NECK.front, at) - middle;
    put(
      spline(NECK.w, at) * build.neck * Math.sin(angle),
      spline(NECK.y, at),
      middle + (Math.cos(angle) > 0 ? front : 45) * Math.cos(angle),
    );
  });
};

/** The head carries the neck's upper end along, the lower end stays with the body. */
export const neckMover = (head: Mover, body: Mover): Mover => {
  const other = new Float32Array(3);
  return (x, y, z, out, at) => {
    const share = smoothstep(165, 85, y);
    head(x, y, z, out, at);
    body(x, y, z, other, 0);
    for (let i = 0; i < 3; i++) out[at + i] = lerp(other[i]!, out[at + i]!, share);
  };
};

/** The shader of the neck: the chin keeps light from it. */
export const makeNeckShader =
  (skin: Vec3, chinY: number, lighting: Lighting): Shader => (x, y, z, nx, ny, nz, out) => {
    const pores = 0.95 + 0.1 * noise2(x * 0.1, y * 0.1);
    for (let i = 0; i < 3; i++) out[i] = skin[i]! * pores;
    const under = smoothstep(chinY + 38, chinY - 6, y + 0.18 * z);
    const cords = 0.1 * bell(((Math.abs(x) - 26 + 0.2 * (y - 120)) / 6) ** 2);
    lighting(nx, ny, nz, 1 - 0.72 * under - cords, 0.4, out);
  };

const TORSO = {
  y: [134, 141, 148, 157, 168, 184, 210, 260, 420],
  w: [57, 70, 92, 122, 150, 174, 190, 196, 196],
  front: [14, 24, 32, 42, 54, 66, 78, 88, 90],
} as const;

/** Shoulders and chest. */
export const torsoMesh = (build: Build): Mesh => {
  const rows = 18, columns = 40;
  return makeGrid("cloth", rows, columns, { closed: true }, (row, column, put) => {
    const at = row / (rows - 1) * (TORSO.y.length - 1);
    const angle = 2 * Math.PI * column / columns - Math.PI, w = spline(TORSO.w, at);
    const middle = -28, s = Math.sin(angle), c = Math.cos(angle);
    put(
      lerp(w, w * build.shoulders, smoothstep(140, 200, spline(TORSO.y, at))) *
        Math.sign(s) * Math.abs(s) ** 0.85,
      spline(TORSO.y, at),
      middle + (c > 0 ? spline(TORSO.front, at) - middle : 55) * c,
    );
  });
};

/** True where a garment has a collar of its own. */
export const hasCollar = (neckline: Neckline): boolean =>
  neckline === "turtleneck" || neckline === "shirt" || neckline === "suit" || neckline === "hood";

/** A rolled collar around the neck: turtleneck, hood, or the stand of a shirt. */
export const collarMesh = (build: Build, neckline: Neckline): Mesh => {
  const rows = 6, columns = 32;
  const high = neckline === "turtleneck" ? 122 : neckline === "hood" ? 126 : 132;
  const wide = neckline === "hood" ? 26 : neckline === "turtleneck" ? 4 : 6;
  return makeGrid("cloth", rows, columns, { closed: true, open: true }, (row, column, put) => {
    const v = row / (rows - 1), angle = 2 * Math.PI * column / columns - Math.PI;
    const c = Math.cos(angle), dip = neckline === "turtleneck" ? 4 : 16;
    const roll = wide * (0.5 + 0.5 * Math.sin(Math.PI * v));
    const w = (50 + 9 * v) * build.neck + roll;
    put(
      w * Math.sin(angle),
      lerp(high, 152, v) + dip * Math.max(0, c) * (1 - v),
      -24 + (c > 0 ? 54 + roll + 6 * v : 46 + roll) * c,
    );
  });
};
