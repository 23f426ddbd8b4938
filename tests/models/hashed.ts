/**
 * Weights and inputs from an integer hash, the same in any language, so that another framework's
 * statement of the networks can be compared number by number. Test material only.
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import { type ParameterSpec, spectralName } from "../../models/parameter_specs.ts";
import type { Network } from "../../models/parameters.ts";
import { normFloor } from "../../backends/kernels/names.ts";

const scramble = (value: number): number => {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
};

/** 32-bit FNV-1a of the name, mixed with the flat index, in [-1, 1). */
export const fill = (name: string, size: number): Float32Array => {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return Float32Array.from(
    { length: size },
    (_, i) => scramble(Math.imul(i, 2654435761) + hash) / 2147483648 - 1,
  );
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A picture-shaped input. // [batch, size, size, 3] */
export const hashedImage = (name: string, batch: number, size: number): Tensor =>
  tf.tensor(fill(name, batch * size * size * 3), [batch, size, size, 3]);

const hashedParameter = ({ name, shape }: ParameterSpec): Float32Array => {
  const x = fill(name, sizeOf(shape)), leaf = name.split("/").at(-1);
  if (leaf === "gamma") return x.fill(0.5);
  if (leaf === "gain") return x.map((value) => 1 + 0.1 * value);
  if (leaf === "bias" || leaf === "b") return x.map((value) => 0.1 * value);
  return x.map((value) => value / Math.sqrt(sizeOf(shape.slice(0, -1))));
};

/** A network with hashed weights, gamma 0.5 and frozen hashed u. */
export const hashedNetwork = (specs: readonly ParameterSpec[]): Network => ({
  parameters: Object.fromEntries(
    specs.map((spec) => [spec.name, tf.tensor(hashedParameter(spec), [...spec.shape])]),
  ),
  spectral: Object.fromEntries(
    specs.filter((spec) => spec.spectral).map(({ name, shape }) => {
      const x = fill(spectralName(name), shape.at(-1) ?? 1);
      const norm = Math.max(Math.hypot(...x), normFloor);
      return [name, tf.tensor(x.map((value) => value / norm))];
    }),
  ),
});

/** W with hashed rows. // [videos, embedding] */
export const hashedRows = (videos: number, embedding: number): Float32Array =>
  fill("D/W", videos * embedding).map((value) => 0.1 * value);
