/**
 * The machinery under `prefetch` and `throughConcurrently`.
 *
 * @module
 */
import { E } from "./fp.ts";

/** Frees what a stream made and nobody will read: a disposable success. */
export const discard = (item: E.Either<unknown, unknown>): void => {
  if (E.isLeft(item)) return;
  const value = item.right;
  if (typeof value === "object" && value !== null && Symbol.dispose in value) {
    (value as Disposable)[Symbol.dispose]();
  }
};

/**
 * Keeps up to `ahead` elements under way and yields them in order. Pulls from the source never
 * overlap; uses of the pulled elements do. Closing it closes the source, waits for what is under
 * way and disposes it.
 */
export const pullAhead = async function* <E1, A, E2, B>(
  ahead: number,
  source: AsyncIterable<E.Either<E1, A>>,
  use: (item: E.Either<E1, A>) => E.Either<E2, B> | Promise<E.Either<E2, B>>,
): AsyncGenerator<E.Either<E2, B>> {
  const iterator = source[Symbol.asyncIterator]();
  const pending: Promise<E.Either<E2, B> | undefined>[] = [];
  let last: Promise<unknown> = Promise.resolve();
  let ended = false;
  const start = (): void => {
    const pulled = last.then(() => ended ? undefined : iterator.next());
    const made = pulled.then((x) => {
      if (x !== undefined && x.done !== true) return use(x.value);
      ended = true;
      return undefined;
    });
    // A rejection is told at its place in the order; here it only stops further pulls.
    last = pulled.catch(() => ended = true);
    made.catch(() => {});
    pending.push(made);
  };
  try {
    for (;;) {
      while (pending.length < ahead && !ended) start();
      const made = await pending.shift();
      if (made === undefined) return;
      yield made;
    }
  } finally {
    ended = true;
    const closed = iterator.return?.();
    for (const left of await Promise.allSettled(pending)) {
      if (left.status === "fulfilled" && left.value !== undefined) discard(left.value);
    }
    await closed;
  }
};
