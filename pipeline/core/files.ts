/**
 * Reading of files from elsewhere: files and nothing else, and never more bytes than the reader
 * allows.
 *
 * @module
 */
import { E, type TE } from "./fp.ts";
import type { Err } from "./errors.ts";

/** What went wrong, in words, for the file errors that users meet. */
export const fileProblem = (cause: unknown): string => {
  if (cause instanceof Deno.errors.NotFound) return "it does not exist";
  if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
    return "access is denied";
  }
  if (cause instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (cause instanceof Deno.errors.NotADirectory) return "a part of its path is not a folder";
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/os error 28|no space left/i.test(message)) return "the disk is full";
  return message.replace(/\s*\(os error \d+\)/, "").replace(/: \w+ '.*'$/, "");
};

/** Fills a buffer from where the file stands; shorter at its end. */
export const readFully = async (file: Deno.FsFile, buffer: Uint8Array): Promise<Uint8Array> => {
  let filled = 0;
  while (filled < buffer.length) {
    const count = await file.read(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
};

const kindOf = (stat: Deno.FileInfo): string => {
  if (stat.isDirectory) return "a folder";
  if (stat.isFifo) return "a pipe";
  if (stat.isSocket) return "a socket";
  return stat.isCharDevice || stat.isBlockDevice ? "a device" : "no file";
};

/** What is there instead of a file, in words ("it is a pipe"); undefined where it is a file. */
export const notAFile = (stat: Deno.FileInfo): string | undefined =>
  stat.isFile ? undefined : `it is ${kindOf(stat)}`;

/**
 * Opens a file to read it; throws what the disk throws, and where it is no file: opening a pipe
 * waits for whoever may write it one day, and a device has no end.
 */
export const openFile = async (path: string): Promise<Deno.FsFile> => {
  const problem = notAFile(await Deno.stat(path));
  if (problem !== undefined) throw new Error(problem);
  return await Deno.open(path);
};

/** Reads a file of at most `limit` bytes; what is no file is refused before it is opened. */
export const readBounded =
  (path: string, limit: number): TE.TaskEither<Err<"BadFile">, Uint8Array<ArrayBuffer>> =>
  async () => {
    const refuse = (message: string) => E.left<Err<"BadFile">>({ _tag: "BadFile", path, message });
    try {
      const stat = await Deno.stat(path), { size } = stat, other = notAFile(stat);
      if (other !== undefined) return refuse(`Cannot read ${path}: ${other}, expected a file`);
      using file = await Deno.open(path);
      // One byte more than told, to notice a file that grew; those of /proc tell 0 and get a page.
      let bytes = new Uint8Array(Math.min(Math.max(size, 4095), limit) + 1);
      let filled = 0;
      for (;;) {
        filled += (await readFully(file, bytes.subarray(filled))).length;
        if (filled > limit) {
          return refuse(
            `Cannot read ${path}: it has more than ${limit} bytes, expected at most that`,
          );
        }
        if (filled < bytes.length) return E.right(bytes.subarray(0, filled));
        const larger = new Uint8Array(Math.min(bytes.length * 2, limit + 1));
        larger.set(bytes);
        bytes = larger;
      }
    } catch (cause) {
      return refuse(`Cannot read ${path}: ${fileProblem(cause)}, expected a readable file`);
    }
  };
