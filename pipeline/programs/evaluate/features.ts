/**
 * Features of pictures, kept a person at a time, and distances between all of them: FID and the
 * kernel distance beside it (section 4.1).
 *
 * @module
 */
import { type HostTensors, readSafetensorsFile } from "../../core/safetensors.ts";
import { E } from "../../core/fp.ts";
import type { Rng } from "../../core/rng.ts";
import type { Interval } from "../../metrics/bootstrap.ts";
import type { Vector } from "../../metrics/csim.ts";
import { frechetDistance, kernelDistance } from "../../metrics/frechet.ts";
import { leaveOutInterval } from "../../metrics/leave_out.ts";
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
  readonly frechet: Interval;
  /** The unbiased kernel distance. */
  readonly kernel: Interval;
}

type Distance = (made: readonly Vector[], real: readonly Vector[]) => number;

/** Features of a person: what was answered, and the truth. */
interface Pair {
  readonly made: readonly Vector[];
  readonly real: readonly Vector[];
}

/**
 * People are left out one by one while that takes seconds; a Fréchet distance takes time with the
 * cube of the frames, a minute for the paper's 1,600.
 */
const groupsFor = (frames: number): number => Math.max(5, Math.floor(10 * (512 / frames) ** 3));

const intervalOf = (
  pairs: ReadonlyMap<string, Pair>,
  distance: Distance,
  rng: Rng,
): Interval | undefined => {
  const figure = (people: readonly Pair[]): number | undefined => {
    const made = people.flatMap((pair) => pair.made), real = people.flatMap((pair) => pair.real);
    return made.length < 2 || real.length < 2 ? undefined : distance(made, real);
  };
  const frames = [...pairs.values()].reduce((sum, { made }) => sum + made.length, 0);
  return leaveOutInterval(pairs, figure, rng, { groups: groupsFor(frames) });
};

/**
 * The distances of every row of a table from the features that `people` have left in `out`, with
 * 95 % intervals over people.
 */
export const distancesOf = async (
  out: string,
  people: readonly string[],
  rows: readonly Row[],
  rng: Rng,
): Promise<ReadonlyMap<Row, Distances>> => {
  const kept = new Map<string, HostTensors>();
  for (const key of people) {
    const file = await readSafetensorsFile(featuresPath(out, key))();
    // Where there is none nobody answered for this person: the report says so.
    if (E.isRight(file)) kept.set(key, file.right.tensors);
  }
  return new Map(rows.flatMap((row) => {
    const pairs = new Map([...kept].flatMap(([key, tensors]) => {
      const made = tensors[featureName(row.shots, row.answer)];
      const real = tensors[featureName(row.shots, realName)];
      return made && real ? [[key, { made: rowsOf(made), real: rowsOf(real) }] as const] : [];
    }));
    const frechet = intervalOf(pairs, frechetDistance, rng);
    const kernel = intervalOf(pairs, kernelDistance, rng);
    return frechet && kernel ? [[row, { frechet, kernel }] as const] : [];
  }));
};
