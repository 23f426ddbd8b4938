/**
 * Streams of other shapes: lists taken apart, two streams side by side.
 *
 * @module
 */
import { E, type Either } from "./fp.ts";
import type { Flow } from "./flow.ts";
import { discard } from "./pull_ahead.ts";

/** The elements of lists one by one: undoes `batch`. Failures pass by. */
export const flatten = <R, Er, A>(source: Flow<R, Er, readonly A[]>): Flow<R, Er, A> =>
  async function* (r): AsyncGenerator<Either<Er, A>> {
    for await (const item of source(r)) {
      if (E.isLeft(item)) yield item;
      else yield* item.right.map((a) => E.right(a));
    }
  };

/**
 * Pairs two streams, element by element, and ends with the shorter one. The second is asked only
 * after the first gave something; a failure of either is passed on and uses up neither side's
 * next element.
 */
export const zip = <R2, E2, B>(
  second: Flow<R2, E2, B>,
): <R1, E1, A>(first: Flow<R1, E1, A>) => Flow<R1 & R2, E1 | E2, readonly [A, B]> =>
<R1, E1, A>(first: Flow<R1, E1, A>): Flow<R1 & R2, E1 | E2, readonly [A, B]> =>
  async function* (r): AsyncGenerator<Either<E1 | E2, readonly [A, B]>> {
    const others = second(r)[Symbol.asyncIterator]();
    try {
      for await (const item of first(r)) {
        if (E.isLeft(item)) {
          yield item;
          continue;
        }
        let other = await others.next();
        for (; other.done !== true && E.isLeft(other.value); other = await others.next()) {
          yield other.value;
        }
        if (other.done === true) {
          discard(item);
          return;
        }
        if (E.isRight(other.value)) yield E.right([item.right, other.value.right]);
      }
    } finally {
      await others.return?.();
    }
  };
