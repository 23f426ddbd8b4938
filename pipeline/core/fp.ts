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
