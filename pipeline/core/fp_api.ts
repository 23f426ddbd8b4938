/**
 * fp-ts for scripts that import `mod.ts`: its functions as values, so that its own declarations do
 * not become part of this project's documentation. Types are `Either`, `TaskEither` and
 * `ReaderTaskEither`.
 *
 * @module
 */
import { E as either, F as functions, RTE as readerTaskEither, TE as taskEither } from "./fp.ts";
export type { Either, Failed, ReaderTaskEither, Succeeded, TaskEither } from "./fp.ts";

/** Functions of fp-ts on {@link Either}: `E.isLeft`, `E.right`, … */
export const E: typeof either = either;
/** `F.pipe`, `F.flow` and other functions of fp-ts on functions. */
export const F: typeof functions = functions;
/** Functions of fp-ts on {@link ReaderTaskEither}: `RTE.right`, `RTE.asks`, … */
export const RTE: typeof readerTaskEither = readerTaskEither;
/** Functions of fp-ts on {@link TaskEither}: `TE.map`, `TE.tryCatch`, … */
export const TE: typeof taskEither = taskEither;
