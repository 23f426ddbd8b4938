/**
 * Meta-training whose events also go to the run folder: `events.jsonl`, and a file for TensorBoard.
 *
 * @module
 */
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import type { TrainEvent } from "../core/events.ts";
import type { ReaderTaskEither } from "../core/fp.ts";
import { fanOut, type FileSink, jsonLines } from "../core/sinks.ts";
import { eventsPath } from "./checkpoint/run_folder.ts";
import { eventFile } from "./log/tensorboard.ts";
import { metaTrain, type MetaTrainOptions, type RunResult } from "./meta_train.ts";
import type { RunConfig } from "./run_config.ts";

/**
 * `metaTrain` with logs. Errors: those of `metaTrain`; a log that cannot be written is told to
 * `complain`, once, and the training goes on.
 */
export const metaTrainLogged = (
  config: RunConfig,
  complain: (line: string) => void,
  options: MetaTrainOptions = {},
): ReaderTaskEither<Env, PipelineError, RunResult> =>
(env) =>
async () => {
  // The run folder does not exist yet when the first events come: they are kept for the file.
  let files: readonly FileSink[] = [];
  const early: TrainEvent[] = [];
  const emit = fanOut(env.emit, (event) => {
    if (event._tag === "RunStarted" && files.length === 0) {
      files = [jsonLines(eventsPath(config.run), complain), eventFile(config.run, complain)];
      early.splice(0).forEach((old) => files.forEach(({ emit }) => emit(old)));
    }
    if (files.length > 0) files.forEach(({ emit }) => emit(event));
    else early.push(event);
  });
  try {
    return await metaTrain(config, options)({ ...env, emit })();
  } finally {
    files.forEach((file) => file[Symbol.dispose]());
  }
};
