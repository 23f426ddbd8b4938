/**
 * Which part of the work this machine does: said by hand, or by the array job that it is part of.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";

/** Part `index` (from 0) of `count` equal parts. */
export interface Share {
  /** From 0. */
  readonly index: number;
  /** At least 1. */
  readonly count: number;
}

/** The whole work. */
export const WHOLE: Share = { index: 0, count: 1 };

const bad = (problem: string): E.Either<Err<"Config">, never> =>
  E.left({ _tag: "Config", problems: [problem] });

const whole = (text: string): number => /^\d{1,9}$/.test(text.trim()) ? Number(text) : NaN;

const explicit = (text: string): E.Either<Err<"Config">, Share> => {
  const [, i, n] = /^(\d{1,9})\/(\d{1,9})$/.exec(text.trim()) ?? [];
  const [part, count] = [Number(i), Number(n)];
  return part >= 1 && part <= count
    ? E.right({ index: part - 1, count })
    : bad(`Cannot do part "${text}": expected i/n with 1 <= i <= n, such as 2/8`);
};

/** Array jobs: the variables of the task's number, of how many there are, and of the first number. */
const ARRAYS = [
  {
    name: "a Slurm array",
    index: "SLURM_ARRAY_TASK_ID",
    count: "SLURM_ARRAY_TASK_COUNT",
    first: "SLURM_ARRAY_TASK_MIN",
  },
  { name: "a Slurm step", index: "SLURM_PROCID", count: "SLURM_NTASKS" },
  { name: "Open MPI", index: "OMPI_COMM_WORLD_RANK", count: "OMPI_COMM_WORLD_SIZE" },
] as const;
const KUBERNETES = "JOB_COMPLETION_INDEX";

/**
 * The share of the work that `--shard` names ("2/8": the second of eight), or else the environment
 * of an array job: Slurm (`SLURM_ARRAY_TASK_ID` of `_COUNT`, counted from `_MIN`; `SLURM_PROCID`
 * of `SLURM_NTASKS`), Open MPI (`OMPI_COMM_WORLD_RANK` of `_SIZE`), or a Kubernetes indexed job,
 * which tells its number (`JOB_COMPLETION_INDEX`) but not how many there are: `--shard auto/8`
 * says that. Several tasks of a Slurm array element count as one. Without any: the whole.
 * `--shard 1/1` overrides the environment. Error: `Config`.
 *
 * @example
 * ```ts
 * import { findShare } from "./share.ts";
 * const share = findShare(undefined, (name) => ({ SLURM_PROCID: "1", SLURM_NTASKS: "4" })[name]);
 * if (share._tag === "Left" || share.right.index !== 1) throw new Error("unexpected");
 * ```
 */
export const findShare = (
  shard: string | undefined,
  env: (name: string) => string | undefined,
): E.Either<Err<"Config">, Share> => {
  const [, autoCount] = /^auto\/(\d{1,9})$/.exec(shard?.trim() ?? "") ?? [];
  if (shard !== undefined && autoCount === undefined) return explicit(shard);
  for (const array of ARRAYS) {
    const number = env(array.index), told = env(array.count) ?? autoCount;
    if (number === undefined || told === undefined) continue;
    const first = "first" in array ? whole(env(array.first) ?? "0") : 0;
    const index = whole(number) - first, count = whole(told);
    if (index >= 0 && index < count) return E.right({ index, count });
    return bad(
      `Cannot do a part of ${array.name}: ${array.index} is "${number}" and there are ` +
        `"${told}", expected whole numbers from 0 (an array with gaps needs --shard i/n)`,
    );
  }
  const number = env(KUBERNETES);
  if (number === undefined) {
    return autoCount === undefined
      ? E.right(WHOLE)
      : bad(`Cannot do part "${shard}": no array job says which, expected i/${autoCount}`);
  }
  const index = whole(number), count = whole(autoCount ?? "");
  if (index >= 0 && index < count) return E.right({ index, count });
  return bad(
    `Cannot do a part of a Kubernetes job: ${KUBERNETES} is "${number}", but how many there are ` +
      `is ${autoCount ?? "not told"}, expected --shard auto/n with n above it`,
  );
};
