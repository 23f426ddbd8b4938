/**
 * The algebra's arrow: a {@link Stage} turns an `A` into a `B`, may need things (`R`), may fail in
 * expected ways (`Er`). Composing stages adds needs up and adds failures up; both are inferred.
 *
 * @example A stage that needs randomness and can refuse, then one that cannot fail
 * ```ts
 * import { E, F } from "./fp.ts";
 * import { makeRng } from "./rng.ts";
 * import type { BadSample } from "./errors.ts";
 * import type { HasRng } from "./env.ts";
 * import { map, stage, type Stage } from "./stage.ts";
 *
 * const pick: Stage<HasRng, BadSample, readonly string[], string> = stage((names) => ({ rng }) =>
 *   async () => names.length > 0 ? E.right(rng.draw().pick(names)) : E.left({
 *     _tag: "BadSample", key: "names", reason: "too short", message: "no name, expected at least 1",
 *   })
 * );
 * const shout = F.pipe(pick, map((name) => name.toUpperCase()));
 * const result = await shout(["ada"])({ rng: makeRng(1) })();
 * if (!E.isRight(result) || result.right !== "ADA") throw new Error("unexpected");
 * ```
 *
 * @module
 */
import { E, type ReaderTaskEither, RTE, type TaskEither, TE } from "./fp.ts";

/** A Kleisli arrow of ReaderTaskEither: from `A`, with needs `R`, to `B` or a failure `Er`. */
export interface Stage<in R, out Er, in A, out B> {
  (a: A): ReaderTaskEither<R, Er, B>;
}

/** Names a function as a stage. */
export const stage = <A, B, R = unknown, Er = never>(
  run: (a: A) => ReaderTaskEither<R, Er, B>,
): Stage<R, Er, A, B> => run;

/** The stage that changes nothing: neutral on both sides of {@link andThen}. */
export const identity = <A>(): Stage<unknown, never, A, A> => (a) => RTE.right(a);

/** Lifts a pure function. */
export const fromFunction = <A, B>(f: (a: A) => B): Stage<unknown, never, A, B> => (a) =>
  RTE.fromIO(() => f(a));

/** Runs `second` on what the first stage made; not run at all where the first one failed. */
export const andThen = <R2, E2, B, C>(
  second: Stage<R2, E2, B, C>,
): <R1, E1, A>(first: Stage<R1, E1, A, B>) => Stage<R1 & R2, E1 | E2, A, C> =>
<R1, E1, A>(first: Stage<R1, E1, A, B>): Stage<R1 & R2, E1 | E2, A, C> =>
(a) =>
(r) => TE.flatMap((b: B): TaskEither<E1 | E2, C> => second(b)(r))(first(a)(r));

/** Changes the result by a pure function. */
export const map = <B, C>(
  f: (b: B) => C,
): <R, Er, A>(self: Stage<R, Er, A, B>) => Stage<R, Er, A, C> =>
(self) =>
(a) => RTE.map(f)(self(a));

/** Runs a stage on the result for its effect and passes the result on; its failure still counts. */
export const tap = <R2, E2, B>(
  effect: Stage<R2, E2, B, unknown>,
): <R1, E1, A>(self: Stage<R1, E1, A, B>) => Stage<R1 & R2, E1 | E2, A, B> =>
  andThen<R2, E2, B, B>((b) => RTE.map(() => b)(effect(b)));

/**
 * Gives one input to two stages and keeps both results. One after the other, so that stages of the
 * backend may stand on both sides; an `Owned` input can be consumed by one side only.
 */
export const both = <R1, E1, R2, E2, A, B, C>(
  first: Stage<R1, E1, A, B>,
  second: Stage<R2, E2, A, C>,
): Stage<R1 & R2, E1 | E2, A, readonly [B, C]> =>
(a) =>
(r) =>
  TE.flatMap((b: B): TaskEither<E1 | E2, readonly [B, C]> =>
    TE.map((c: C) => [b, c] as const)(second(a)(r))
  )(first(a)(r));

/**
 * Recovers from a failure of the stage, seeing the failure and the input. A stage that consumes
 * an `Owned` must not be tried again: its input is gone.
 */
export const orElse = <A, E1, R2, E2, C>(
  recover: (error: E1, input: A) => ReaderTaskEither<R2, E2, C>,
): <R1, B>(self: Stage<R1, E1, A, B>) => Stage<R1 & R2, E2, A, B | C> =>
<R1, B>(self: Stage<R1, E1, A, B>): Stage<R1 & R2, E2, A, B | C> =>
(a) =>
(r) => TE.orElseW((error: E1) => recover(error, a)(r))(self(a)(r));

/** `unknown` where a slice has the types that `R` asks for, otherwise a type nothing is. */
export type Fits<Slice, R> = Slice extends Pick<R, keyof Slice & keyof R> ? unknown
  : { readonly __error: "a provided member has another type than the stage needs" };

/** Supplies some of a stage's needs; what remains is needed still. */
export const provide = <Slice extends object>(
  slice: Slice,
): <R, Er, A, B>(
  self: Stage<R, Er, A, B> & Fits<Slice, R>,
) => Stage<Omit<R, keyof Slice>, Er, A, B> =>
<R, Er, A, B>(
  self: Stage<R, Er, A, B> & Fits<Slice, R>,
): Stage<Omit<R, keyof Slice>, Er, A, B> =>
(a) =>
(rest) =>
  // The slice supplies exactly the members that Omit took away: the compiler cannot see it.
  (self as Stage<R, Er, A, B>)(a)({ ...rest, ...slice } as R);

/**
 * Acquires, uses, releases. `release` runs exactly once after a successful `acquire`, whether `use`
 * succeeds, fails or rejects (fp-ts's own bracket forgets it on a rejection).
 */
export const bracket = <R1, E1, A, Resource, R2, E2, B>(
  acquire: Stage<R1, E1, A, Resource>,
  use: Stage<R2, E2, Resource, B>,
  release: (resource: Resource) => void | Promise<void>,
): Stage<R1 & R2, E1 | E2, A, B> =>
(a) =>
(r) =>
async () => {
  const acquired = await acquire(a)(r)();
  if (E.isLeft(acquired)) return acquired;
  try {
    return await use(acquired.right)(r)();
  } finally {
    await release(acquired.right);
  }
};
