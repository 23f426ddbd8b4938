/**
 * In which order a rater sees triplets, and in which places their pictures stand: a function of
 * (seed, rater), so that a rater who comes back goes on, and an analyst can repeat what was shown.
 *
 * @module
 */
import { makeRng, type Rng } from "../../core/rng.ts";

/** A triplet, as far as its place in an order goes. */
export interface Ordered {
  /** Number of the triplet. */
  readonly id: number;
  /** Whom it shows. */
  readonly person: string;
}

/** What the order of every rater is made from. */
export interface Orders {
  /** Where all randomness starts. */
  readonly seed: number;
  /**
   * How often a rater sees a person, at most. All fakes of a person are of one video, so who has
   * found one of them out knows the others by their clothes: 1 is the clean study.
   */
  readonly rounds: number;
  /** All triplets. */
  readonly triplets: readonly Ordered[];
}

/** Which of a triplet's pictures stands in place 1, 2 and 3; picture 0 is the fake. */
export type Places = readonly [first: number, second: number, third: number];

const shuffled = <A>(items: readonly A[], rng: Rng): readonly A[] =>
  rng.draw().distinct(items.length, items.length).flatMap((i) => items[i] ?? []);

const rngOf = (seed: number, rater: number): Rng => makeRng(seed).fold("rater").fold(rater);

/** How many triplets each rater sees. */
export const countShown = ({ rounds, triplets }: Orders): number =>
  [...Map.groupBy(triplets, ({ person }) => person).values()]
    .reduce((sum, own) => sum + Math.min(rounds, own.length), 0);

/**
 * The numbers of the triplets that a rater sees, in order: in rounds, each of them one triplet of
 * everybody, so that a face does not come back before the others have come.
 */
export const orderFor = (
  { seed, rounds, triplets }: Orders,
  rater: number,
): readonly number[] => {
  const rng = rngOf(seed, rater);
  const queues = [...Map.groupBy(triplets, ({ person }) => person)].map(([person, own]) =>
    shuffled(own, rng.fold("of one person").fold(person))
  );
  const most = Math.max(0, ...queues.map(({ length }) => length));
  return Array.from({ length: Math.min(rounds, most) }, (_, round) => round).flatMap((round) =>
    shuffled(queues.flatMap((queue) => queue[round] ?? []), rng.fold("round").fold(round))
  ).map(({ id }) => id);
};

/** Where the pictures of a triplet stand for a rater: all six ways are equally likely. */
export const placesFor = (seed: number, rater: number, triplet: number): Places => {
  const [first = 0, second = 1, third = 2] = rngOf(seed, rater).fold("places").fold(triplet)
    .draw().distinct(3, 3);
  return [first, second, third];
};
