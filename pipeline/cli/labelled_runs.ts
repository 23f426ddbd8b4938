/**
 * Options of commands that put runs and methods side by side.
 *
 * @module
 */
import { listOf, nonNegativeInteger, oneOf, path, positiveInteger, text } from "../core/config.ts";
import { nearest } from "../core/words.ts";
import type { LabelledRun } from "../programs/evaluate_runs.ts";
import type { Protocol } from "../programs/evaluate/protocol.ts";
import { untrainedNames } from "../programs/methods.ts";
import { numberOr, type Option, type Parsed } from "./options.ts";
import { settingsOf, yes } from "./settings.ts";

/** Codecs of the options that must be there. */
export const comparisonRequired = { run: listOf(text, 1), out: path };

/** Codecs of the options that may be there. */
export const comparisonOptional = {
  shots: listOf(positiveInteger, 1),
  methods: listOf(text),
  data: text,
  cache: path,
  videos: positiveInteger,
  frames: positiveInteger,
  updates: positiveInteger,
  copies: nonNegativeInteger,
  seed: nonNegativeInteger,
  backend: oneOf(["auto", "webgpu", "wasm", "cpu", "native"]),
  json: yes,
};

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
const listed = (value: Parsed[string] | undefined): readonly string[] | undefined =>
  typeof value === "string" ? value.split(",").filter((word) => word !== "") : undefined;

/** Parsed options as settings; the options that are lists are taken apart at their commas. */
export const listedSettings = (
  options: readonly Option[],
  parsed: Parsed,
  names: readonly string[],
): object => ({
  ...(settingsOf(options, parsed) as object),
  ...Object.fromEntries(
    names.flatMap((name) => {
      const words = listed(parsed[name]);
      return words === undefined ? [] : [[name, name === "shots" ? words.map(numberOr) : words]];
    }),
  ),
});

/** What is measured: numbers of shots once each, the fewest first; of how many people and frames. */
export const protocolOf = (
  { shots, videos, frames, updates, copies }: {
    readonly shots?: readonly number[];
    readonly videos?: number;
    readonly frames?: number;
    readonly updates?: number;
    readonly copies?: number;
  },
  otherwise: Protocol,
): Protocol => ({
  shots: [...new Set(shots ?? otherwise.shots)].toSorted((a, b) => a - b),
  people: videos ?? otherwise.people,
  frames: frames ?? otherwise.frames,
  ...(updates && { updates }),
  ...(copies !== undefined && { copies }),
});
