/**
 * What people see on stderr while a run goes: a bar with losses and time left on a terminal, a
 * line now and then elsewhere.
 *
 * @module
 */
import { ProgressBar } from "@std/cli/unstable-progress-bar";
import type { TrainEvent } from "../core/events.ts";
import { renderError } from "../core/errors.ts";
import type { Sink } from "../core/sinks.ts";

/** A sink with an end: stops the bar so that the last line stays. */
export interface TerminalSink {
  readonly emit: Sink;
  readonly close: () => Promise<void>;
}

const encoder = new TextEncoder();

/** Writes a line for people. */
export const say = (line: string): void => {
  Deno.stderr.writeSync(encoder.encode(`${line}\n`));
};

const shownLosses = ["l1", "content", "adversarial", "featureMatching", "match", "discriminator"];

const summary = (event: Extract<TrainEvent, { _tag: "StepDone" }>): string =>
  Object.entries(event.losses)
    .filter(([name]) => shownLosses.includes(name.split("/")[0] ?? ""))
    .map(([name, value]) => `${name.replace("content/", "")} ${value.toPrecision(3)}`)
    .join("  ");

/** Seconds as `1:02:03`. */
export const clock = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};

/** One line about an event, or nothing where it is not for people. */
export const eventText = (event: TrainEvent): string | undefined => {
  switch (event._tag) {
    case "RunStarted": {
      const counts = Object.entries(event.parameters)
        .map(([name, count]) => `${name} ${(count / 1e6).toFixed(2)} M`).join(", ");
      return `Training on ${event.backend}, steps ${event.step} to ${event.steps}; ${counts}`;
    }
    case "SampleSkipped":
      return renderError(event.error);
    case "CheckpointSaved":
      return `Saved ${event.path}`;
    case "CheckpointSkipped":
      return `Skipped ${event.path}: ${event.message}`;
    case "RolledBack":
      return `Back to the last checkpoint at step ${event.step}: ${event.reason}; rates are halved`;
    case "GridSaved":
      return `Painted ${event.path}`;
    case "Evaluated": {
      const figures = Object.entries(event.figures)
        .map(([name, value]) => `${name} ${value.toFixed(4)}`).join(", ");
      return `Step ${event.step}, ${event.of}: ${figures}`;
    }
    case "Warning":
      return `Warning at step ${event.step}: ${event.message}`;
    case "LeakSuspected":
      return `Warning at step ${event.step}: ${event.tensors} tensors more than after warm-up` +
        (event.stage === undefined ? "" : `, most of them left by the stage "${event.stage}"`);
    case "RunEnded":
      return `Done after ${event.step} steps in ${clock(event.seconds)}`;
    case "StepDone":
    case "Progress":
      return undefined;
  }
};

const plainSink = (everyMs: number): TerminalSink => {
  let last = 0, steps = 0;
  return {
    emit: (event) => {
      if (event._tag === "RunStarted") steps = event.steps;
      const text = eventText(event);
      if (text !== undefined) return say(text);
      const time = performance.now();
      if (time - last < everyMs) return;
      last = time;
      if (event._tag === "Progress") say(`${event.what}: ${event.done} of ${event.of}`);
      if (event._tag === "StepDone") {
        const left = clock((steps - event.step) * event.seconds);
        const pace = `${event.seconds.toFixed(2)} s a step, ${left} left`;
        say(`Step ${event.step} of ${steps}, ${pace}; ${summary(event)}`);
      }
    },
    close: () => Promise.resolve(),
  };
};

const barSink = (): TerminalSink => {
  let bar: ProgressBar | undefined, tail = "", title = "";
  const show = (what: string, value: number, max: number): void => {
    title = what;
    bar ??= new ProgressBar({
      max,
      barLength: 30,
      fmt: (state) => `${title} ${state.styledTime} ${state.progressBar} ${tail}`,
    });
    bar.max = max;
    bar.value = value;
  };
  let steps = 0;
  return {
    emit: (event) => {
      if (event._tag === "RunStarted") steps = event.steps;
      const text = eventText(event);
      if (text !== undefined) return say(`\r\x1b[K${text}`);
      if (event._tag === "Progress") {
        tail = `${event.done}/${event.of}`;
        show(event.what, event.done, event.of);
      }
      if (event._tag === "StepDone") {
        const left = clock((steps - event.step) * event.seconds);
        tail = `${event.step}/${steps} ${event.seconds.toFixed(2)} s ETA ${left} ${summary(event)}`;
        show("train", event.step, steps);
      }
    },
    close: async () => await bar?.stop(),
  };
};

/** A sink for people: a bar on a terminal, otherwise a line every few seconds. */
export const terminalSink = (): TerminalSink =>
  Deno.stderr.isTerminal() ? barSink() : plainSink(10_000);
