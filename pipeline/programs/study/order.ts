/**
 * In which order a rater sees triplets, and in which places their pictures stand: a function of
 * (seed, rater), so that a rater who comes back goes on, and an analyst can repeat what was shown.
 *
 * @module
 */
import { makeRng, type Rng } from "../../core/rng.ts";

/** What the order is made from. */
export interface Ordered {
  /** Number of the triplet. */
  readonly id: number;
  /** Whom it shows. */
  readonly person: string;
}

/** Which of a triplet's pictures stands in place 1, 2 and 3; picture 0 is the fake. */
export type Places = readonly [first: number, second: number, third: number];

const shuffled = <A>(items: readonly A[], rng: Rng): readonly A[] =>
  rng.draw().distinct(items.length, items.length).flatMap((i) => items[i] ?? []);

const rngOf = (seed: number, rater: number): Rng => makeRng(seed).fold("rater").fold(rater);

/**
 * The numbers of all triplets in the order in which a rater sees them: in rounds, each of them one
 * triplet of everybody, so that a face does not come back before the others have come.
 */
export const orderFor = (
  triplets: readonly Ordered[],
  seed: number,
  rater: number,
): readonly number[] => {
  const rng = rngOf(seed, rater);
  const queues = [...Map.groupBy(triplets, ({ person }) => person)].map(([person, own]) =>
    shuffled(own, rng.fold("of one person").fold(person))
  );
  const rounds = Math.max(0, ...queues.map(({ length }) => length));
  return Array.from(
    { length: rounds },
    (_, round) =>
      shuffled(queues.flatMap((queue) => queue[round] ?? []), rng.fold("round").fold(round)),
  )
    .flat().map(({ id }) => id);
};

/** Where the pictures of a triplet stand for a rater: all six ways are equally likely. */
export const placesFor = (seed: number, rater: number, triplet: number): Places => {
  const [first = 0, second = 1, third = 2] = rngOf(seed, rater).fold("places").fold(triplet)
    .draw().distinct(3, 3);
  return [first, second, third];
};
