/**
 * Writing of checkpoints: as a whole or not at all, hashed, and never less than there was before.
 *
 * @module
 */
import { E, F, TE } from "../../core/fp.ts";
import type { HasEvents } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import type { Stage } from "../../core/stage.ts";
import { attempt, removeQuietly, syncFolder, temporaryName, writeNew } from "./durable.ts";
import { checkpointFolders, type CheckpointRef, readRef, verifyCheckpoint } from "./load.ts";
import {
  CHECKPOINT_FORMAT,
  type CheckpointMeta,
  newerFormat,
  type Part,
  partFile,
} from "./meta.ts";
import { checkpointsPath, type RunFolder, stepName } from "./run_folder.ts";
import { type HostTensors, safetensorsChunks } from "../../core/safetensors.ts";

type Failure = Err<"Checkpoint">;

/** What is saved: `weights` suffice to use the model, `state` is what training needs besides. */
export interface CheckpointContent {
  /** Steps done. */
  readonly step: number;
  /** The seed of the run: with the step, all that randomness needs. */
  readonly seed: number;
  /** Names the networks and their version. */
  readonly architecture: string;
  /** The configuration of the run, whole. */
  readonly config: unknown;
  /** What "best" means, smaller is better; one that is not finite is left out. */
  readonly score?: number;
  /** EMA of E, G and P, and the live D without W. */
  readonly weights: HostTensors;
  /** Live E, G and P, W, all moments and row steps. */
  readonly state: HostTensors;
}

const writeAll = (
  folder: string,
  content: CheckpointContent,
  time: Date,
): TE.TaskEither<Failure, CheckpointMeta> => {
  const { step, seed, architecture, config, score } = content;
  const about = { architecture, step: String(step), format: String(CHECKPOINT_FORMAT) };
  const write = (part: Part) =>
    writeNew(`${folder}/${partFile(part)}`, safetensorsChunks(content[part], about));
  return F.pipe(
    attempt(folder, `make ${folder}`, () => Deno.mkdir(folder)),
    TE.flatMap(() => write("weights")),
    TE.flatMap((weights) => F.pipe(write("state"), TE.map((state) => ({ weights, state })))),
    TE.map((files): CheckpointMeta => ({
      format: CHECKPOINT_FORMAT,
      step,
      seed,
      architecture,
      config,
      ...(score === undefined || !Number.isFinite(score) ? {} : { score }),
      time: time.toISOString(),
      files,
    })),
    TE.tap((meta) =>
      writeNew(`${folder}/meta.json`, [
        new TextEncoder().encode(`${JSON.stringify(meta, undefined, 2)}\n`),
      ])
    ),
    TE.tap(() => syncFolder(folder)),
  );
};

/**
 * Saves a checkpoint of an open run: under a temporary name, synced, renamed; at no moment is there
 * less than before. One of the same step that is whole is kept as it is, a broken one is replaced,
 * one of a newer format is an error.
 * On failure (a full disk) the error names path and bytes and the older checkpoints are intact.
 */
export const saveCheckpoint =
  (run: RunFolder): Stage<HasEvents, Failure, CheckpointContent, CheckpointRef> =>
  (content) =>
  ({ emit }) =>
  async () => {
    const { step } = content;
    const parent = checkpointsPath(run.path);
    const path = `${parent}/${stepName(step)}`;
    const before = await verifyCheckpoint(path);
    if (E.isRight(before)) return before;
    const newer = await newerFormat(path);
    if (newer !== undefined) {
      const message =
        `Cannot write ${path}: one is there and ${newer}, expected another run folder`;
      return E.left({ _tag: "Checkpoint", path, message });
    }
    const temporary = temporaryName(parent);
    const meta = await writeAll(temporary, content, new Date())();
    if (E.isLeft(meta)) {
      await removeQuietly(temporary);
      const { message } = meta.left;
      return E.left({ ...meta.left, path, message: message.replaceAll(temporary, path) });
    }
    const aside = temporaryName(parent);
    const placed = await attempt(path, `put ${path} in place`, async () => {
      await Deno.rename(path, aside).catch((cause: unknown) => {
        if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      });
      await Deno.rename(temporary, path);
    })();
    await removeQuietly(aside);
    if (E.isLeft(placed)) {
      await removeQuietly(temporary);
      return placed;
    }
    const synced = await syncFolder(parent)();
    if (E.isLeft(synced)) return synced;
    emit({ _tag: "CheckpointSaved", step, path });
    return E.right({ path, meta: meta.right });
  };

/**
 * Removes old checkpoints but the last `keep` and the one with the best score; broken ones neither
 * count nor go. Removes nothing unless one that stays was read back whole. Gives what was removed.
 */
export const rotateCheckpoints = (
  keep: number,
): Stage<unknown, Failure, RunFolder, readonly string[]> => {
  if (!Number.isInteger(keep) || keep < 1) {
    throw new RangeError(`Cannot keep ${keep} checkpoints: expected a positive integer`);
  }
  return (run) => () => async () => {
    const all = await checkpointFolders(run.path)();
    if (E.isLeft(all)) return all;
    const refs = (await Promise.all(all.right.map(readRef)))
      .flatMap((ref) => E.isRight(ref) ? [ref.right] : []);
    const best = refs.reduce<CheckpointRef | undefined>(
      (a, b) => (b.meta.score ?? Infinity) < (a?.meta.score ?? Infinity) ? b : a,
      undefined,
    );
    const old = refs.slice(keep).filter((ref) => ref !== best);
    let whole = false;
    for (const { path } of old.length > 0 ? refs.slice(0, keep) : []) {
      whole ||= E.isRight(await verifyCheckpoint(path));
    }
    if (!whole) return E.right([]);
    const removed: string[] = [];
    for (const { path } of old) {
      const gone = temporaryName(checkpointsPath(run.path));
      const moved = await attempt(path, `remove ${path}`, async () => {
        await Deno.rename(path, gone); // at once gone, whatever happens to the removal
        await Deno.remove(gone, { recursive: true });
      })();
      if (E.isLeft(moved)) return moved;
      removed.push(path);
    }
    return E.right(removed);
  };
};
