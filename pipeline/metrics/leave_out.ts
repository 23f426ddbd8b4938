/**
 * How sure a figure is that belongs to a whole set and not to its members, like a distance between
 * distributions.
 *
 * @module
 */
import type { Rng } from "../core/rng.ts";
import { bootstrapInterval, type Interval } from "./bootstrap.ts";

/** How often the figure may be computed again. */
export interface LeaveOutOptions {
  /** People are left out in so many groups at most. Default: one by one. */
  readonly groups?: number;
}

/**
 * A figure of all people with a 95 % interval over people. Drawing people with replacement would
 * bring some twice, which moves distances between distributions by itself; so each group of people
 * is left out once, which gives its pseudo-value (Tukey's jackknife), and the bootstrap is over
 * these. The same `rng` gives the same interval. It has no width where nobody can be left out: for
 * one person, or where `figure` is undefined for what is left.
 */
export const leaveOutInterval = <A>(
  byIdentity: ReadonlyMap<string, A>,
  figure: (people: readonly A[]) => number | undefined,
  rng: Rng,
  { groups = Infinity }: LeaveOutOptions = {},
): Interval | undefined => {
  const people = [...byIdentity.entries()].sort(([a], [b]) => a < b ? -1 : 1).map(([, a]) => a);
  const whole = figure(people), count = Math.min(groups, people.length);
  if (whole === undefined) return undefined;
  const without = Array.from(
    { length: count },
    (_, group) => figure(people.filter((_, i) => i % count !== group)),
  );
  const pseudo = without.flatMap((left) =>
    left === undefined ? [] : [count * whole - (count - 1) * left]
  );
  if (count < 2 || pseudo.length < count) return { mean: whole, low: whole, high: whole };
  const { mean, low, high } = bootstrapInterval(
    new Map(pseudo.map((value, i) => [String(i), [value]])),
    rng,
  );
  return { mean: whole, low: whole + low - mean, high: whole + high - mean };
};
