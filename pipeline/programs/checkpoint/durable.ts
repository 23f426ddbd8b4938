/**
 * Writing that survives a kill and a power cut: a temporary name, synced to the disk, renamed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { E, TE } from "../../core/fp.ts";
import type { Err } from "../../core/errors.ts";
import { fileProblem } from "../../core/files.ts";

/** What a written file must be found to be when it is read again. */
export interface Digest {
  /** Its size. */
  readonly bytes: number;
  /** Its SHA-256 in hex. */
  readonly sha256: string;
}

type Failure = Err<"Checkpoint">;

/** Names that start like this are leftovers of a killed process. */
export const TEMPORARY = ".tmp-";

/** A new name in a folder; made of nothing that comes from outside, so that it stays in there. */
export const temporaryName = (folder: string): string =>
  `${folder}/${TEMPORARY}${crypto.randomUUID()}`;

const failure = (path: string, what: string, cause: unknown): Failure => ({
  _tag: "Checkpoint",
  path,
  message: `Cannot ${what}: ${fileProblem(cause)}`,
  cause,
});

/** Turns what the file system throws into a value. */
export const attempt = <A>(
  path: string,
  what: string,
  act: () => Promise<A>,
): TE.TaskEither<Failure, A> => TE.tryCatch(act, (cause) => failure(path, what, cause));

/** The SHA-256 of bytes, in hex. */
export const sha256 = (chunks: Iterable<Uint8Array>): string => {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
};

/** Makes a folder's entries, not its files' contents, durable. */
export const syncFolder = (path: string): TE.TaskEither<Failure, void> =>
  attempt(path, `sync ${path}`, async () => {
    if (Deno.build.os === "windows") return; // folders cannot be opened there
    using folder = await Deno.open(path);
    await folder.sync();
  });

/** Writes a new file and syncs it; on failure the error names the path and the bytes asked for. */
export const writeNew = (
  path: string,
  chunks: readonly Uint8Array[],
): TE.TaskEither<Failure, Digest> => {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return attempt(path, `write ${path} of ${bytes} bytes`, async () => {
    using file = await Deno.open(path, { write: true, createNew: true });
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
    }
    await file.sync();
    return { bytes, sha256: sha256(chunks) };
  });
};

/** Removes a path if it is there; failing to is not worth an error. */
export const removeQuietly = async (path: string): Promise<void> => {
  await Deno.remove(path, { recursive: true }).catch(() => {});
};

/** Puts a file in place as a whole or not at all; an older one is replaced. */
export const replaceFile =
  (folder: string, name: string, content: Uint8Array | string): TE.TaskEither<Failure, string> =>
  async () => {
    const path = `${folder}/${name}`, temporary = temporaryName(folder);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const written = await writeNew(temporary, [bytes])();
    if (E.isLeft(written)) {
      await removeQuietly(temporary);
      return E.left(failure(path, `write ${path} of ${bytes.length} bytes`, written.left.cause));
    }
    const renamed = await attempt(path, `put ${path} in place`, async () => {
      await Deno.rename(temporary, path);
    })();
    if (E.isLeft(renamed)) {
      await removeQuietly(temporary);
      return renamed;
    }
    const synced = await syncFolder(folder)();
    return E.isLeft(synced) ? synced : E.right(path);
  };

/** Removes what killed processes left in a folder; a missing folder has nothing. */
export const removeLeftovers = (folder: string): TE.TaskEither<Failure, void> =>
  attempt(folder, `clean ${folder}`, async () => {
    for (const { name } of await entriesOf(folder)) {
      if (name.startsWith(TEMPORARY)) await Deno.remove(`${folder}/${name}`, { recursive: true });
    }
  });

/** What is in a folder, nothing where there is none. */
export const entriesOf = async (folder: string): Promise<readonly Deno.DirEntry[]> => {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw cause;
  }
};
