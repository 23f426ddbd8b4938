/**
 * Options of commands that put runs and methods side by side.
 *
 * @module
 */
import { nearest } from "../core/words.ts";
import type { LabelledRun } from "../programs/evaluate_runs.ts";
import { untrainedNames } from "../programs/methods.ts";
import type { Parsed } from "./options.ts";

/** `NAME=DIR`, or a folder that gives its own name. */
export const labelled = (text: string): LabelledRun => {
  const at = text.indexOf("=");
  if (at > 0) return { label: text.slice(0, at), run: text.slice(at + 1) };
  return { label: text.replace(/\/+$/, "").split("/").at(-1) ?? text, run: text };
};

/** What is wrong with runs and methods that a command was given; `what` it cannot do then. */
export const runProblems = (
  what: string,
  runs: readonly LabelledRun[],
  untrained: readonly string[],
): readonly string[] => [
  ...runs.filter(({ label }, i) => runs.findIndex((other) => other.label === label) < i)
    .map(({ label }) =>
      `Cannot ${what}: two runs are called ${label}, expected --run NAME=DIR to tell them apart`
    ),
  ...untrained.filter((name) => !untrainedNames.includes(name)).map((name) =>
    `Cannot ${what} with --methods ${name}: it is no method without training, expected ` +
    (nearest(name, untrainedNames) ?? `one of ${untrainedNames.join(", ")}`)
  ),
];

/** The words of a list: "1,8,32". */
export const listed = (value: Parsed[string] | undefined): readonly string[] | undefined =>
  typeof value === "string" ? value.split(",").filter((word) => word !== "") : undefined;
