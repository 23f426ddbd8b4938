/**
 * Batch norms with running statistics, as gains and biases or folded into what stands before them.
 *
 * @module
 */
import type { HostTensor } from "../../pipeline/core/elements.ts";
import { filtersOf, type OwnTensor, type Part } from "./architecture.ts";

/** The tensors of a batch norm of PyTorch: gain, bias, mean, variance. */
export const normParts = (name: string, channels: number): readonly Part[] =>
  ["weight", "bias", "running_mean", "running_var"].map((of) => ({
    name: `${name}.${of}`,
    shape: [channels],
  }));

/** y = factor·x + offset for each channel, in double precision. */
export interface Affine {
  readonly factors: Float64Array;
  readonly offsets: Float64Array;
}

/** What a batch norm does, of its four tensors. */
export const affineOf = (
  [gain, bias, mean, variance]: readonly (HostTensor | undefined)[],
  epsilon: number,
): Affine => {
  const factors = Float64Array.from(
    gain?.data ?? [],
    (value, i) => value / Math.sqrt((variance?.data[i] ?? 0) + epsilon),
  );
  const offsets = factors.map((factor, i) => (bias?.data[i] ?? 0) - (mean?.data[i] ?? 0) * factor);
  return { factors, offsets };
};

/** A vector of ours. */
export const vectorOf = (name: string, values: ArrayLike<number>): OwnTensor => [
  name,
  { dtype: "F32", shape: [values.length], data: Float32Array.from(values) },
];

/** Filters [out, in, h, w] without bias and the norm after them → `NAME/kernel`, `NAME/bias`. */
export const foldNorm = (
  name: string,
  kernel: HostTensor | undefined,
  { factors, offsets }: Affine,
): readonly OwnTensor[] => {
  if (!kernel) return [];
  const { shape, data } = filtersOf(kernel), out = factors.length;
  const scaled = new Float32Array(data);
  for (let i = 0; i < scaled.length; i++) scaled[i] = (scaled[i] ?? 0) * (factors[i % out] ?? 0);
  return [
    [`${name}/kernel`, { dtype: "F32", shape, data: scaled }],
    vectorOf(`${name}/bias`, offsets),
  ];
};
