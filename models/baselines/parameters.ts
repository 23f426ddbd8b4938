/**
 * Parameters of the paper's rivals: the same named tensors as ours, started from a normal
 * distribution as their authors do.
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import type { Rng } from "../../pipeline/core/rng.ts";
import type { Tensors } from "../parameters.ts";

/** A trainable tensor of a rival. */
export interface BaselineParameter {
  /** Its name in files. */
  readonly name: string;
  /** Kernels HWIO. */
  readonly shape: readonly number[];
  /** Mean of the numbers that it starts with. */
  readonly mean: number;
  /** Their standard deviation; 0 where all are the mean. */
  readonly deviation: number;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** How many numbers there are in all. */
export const countNumbers = (parameters: readonly BaselineParameter[]): number =>
  parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** New tensors: a pure function of the random stream and the names. Call inside `backend.run`. */
export const createParameters = (
  parameters: readonly BaselineParameter[],
  rng: Rng,
): Tensors =>
  Object.fromEntries(parameters.map(({ name, shape, mean, deviation }): [string, Tensor] => {
    if (deviation === 0) return [name, tf.fill([...shape], mean)];
    const draw = rng.fold(name).draw();
    const values = Float32Array.from(
      { length: sizeOf(shape) },
      () => mean + deviation * draw.normal(),
    );
    return [name, tf.tensor(values, [...shape])];
  }));
