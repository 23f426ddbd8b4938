/**
 * Features of pictures, kept a person at a time, and distances between all of them: FID and the
 * kernel distance beside it (section 4.1).
 *
 * @module
 */
import { type HostTensors, readSafetensorsFile } from "../../core/safetensors.ts";
import { E } from "../../core/fp.ts";
import { frechetDistance, kernelDistance } from "../../metrics/frechet.ts";
import { featuresPath } from "./store.ts";
import type { Row } from "./table.ts";

/** Stands for the answer where the pictures are the real ones. */
export const realName = "truth";

/** What a tensor of features is called. */
export const featureName = (shots: number, answer: string): string => `${shots}/${answer}`;

/** Features of some pictures as one tensor. // [pictures, features] */
export const stackFeatures = (found: readonly Float32Array[]): HostTensors[string] => {
  const width = found[0]?.length ?? 0, data = new Float32Array(found.length * width);
  found.forEach((features, i) => data.set(features, i * width));
  return { dtype: "F32", shape: [found.length, width], data };
};

const rowsOf = ({ shape: [count = 0, width = 0], data }: HostTensors[string]) =>
  Array.from(
    { length: count },
    (_, i) => Float32Array.from(data.subarray(i * width, (i + 1) * width)),
  );

/** Distances between what was answered and the truth, over the frames of all people. */
export interface Distances {
  /** Of Fréchet: FID where the features are FID's. */
  readonly frechet: number;
  /** The unbiased kernel distance. */
  readonly kernel: number;
}

/** The distances of every row of a table from the features that `people` have left in `out`. */
export const distancesOf = async (
  out: string,
  people: readonly string[],
  rows: readonly Row[],
): Promise<ReadonlyMap<Row, Distances>> => {
  const kept = new Map<string, Float32Array[]>();
  for (const key of people) {
    const file = await readSafetensorsFile(featuresPath(out, key))();
    if (E.isLeft(file)) continue; // nobody answered for this person: the report says so
    for (const [name, tensor] of Object.entries(file.right.tensors)) {
      kept.set(name, [...kept.get(name) ?? [], ...rowsOf(tensor)]);
    }
  }
  return new Map(rows.flatMap((row) => {
    const made = kept.get(featureName(row.shots, row.answer)) ?? [];
    const real = kept.get(featureName(row.shots, realName)) ?? [];
    if (made.length < 2 || real.length < 2) return [];
    const distances = { frechet: frechetDistance(made, real), kernel: kernelDistance(made, real) };
    return [[row, distances] as const];
  }));
};
