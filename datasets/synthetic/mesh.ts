/**
 * Surfaces as grids of points: rows from top to bottom, columns around or across.
 *
 * @module
 */
import type { Rotation } from "./vector.ts";

/** What a surface is made of: chooses its shading. */
export type Material = "skin" | "hair" | "cloth" | "frame";

/** A surface in the head's frame, and, once posed, in the camera's. */
export interface Mesh {
  readonly material: Material;
  /** Seen from both sides. */
  readonly open: boolean;
  /** The last column joins the first. */
  readonly closed: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly triangles: Uint16Array;
  /** // [rows × columns, 3] */
  readonly rest: Float32Array;
  readonly posed: Float32Array;
  /** Normals after posing. // [rows × columns, 3] */
  readonly normals: Float32Array;
}

/** Two triangles a cell of a grid; `closed` joins the last column to the first. */
export const gridTriangles = (rows: number, columns: number, closed: boolean): Uint16Array => {
  const across = closed ? columns : columns - 1;
  const triangles = new Uint16Array((rows - 1) * across * 6);
  let at = 0;
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c < across; c++) {
      const next = (c + 1) % columns;
      const a = r * columns + c, b = r * columns + next;
      triangles.set([a, b, a + columns, b, b + columns, a + columns], at);
      at += 6;
    }
  }
  return triangles;
};

/** A grid whose point at (row, column) is set by `place(row, column, put)`, or left at 0. */
export const makeGrid = (
  material: Material,
  rows: number,
  columns: number,
  { closed, open = false, triangles = gridTriangles(rows, columns, closed) }: {
    readonly closed: boolean;
    readonly open?: boolean;
    /** Of a grid of that form, where the caller has them already. */
    readonly triangles?: Uint16Array;
  },
  place?: (row: number, column: number, put: (x: number, y: number, z: number) => void) => void,
): Mesh => {
  const rest = new Float32Array(rows * columns * 3);
  let at = 0;
  const put = (x: number, y: number, z: number): void => {
    rest[at] = x;
    rest[at + 1] = y;
    rest[at + 2] = z;
  };
  if (place !== undefined) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++, at += 3) place(r, c, put);
    }
  }
  return {
    material,
    open,
    closed,
    rows,
    columns,
    triangles,
    rest,
    posed: new Float32Array(rest.length),
    normals: new Float32Array(rest.length),
  };
};

/** Moves a point of the head's frame, given with its index; writes to `out` at `at`. */
export type Mover = (x: number, y: number, z: number, out: Float32Array, at: number) => void;

/** A rigid movement about a pivot, then a shift. */
export const rigid = (
  [a, b, c, d, e, f, g, h, i]: Rotation,
  [px, py, pz]: readonly [number, number, number],
  [sx, sy, sz]: readonly [number, number, number],
): Mover =>
(x, y, z, out, at) => {
  const u = x - px, v = y - py, w = z - pz;
  out[at] = a * u + b * v + c * w + px + sx;
  out[at + 1] = d * u + e * v + f * w + py + sy;
  out[at + 2] = g * u + h * v + i * w + pz + sz;
};

/** Poses a mesh: moves its points and computes normals that point outwards. */
export const poseMesh = (mesh: Mesh, move: Mover): void => {
  const { rest, posed, normals, rows, columns, closed } = mesh;
  for (let at = 0; at < rest.length; at += 3) {
    move(rest[at]!, rest[at + 1]!, rest[at + 2]!, posed, at);
  }
  const stride = 3 * columns;
  for (let r = 0, at = 0; r < rows; r++) {
    const up = r > 0 ? -stride : 0, down = r + 1 < rows ? stride : 0;
    for (let c = 0; c < columns; c++, at += 3) {
      const left = c > 0 ? -3 : closed ? stride - 3 : 0;
      const right = c + 1 < columns ? 3 : closed ? 3 - stride : 0;
      const ax = posed[at + right]! - posed[at + left]!;
      const ay = posed[at + right + 1]! - posed[at + left + 1]!;
      const az = posed[at + right + 2]! - posed[at + left + 2]!;
      const bx = posed[at + down]! - posed[at + up]!;
      const by = posed[at + down + 1]! - posed[at + up + 1]!;
      const bz = posed[at + down + 2]! - posed[at + up + 2]!;
      let nx = ay * bz - az * by, ny = az * bx - ax * bz, nz = ax * by - ay * bx;
      const length = Math.sqrt(nx * nx + ny * ny + nz * nz);
      if (length < 1e-6) { // a pole: up at the first row, down at the last
        nx = 0;
        ny = r === 0 ? -1 : 1;
        nz = 0;
      } else {
        nx /= length;
        ny /= length;
        nz /= length;
      }
      normals[at] = nx;
      normals[at + 1] = ny;
      normals[at + 2] = nz;
    }
  }
};
