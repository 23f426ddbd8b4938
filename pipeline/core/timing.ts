/**
 * How long something takes, on a machine that also does other things.
 *
 * @module
 */

/** How often a task is run. */
export interface Effort {
  /** Timed runs. */
  readonly runs: number;
  /** Warm-up goes on for so long, at least two runs: compilers work while code is hot. */
  readonly warmUpSeconds: number;
  /** Timed runs stop after so long, but not before there are three. */
  readonly mostSeconds: number;
}

/** The middle of some numbers; NaN where there are none. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b), half = sorted.length >> 1;
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? NaN)) / 2;
};

/** Runs a task that says how many seconds of it count; gives the median of those. */
export const timeOf = async (
  task: () => Promise<number>,
  { runs, warmUpSeconds, mostSeconds }: Effort,
): Promise<number> => {
  const warm = performance.now() + 1000 * warmUpSeconds;
  for (let i = 0; i < 2 || performance.now() < warm; i++) await task();
  const times: number[] = [], end = performance.now() + 1000 * mostSeconds;
  while (times.length < runs && (times.length < 3 || performance.now() < end)) {
    times.push(await task());
  }
  return median(times);
};

/** Seconds that a piece of work takes, by a clock that counts milliseconds. */
export const seconds = async (
  work: () => Promise<unknown>,
  now: () => number = () => performance.now(),
): Promise<number> => {
  const start = now();
  await work();
  return (now() - start) / 1000;
};
