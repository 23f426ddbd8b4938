/**
 * Events of a run for TensorBoard, beside `events.jsonl`: losses, times and figures on people never
 * trained on. `tensorboard --logdir runs` shows all runs side by side.
 *
 * @module
 */
import type { Figures, TrainEvent } from "../../core/events.ts";
import { fileProblem } from "../../core/files.ts";
import type { FileSink } from "../../core/sinks.ts";
import { type LogRecord, logRecord } from "./event_file.ts";

const tagged = (group: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${group}/${name}`, value]));

/** The records of an event; none of those that have no figures. */
export const recordsOf = (event: TrainEvent): readonly LogRecord[] => {
  switch (event._tag) {
    case "RunStarted":
    case "RolledBack":
      return [{ kind: "start", step: event.step }];
    case "StepDone": {
      const figures = { ...tagged("training", event.losses), "time/step": event.seconds };
      return [{ kind: "figures", step: event.step, figures }];
    }
    case "Evaluated":
      return [{ kind: "figures", step: event.step, figures: tagged("unseen", event.figures) }];
    default:
      return [];
  }
};

const writeAll = (file: Deno.FsFile, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
};

/**
 * Writes a new event file into a folder. Where it cannot be written (a full disk), `warn` hears it
 * once and the run goes on; the file ends there, because nothing behind a torn record can be read.
 */
export const eventFile = (
  folder: string,
  warn: (message: string) => void,
  now: () => number = Date.now,
): FileSink => {
  // TensorBoard reads the files of a folder in the order of their names.
  const path = `${folder}/events.out.tfevents.${Math.floor(now() / 1000)}.headshot`;
  let file: Deno.FsFile | undefined;
  const close = (): void => {
    file?.close();
    file = undefined;
  };
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (cause) {
      close();
      warn(
        `Cannot write ${path}: ${fileProblem(cause)}, the run goes on without TensorBoard's file`,
      );
    }
  };
  const write = (record: LogRecord): void => {
    if (file) writeAll(file, logRecord(record, now() / 1000));
  };
  attempt(() => {
    file = Deno.openSync(path, { append: true, create: true });
    if (file.statSync().size === 0) write({ kind: "version" });
  });
  return {
    emit: (event) => attempt(() => recordsOf(event).forEach(write)),
    [Symbol.dispose]: close,
  };
};
