/**
 * A {@link Flow} is a pull stream: nothing is made before it is asked for. It carries failures as
 * elements, so that a bad sample can be skipped; `runFold` ends at the first one that is left.
 *
 * @example
 * ```ts
 * import { E, F } from "./fp.ts";
 * import { fromIterable, runCollect, take, through } from "./flow.ts";
 * import { fromFunction } from "./stage.ts";
 *
 * const squares = F.pipe(
 *   fromIterable([1, 2, 3, 4]), through(fromFunction((n: number) => n * n)), take(3), runCollect,
 * );
 * const result = await squares({ signal: new AbortController().signal })();
 * if (!E.isRight(result) || result.right.join() !== "1,4,9") throw new Error("unexpected");
 * ```
 *
 * @module
 */
import { E, type Either, type ReaderTaskEither, RTE } from "./fp.ts";
import { abortedBy } from "./abort.ts";
import type { HasAbort, HasBackend, HasEvents } from "./env.ts";
import type { BadSample, Err, RejectReason } from "./errors.ts";
import { discard, pullAhead } from "./pull_ahead.ts";
import type { Stage } from "./stage.ts";

/** A pull stream of successes and failures, with needs `R`. */
export interface Flow<in R, out Er, out A> {
  (r: R): AsyncIterable<Either<Er, A>>;
}

/** Streams what an iterable yields; it is closed when the stream is. */
export const fromIterable = <A>(items: Iterable<A> | AsyncIterable<A>): Flow<unknown, never, A> =>
  async function* () {
    for await (const item of items) yield E.right(item);
  };

/** Streams what a state yields until `next` returns `undefined`: possibly for ever. */
export const unfold = <S, A>(
  initial: S,
  next: (state: S) => readonly [A, S] | undefined,
): Flow<unknown, never, A> =>
  async function* () {
    for (let made = next(initial); made !== undefined; made = next(made[1])) {
      yield E.right(made[0]);
    }
  };

/** Makes a stream of `B` from one of `A`; its own needs and failures are added to the source's. */
export type Transform<R2, E2, A, B> = <R1, E1>(
  source: Flow<R1, E1, A>,
) => Flow<R1 & R2, E1 | E2, B>;

/** Runs a stage on every element, one after the other; failures pass by. */
export const through = <R2, E2, A, B>(
  stage: Stage<R2, E2, A, B>,
): Transform<R2, E2, A, B> =>
<R1, E1>(source: Flow<R1, E1, A>): Flow<R1 & R2, E1 | E2, B> =>
  async function* (r): AsyncGenerator<Either<E1 | E2, B>> {
    for await (const item of source(r)) {
      yield E.isLeft(item) ? item : await stage(item.right)(r)();
    }
  };

/** `unknown` for needs without the backend, otherwise a type that no stage has. */
export type CpuOnly<R> = [R] extends [HasBackend]
  ? { readonly __error: "a stage that uses the backend cannot run concurrently" }
  : unknown;

const positive = (what: string, n: number): number => {
  if (Number.isInteger(n) && n > 0) return n;
  throw new RangeError(`Cannot ${what} ${n} at a time: expected a positive integer`);
};

/**
 * Runs a stage on up to `n` elements at a time and keeps their order. A stage that needs the
 * backend does not compile here: only files and processes gain from it.
 */
export const throughConcurrently = (
  n: number,
): <R2, E2, A, B>(stage: Stage<R2, E2, A, B> & CpuOnly<R2>) => Transform<R2, E2, A, B> => {
  positive("run", n);
  return <R2, E2, A, B>(stage: Stage<R2, E2, A, B> & CpuOnly<R2>) =>
  <R1, E1>(source: Flow<R1, E1, A>): Flow<R1 & R2, E1 | E2, B> =>
  (r) => {
    const run: Stage<R2, E2, A, B> = stage;
    return pullAhead(
      n,
      source(r),
      (item): Either<E1 | E2, B> | Promise<Either<E1 | E2, B>> =>
        E.isLeft(item) ? item : run(item.right)(r)(),
    );
  };
};

/** Makes up to `n` elements ahead of the reader; those left unread at an early exit are disposed. */
export const prefetch = (
  n: number,
): <R, Er, A>(source: Flow<R, Er, A>) => Flow<R, Er, A> => {
  positive("prefetch", n);
  return (source) => (r) => pullAhead(n, source(r), (item) => item);
};

/** The first `n` elements, failures among them; the source is not asked for one more, and closed. */
export const take = (
  n: number,
): <R, Er, A>(source: Flow<R, Er, A>) => Flow<R, Er, A> =>
(source) =>
  async function* (r) {
    if (n <= 0) return;
    let taken = 0;
    for await (const item of source(r)) {
      yield item;
      if (++taken >= n) return;
    }
  };

/** Groups `n` successes into one; the last group may be shorter, failures pass by at once. */
export const batch = (
  n: number,
): <R, Er, A>(source: Flow<R, Er, A>) => Flow<R, Er, readonly A[]> => {
  positive("batch", n);
  return <R, Er, A>(source: Flow<R, Er, A>): Flow<R, Er, readonly A[]> =>
    async function* (r) {
      let group: A[] = [];
      try {
        for await (const item of source(r)) {
          if (E.isLeft(item)) {
            yield item;
            continue;
          }
          group.push(item.right);
          if (group.length < n) continue;
          const full = group;
          group = [];
          yield E.right(full);
        }
        const rest = group;
        group = [];
        if (rest.length > 0) yield E.right(rest);
      } finally {
        group.forEach((value) => discard(E.right(value)));
      }
    };
};

const isBadSample = (error: unknown): error is BadSample =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "BadSample";

/**
 * Turns bad samples into `SampleSkipped` events and goes on; the one after `max` of them ends the
 * stream with a failure that names the reasons, most frequent first.
 */
export const skipBadSamples = (
  max: number,
  dataset = "the dataset",
): <R, Er, A>(
  source: Flow<R, Er, A>,
) => Flow<R & HasEvents, Exclude<Er, Err<"BadSample">> | Err<"Data">, A> =>
<R, Er, A>(
  source: Flow<R, Er, A>,
): Flow<R & HasEvents, Exclude<Er, Err<"BadSample">> | Err<"Data">, A> =>
  async function* (r) {
    const reasons = new Map<RejectReason, number>();
    let skipped = 0;
    for await (const item of source(r)) {
      if (E.isRight(item)) {
        yield item;
        continue;
      }
      const error: unknown = item.left;
      if (!isBadSample(error)) {
        yield E.left(item.left as Exclude<Er, Err<"BadSample">>); // what the guard left over
        continue;
      }
      r.emit({ _tag: "SampleSkipped", error });
      reasons.set(error.reason, (reasons.get(error.reason) ?? 0) + 1);
      if (++skipped <= max) continue;
      const top = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 5)
        .map(([reason, count]) => `${reason} ${count}`).join(", ");
      yield E.left({
        _tag: "Data",
        path: dataset,
        message: `Cannot go on with ${dataset}: ${skipped} samples are bad (${top}; the last: ` +
          `${error.key}, ${error.message}), expected at most ${max}`,
      });
      return;
    }
  };

/** Consumes a stream of `A`, adding its own needs and failures, and that it can be aborted. */
export type Consume<R2, E2, A, S> = <R1, E1>(
  source: Flow<R1, E1, A>,
) => ReaderTaskEither<R1 & R2 & HasAbort, E1 | E2 | Err<"Aborted">, S>;

/**
 * Folds a stream. Ends at the first failure, and between elements where the run is aborted; an
 * element pulled in vain is disposed; the source is always closed.
 */
export const runFold = <S, A, R2, E2>(
  initial: S,
  step: (state: S, a: A) => ReaderTaskEither<R2, E2, S>,
): Consume<R2, E2, A, S> =>
(source) =>
(r) =>
async () => {
  const iterator = source(r)[Symbol.asyncIterator]();
  let state = initial;
  try {
    for (;;) {
      if (r.signal.aborted) return E.left(abortedBy(r.signal));
      const item = await iterator.next();
      if (item.done === true) return E.right(state);
      if (E.isLeft(item.value)) return item.value;
      if (r.signal.aborted) {
        discard(item.value);
        return E.left(abortedBy(r.signal));
      }
      const next = await step(state, item.value.right)(r)();
      if (E.isLeft(next)) return next;
      state = next.right;
    }
  } finally {
    await iterator.return?.();
  }
};

/** Runs an effect on every element, as {@link runFold} does; the result is how many there were. */
export const runForEach = <A, R2, E2>(
  effect: (a: A) => ReaderTaskEither<R2, E2, unknown>,
): Consume<R2, E2, A, number> =>
  runFold<number, A, R2, E2>(0, (done, a) => RTE.map(() => done + 1)(effect(a)));

/** Collects a finite stream into a list. */
export const runCollect = <R, Er, A>(
  source: Flow<R, Er, A>,
): ReaderTaskEither<R & HasAbort, Er | Err<"Aborted">, readonly A[]> =>
(r) => {
  const all: A[] = [];
  const collect = runForEach((a: A) => RTE.fromIO(() => all.push(a)))(source);
  return RTE.map((): readonly A[] => all)(collect)(r);
};
