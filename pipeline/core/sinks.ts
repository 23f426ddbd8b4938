/**
 * Where events go: several places at once, a list, a file of JSON lines.
 *
 * @module
 */
import type { TrainEvent } from "./events.ts";
import { fileProblem } from "./files.ts";

/** Receives events; never throws, because telling must not stop what is told about. */
export type Sink = (event: TrainEvent) => void;

/** Tells every sink, in order. */
export const fanOut = (...sinks: readonly Sink[]): Sink => (event) => {
  for (const sink of sinks) sink(event);
};

/** Keeps the events in a list, for tests and for reports. */
export const collect = (): { readonly emit: Sink; readonly events: readonly TrainEvent[] } => {
  const events: TrainEvent[] = [];
  return { emit: (event) => void events.push(event), events };
};

/** A sink that writes a file; close it after the run. */
export interface FileSink extends Disposable {
  /** Writes one event. */
  readonly emit: Sink;
}

/** The line of an event: its time in ISO form, then its members; NaN and infinities as text. */
export const eventLine = (event: TrainEvent, time: Date): string =>
  JSON.stringify(
    { time: time.toISOString(), ...event },
    (_, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );

const writeAll = (file: Deno.FsFile, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
};

const endsInsideLine = (file: Deno.FsFile): boolean => {
  if (file.statSync().size === 0) return false;
  file.seekSync(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  file.readSync(last);
  return last[0] !== 10;
};

/**
 * Appends one event a line to a file, at once, so that a killed run has told everything. Where the
 * file cannot be written (a full disk), `warn` hears it once and the run goes on; a half-written
 * line is ended before the next one.
 */
export const jsonLines = (
  path: string,
  warn: (message: string) => void,
  now: () => number = Date.now,
): FileSink => {
  let file: Deno.FsFile | undefined;
  let warned = false;
  let torn = false;
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (cause) {
      torn = true;
      if (warned) return;
      warned = true;
      warn(`Cannot write ${path}: ${fileProblem(cause)}, the run goes on without these events`);
    }
  };
  attempt(() => {
    file = Deno.openSync(path, { read: true, append: true, create: true });
    torn = endsInsideLine(file);
  });
  return {
    emit: (event) =>
      attempt(() => {
        if (file === undefined) return;
        const line = `${torn ? "\n" : ""}${eventLine(event, new Date(now()))}\n`;
        writeAll(file, new TextEncoder().encode(line));
        torn = false;
      }),
    [Symbol.dispose]: () => {
      file?.close();
      file = undefined;
    },
  };
};
