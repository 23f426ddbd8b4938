/**
 * Smooth noise over the plane, the same everywhere: textures take it at places of their own.
 *
 * @module
 */
import { makeRng } from "../../pipeline/core/rng.ts";

const SIDE = 64;

const table = (): Float32Array => {
  const draw = makeRng(0x5eed).draw();
  return Float32Array.from({ length: SIDE * SIDE }, () => draw.uniform());
};

const VALUES = table();

const fade = (t: number): number => t * t * (3 - 2 * t);

/** Noise of period 64 with features of size 1; 0 to 1, on average 0.5. */
export const noise2 = (x: number, y: number): number => {
  const fx = Math.floor(x), fy = Math.floor(y);
  const u = fade(x - fx), v = fade(y - fy);
  const x0 = fx & (SIDE - 1), x1 = (fx + 1) & (SIDE - 1);
  const r0 = (fy & (SIDE - 1)) * SIDE, r1 = ((fy + 1) & (SIDE - 1)) * SIDE;
  const top = VALUES[r0 + x0]! + (VALUES[r0 + x1]! - VALUES[r0 + x0]!) * u;
  const bottom = VALUES[r1 + x0]! + (VALUES[r1 + x1]! - VALUES[r1 + x0]!) * u;
  return top + (bottom - top) * v;
};
