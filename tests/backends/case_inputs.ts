/** Inputs of the cases of the conformance suite. */
import type { Draw } from "../../pipeline/core/rng.ts";
import type { Tensor } from "../../backends/tf.ts";
import type { Input, Named } from "./conformance.ts";
/** Normal numbers. */
export const of = (...shape: number[]): Input => ({ shape });
const clearOfZero = (draw: Draw): number => (draw.uniform() < 0.5 ? -1 : 1) * draw.uniform(0.3, 2);
/** Numbers away from 0, where a derivative jumps. */
export const apart = (...shape: number[]): Input => ({ shape, value: clearOfZero });
/** Numbers from 0.1 to 1. */
export const positive = (...shape: number[]): Input => ({
  shape,
  value: (draw) => draw.uniform(0.1, 1),
});
/** One number everywhere. */
export const constant = (value: number, ...shape: number[]): Input => ({
  shape,
  value: () => value,
});
/** The input of that name. */
export const get = (inputs: Named, name: string): Tensor => {
  const tensor = inputs[name];
  if (!tensor) throw new Error(`Cannot run a case: there is no input ${name}`);
  return tensor;
};
