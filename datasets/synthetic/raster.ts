/**
 * A software rasterizer: finds, for every sample of the picture, the nearest triangle and where
 * on it the sample lies. Shading comes afterwards, once a sample.
 *
 * @module
 */
import type { Mesh } from "./mesh.ts";

/** From camera space in mm to samples. */
export interface Camera {
  /** Distance of the camera from the origin along z, in mm. */
  readonly distance: number;
  /** The square that is seen, in mm on the plane z = 0. */
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** What each sample sees; `mesh` is −1 for nothing. // [size, size] each */
export interface Visibility {
  readonly size: number;
  readonly depth: Float32Array;
  readonly mesh: Int8Array;
  readonly triangle: Uint16Array;
  readonly second: Float32Array;
  readonly third: Float32Array;
}

/** An empty picture of size × size samples. */
export const makeVisibility = (size: number): Visibility => ({
  size,
  depth: new Float32Array(size * size).fill(-Infinity),
  mesh: new Int8Array(size * size).fill(-1),
  triangle: new Uint16Array(size * size),
  second: new Float32Array(size * size),
  third: new Float32Array(size * size),
});

/** Projects a point of camera space to coordinates in a picture of `size`. */
export const project = (
  { distance, left, top, side }: Camera,
  size: number,
  x: number,
  y: number,
  z: number,
): readonly [number, number] => {
  const factor = distance / (distance - z), scale = size / side;
  return [(x * factor - left) * scale, (y * factor - top) * scale];
};

const projectMesh = ({ posed }: Mesh, camera: Camera, size: number): Float32Array => {
  const { distance, left, top, side } = camera, scale = size / side;
  const screen = new Float32Array(posed.length / 3 * 2);
  for (let from = 0, to = 0; from < posed.length; from += 3, to += 2) {
    const factor = distance / (distance - posed[from + 2]!);
    screen[to] = (posed[from]! * factor - left) * scale;
    screen[to + 1] = (posed[from + 1]! * factor - top) * scale;
  }
  return screen;
};

/** Draws a posed mesh under the number `id`. */
export const drawMesh = (to: Visibility, mesh: Mesh, id: number, camera: Camera): void => {
  const { size, depth, second, third, mesh: ids, triangle } = to, { triangles, posed, open } = mesh;
  const screen = projectMesh(mesh, camera, size), last = size - 1;
  for (let t = 0, number = 0; t < triangles.length; t += 3, number++) {
    const a = triangles[t]!, b = triangles[t + 1]!, c = triangles[t + 2]!;
    const ax = screen[2 * a]!, ay = screen[2 * a + 1]!;
    const bx = screen[2 * b]! - ax, by = screen[2 * b + 1]! - ay;
    const cx = screen[2 * c]! - ax, cy = screen[2 * c + 1]! - ay;
    const area = bx * cy - by * cx;
    if (area < 1e-9 && (!open || area > -1e-9)) continue; // seen from behind, or edge on
    const left = bx < cx ? bx < 0 ? bx : 0 : cx < 0 ? cx : 0;
    const right = bx > cx ? bx > 0 ? bx : 0 : cx > 0 ? cx : 0;
    const up = by < cy ? by < 0 ? by : 0 : cy < 0 ? cy : 0;
    const down = by > cy ? by > 0 ? by : 0 : cy > 0 ? cy : 0;
    const x0 = Math.max(0, Math.ceil(ax + left - 0.5));
    const x1 = Math.min(last, Math.floor(ax + right - 0.5));
    const y0 = Math.max(0, Math.ceil(ay + up - 0.5));
    const y1 = Math.min(last, Math.floor(ay + down - 0.5));
    if (x0 > x1 || y0 > y1) continue; // between samples
    const za = posed[3 * a + 2]!, zb = posed[3 * b + 2]! - za, zc = posed[3 * c + 2]! - za;
    const unit = 1 / area, px = x0 + 0.5 - ax;
    for (let y = y0; y <= y1; y++) {
      const py = y + 0.5 - ay;
      let wb = (px * cy - py * cx) * unit, wc = (bx * py - by * px) * unit;
      for (let x = x0, at = y * size + x0; x <= x1; x++, at++) {
        if (wb >= 0 && wc >= 0 && wb + wc <= 1) {
          const z = za + wb * zb + wc * zc;
          if (z > depth[at]!) {
            depth[at] = z;
            second[at] = wb;
            third[at] = wc;
            ids[at] = id;
            triangle[at] = number;
          }
        }
        wb += cy * unit;
        wc -= by * unit;
      }
    }
  }
};

/** Computes the colour of a place of a surface: rest position, normal; writes linear RGB. */
export type Shader = (
  x: number,
  y: number,
  z: number,
  nx: number,
  ny: number,
  nz: number,
  out: Float32Array,
) => void;

/** The colours of a picture, linear and summed over its samples; `covered` counts those. */
export interface Shaded {
  readonly sum: Float32Array;
  readonly covered: Float32Array;
}

/**
 * Shades a picture `factor` times smaller than the visibility: once for every mesh that a pixel
 * sees, at the mean place of its samples, weighted with their number.
 */
export const shadeVisible = (
  from: Visibility,
  meshes: readonly Mesh[],
  shaders: readonly Shader[],
  factor: number,
): Shaded => {
  const { size, mesh: ids, triangle, second, third } = from;
  const small = size / factor, samples = factor * factor, color = new Float32Array(3);
  const sum = new Float32Array(small * small * 3), covered = new Float32Array(small * small);
  const offsets = Int32Array.from(
    { length: samples },
    (_, i) => Math.floor(i / factor) * size + i % factor,
  );
  for (let pixel = 0; pixel < small * small; pixel++) {
    const corner = Math.floor(pixel / small) * factor * size + (pixel % small) * factor;
    let done = 0; // one bit a sample
    for (let first = 0; first < samples; first++) {
      const id = ids[corner + offsets[first]!]!;
      if (id < 0 || (done >> first) & 1) continue;
      const { triangles, rest, normals, open } = meshes[id]!;
      let count = 0, x = 0, y = 0, z = 0, nx = 0, ny = 0, nz = 0;
      for (let sample = first; sample < samples; sample++) {
        const at = corner + offsets[sample]!;
        if (ids[at]! !== id) continue;
        done |= 1 << sample;
        count++;
        const t = 3 * triangle[at]!, wb = second[at]!, wc = third[at]!, wa = 1 - wb - wc;
        const a = 3 * triangles[t]!, b = 3 * triangles[t + 1]!, c = 3 * triangles[t + 2]!;
        x += wa * rest[a]! + wb * rest[b]! + wc * rest[c]!;
        y += wa * rest[a + 1]! + wb * rest[b + 1]! + wc * rest[c + 1]!;
        z += wa * rest[a + 2]! + wb * rest[b + 2]! + wc * rest[c + 2]!;
        nx += wa * normals[a]! + wb * normals[b]! + wc * normals[c]!;
        ny += wa * normals[a + 1]! + wb * normals[b + 1]! + wc * normals[c + 1]!;
        nz += wa * normals[a + 2]! + wb * normals[b + 2]! + wc * normals[c + 2]!;
      }
      const unit = (open && nz < 0 ? -1 : 1) / (Math.sqrt(nx * nx + ny * ny + nz * nz) || 1);
      shaders[id]!(x / count, y / count, z / count, nx * unit, ny * unit, nz * unit, color);
      sum[3 * pixel]! += count * color[0]!;
      sum[3 * pixel + 1]! += count * color[1]!;
      sum[3 * pixel + 2]! += count * color[2]!;
      covered[pixel]! += count;
    }
  }
  return { sum, covered };
};
