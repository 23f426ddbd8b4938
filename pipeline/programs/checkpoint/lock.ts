/**
 * One process per run folder. The operating system holds the lock, so it is gone when its holder
 * dies, however it dies; the file says who the holder is.
 *
 * @module
 */
import { E, type TE } from "../../core/fp.ts";
import type { Err } from "../../core/errors.ts";
import { fileProblem, notAFile } from "../../core/files.ts";

/** The lock file's name in the run folder. */
export const LOCK_NAME = ".lock";

/** A held lock; `tookOverFrom` says whose it was, where that process died without letting go. */
export interface Lock extends Disposable {
  /** For people: the process and its host. */
  readonly tookOverFrom?: string;
}

const hostname = (): string => {
  const allowed = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  return allowed.state === "granted" ? Deno.hostname() : "this machine";
};

const readHolder = (file: Deno.FsFile): string => {
  const bytes = new Uint8Array(200);
  const count = file.readSync(bytes) ?? 0;
  // Written by anybody who can write the folder: shown as one plain line.
  return new TextDecoder().decode(bytes.subarray(0, count)).replace(/[^\w .:()-]/g, "").trim();
};

/** Takes the lock of a folder, or says which process has it. */
export const takeLock = (folder: string): TE.TaskEither<Err<"Checkpoint">, Lock> => async () => {
  const path = `${folder}/${LOCK_NAME}`;
  const refuse = (why: string) =>
    E.left<Err<"Checkpoint">>({
      _tag: "Checkpoint",
      path: folder,
      message: `Cannot use run folder ${folder}: ${why}`,
    });
  try {
    const there = await Deno.stat(path).catch(() => undefined);
    const other = there && notAFile(there);
    if (other !== undefined) return refuse(`its lock ${path} cannot be taken (${other})`);
    const file = await Deno.open(path, { read: true, write: true, create: true });
    try {
      const taken = await file.tryLock(true);
      const holder = readHolder(file);
      if (!taken) {
        file.close();
        return refuse(`${holder || "another process"} is using it, expected nobody else`);
      }
      file.truncateSync(0);
      file.seekSync(0, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode(`process ${Deno.pid} on ${hostname()}\n`));
      let held = true;
      return E.right({
        ...(holder === "" ? {} : { tookOverFrom: holder }),
        [Symbol.dispose]: () => {
          if (!held) return;
          held = false;
          file.truncateSync(0); // an empty file: its holder ended in order
          file.close();
        },
      });
    } catch (cause) {
      file.close();
      throw cause;
    }
  } catch (cause) {
    return refuse(`its lock ${path} cannot be taken (${fileProblem(cause)})`);
  }
};
