/**
 * The only file that names fp-ts and io-ts: everything else imports them from here, so that
 * `mod.ts` works when it is imported from a URL (no import map is read there).
 *
 * @module
 */
export {
  either as E,
  function as F,
  readerTaskEither as RTE,
  taskEither as TE,
} from "npm:fp-ts@2.16.11";
export * as t from "npm:io-ts@2.2.22";

/** A failure: what fp-ts calls a left. */
export interface Failed<Er> {
  /** Tells it from {@link Succeeded}. */
  readonly _tag: "Left";
  /** What went wrong. */
  readonly left: Er;
}

/** A success: what fp-ts calls a right. */
export interface Succeeded<A> {
  /** Tells it from {@link Failed}. */
  readonly _tag: "Right";
  /** The result. */
  readonly right: A;
}

/** A failure or a success, the same shape as fp-ts's Either: each may stand for the other. */
export type Either<Er, A> = Failed<Er> | Succeeded<A>;

/** Work that ends in a failure or a success; a rejection is a bug. The shape of fp-ts's own. */
export type TaskEither<Er, A> = () => Promise<Either<Er, A>>;

/** The same with needs `R`. The shape of fp-ts's own. */
export type ReaderTaskEither<R, Er, A> = (r: R) => TaskEither<Er, A>;
