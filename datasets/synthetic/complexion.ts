/**
 * The individual colours of a face, and how paint is mixed.
 *
 * @module
 */
import { lerp, type Vec3 } from "./vector.ts";

/** The individual colours of a face, linear. */
export interface Complexion {
  readonly skin: Vec3;
  readonly lips: Vec3;
  readonly iris: Vec3;
  readonly brows: Vec3;
  /** Density of the brows, 0 to 1. */
  readonly browDensity: number;
  /** Redness of cheeks and nose, darkness about the eyes, folds of age, freckles, each 0 to 1. */
  readonly blush: number;
  readonly eyeShade: number;
  readonly age: number;
  readonly freckles: number;
  /** Colour of the painted lid; the skin's own for most. */
  readonly lid: Vec3;
  readonly lashes: number;
  readonly beard: Beard;
}

/** Where a beard grows and how dense, 0 to 1. */
export interface Beard {
  readonly color: Vec3;
  readonly moustache: number;
  readonly chin: number;
  readonly cheeks: number;
}

/** Mixes `color` into `out` by `amount`. */
export const blend = (out: Float32Array, [r, g, b]: Vec3, amount: number): void => {
  out[0] = lerp(out[0]!, r, amount);
  out[1] = lerp(out[1]!, g, amount);
  out[2] = lerp(out[2]!, b, amount);
};
