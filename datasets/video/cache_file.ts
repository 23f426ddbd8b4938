/**
 * Files of the cache of prepared clips: their names, how they are written, and the small JSON file
 * that says why a clip was rejected.
 *
 * @module
 */
import { E, t, TE } from "../../pipeline/core/fp.ts";
import { oneOf } from "../../pipeline/core/config.ts";
import { type Err, rejectReasons } from "../../pipeline/core/errors.ts";
import { fileProblem, readBounded } from "../../pipeline/core/files.ts";

const Rejected = t.type({ reason: oneOf(rejectReasons), message: t.string });

/** A sum of parts in a row, in hexadecimal digits. */
export const sha256 = async (...parts: readonly Uint8Array[]): Promise<string> => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => {
    all.set(part, at);
    return at + part.length;
  }, 0);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all)).toHex();
};

/** A short name for a clip prepared in one way, for the cache. */
export const cacheName = async (parts: readonly string[]): Promise<string> =>
  (await sha256(new TextEncoder().encode(parts.join("\n")))).slice(0, 32);

/** Writes bytes so that the name exists only with all of them; parallel writers do no harm. */
export const writeWhole = async (path: string, parts: readonly Uint8Array[]): Promise<void> => {
  const partial = `${path}.${crypto.randomUUID()}.partial`;
  try {
    {
      using file = await Deno.open(partial, { write: true, createNew: true });
      for (const part of parts) {
        for (let written = 0; written < part.length;) {
          written += await file.write(part.subarray(written));
        }
      }
      await file.syncData();
    }
    await Deno.rename(partial, path);
  } catch (cause) {
    await Deno.remove(partial).catch(() => {});
    throw cause;
  }
};

/** The error of a file that cannot be written. */
export const cannotWrite = (path: string) => (cause: unknown): Err<"Data"> => ({
  _tag: "Data",
  path,
  message: `Cannot write ${path}: ${fileProblem(cause)}, expected a writable folder with space`,
});

/** Notes why a clip was rejected. Error: `Data`. */
export const writeReject = (
  path: string,
  { reason, message }: Err<"BadSample">,
): TE.TaskEither<Err<"Data">, void> =>
  TE.tryCatch(
    () => writeWhole(path, [new TextEncoder().encode(JSON.stringify({ reason, message }))]),
    cannotWrite(path),
  );

/** The rejection of that file; `undefined` where there is none that can be used. */
export const readReject = async (
  path: string,
  key: string,
): Promise<Err<"BadSample"> | undefined> => {
  const bytes = await readBounded(path, 1 << 16)();
  if (E.isLeft(bytes)) return undefined;
  const parsed = E.tryCatch(() => JSON.parse(new TextDecoder().decode(bytes.right)), String);
  const rejected = E.isRight(parsed) ? Rejected.decode(parsed.right) : parsed;
  return E.isRight(rejected) ? { _tag: "BadSample", key, ...rejected.right } : undefined;
};
