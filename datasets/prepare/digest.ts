/**
 * Hashes, and writing that leaves either the whole file or nothing under its name.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { E, type TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem, openFile } from "../../pipeline/core/files.ts";

/** SHA-256 of texts and bytes, one after the other, in hex. */
export const sha256 = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** A number in [0, 1) that depends on the name alone; another `nth` gives an independent one. */
export const placeOf = (name: string, nth: 0 | 1): number =>
  parseInt(sha256(name).slice(8 * nth, 8 * nth + 8), 16) / 2 ** 32;

/** Names that end like this are leftovers of a process that was killed. */
export const PARTIAL = ".partial";

/** The size of a written file and its SHA-256 in hex. */
export interface Written {
  /** In bytes. */
  readonly bytes: number;
  /** Of all of them, in hex. */
  readonly sha256: string;
}

/** The failure of a prepared folder that cannot be written. */
export const cannotWrite = (path: string, cause: unknown): Err<"Data"> => ({
  _tag: "Data",
  path,
  message: `Cannot write ${path}: ${fileProblem(cause)}, expected a writable folder with space`,
});

/**
 * Writes chunks under another name, syncs and renames: the name exists only with all of them, and
 * parallel writers of the same bytes do no harm. Error: `Data`.
 */
export const writeWhole = (
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): TE.TaskEither<Err<"Data">, Written> =>
async () => {
  const partial = `${path}.${crypto.randomUUID()}${PARTIAL}`;
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    {
      using file = await Deno.open(partial, { write: true, createNew: true });
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
      }
      await file.sync();
    }
    await Deno.rename(partial, path);
    return E.right({ bytes, sha256: hash.digest("hex") });
  } catch (cause) {
    await Deno.remove(partial).catch(() => {});
    return E.left(cannotWrite(path, cause));
  }
};

/** Writes a value as JSON of one line, see {@link writeWhole}. Error: `Data`. */
export const writeJson = (path: string, value: unknown): TE.TaskEither<Err<"Data">, Written> =>
  writeWhole(path, [new TextEncoder().encode(`${JSON.stringify(value)}\n`)]);

const CHUNK = 1 << 20;

/** The bytes of a file from `from` to `to`, in pieces of a megabyte; throws what the disk throws. */
export const fileChunks = async function* (
  path: string,
  from = 0,
  to = Infinity,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = await openFile(path);
  if (from > 0) await file.seek(from, Deno.SeekMode.Start);
  for (let left = to - from; left > 0;) {
    const buffer = new Uint8Array(Math.min(CHUNK, left));
    const count = await file.read(buffer);
    if (count === null) return;
    left -= count;
    yield buffer.subarray(0, count);
  }
};

/** SHA-256 of a file, without holding it; throws what the disk throws. */
export const hashFile = async (path: string, from = 0, to = Infinity): Promise<Written> => {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of fileChunks(path, from, to)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
};
