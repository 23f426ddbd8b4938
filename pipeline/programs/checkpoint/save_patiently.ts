/**
 * Saving where the disk is full: what was learnt waits in memory for space to return.
 *
 * @module
 */
import { E } from "../../core/fp.ts";
import type { HasAbort, HasEvents } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import { fileProblem } from "../../core/files.ts";
import type { Stage } from "../../core/stage.ts";
import type { CheckpointRef } from "./load.ts";
import type { RunFolder } from "./run_folder.ts";
import { type CheckpointContent, saveCheckpoint } from "./store.ts";

/** Seconds until the next attempt; after the last one the run ends. */
const waits = [2, 8, 30] as const;

/** Sleeps; a signal that is aborted ends it at once. */
const pause = (seconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resume) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resume();
    };
    const timer = setTimeout(over, 1000 * seconds);
    signal.addEventListener("abort", over);
    if (signal.aborted) over();
  });

/**
 * Saves a checkpoint as {@link saveCheckpoint} does; where the disk is full it warns and tries
 * again after 2, 8 and 30 seconds, because somebody may make space. A run that is asked to stop
 * tries once more at once. Other failures, and the last one, are `Checkpoint`.
 */
export const savePatiently = (
  run: RunFolder,
): Stage<HasEvents & HasAbort, Err<"Checkpoint">, CheckpointContent, CheckpointRef> =>
(content) =>
(env) =>
async () => {
  const save = saveCheckpoint(run)(content)(env);
  for (const seconds of waits) {
    const saved = await save();
    if (E.isRight(saved) || fileProblem(saved.left.cause) !== "the disk is full") return saved;
    if (env.signal.aborted) return saved;
    const message = `${saved.left.message}; trying again in ${seconds} s`;
    env.emit({ _tag: "Warning", step: content.step, message });
    await pause(seconds, env.signal);
  }
  return await save();
};
