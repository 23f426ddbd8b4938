/**
 * The options of `deno task reproduce`: which table takes which, and what they say together.
 *
 * @module
 */
import { type PresetName, presetNames } from "../../models/presets.ts";
import { decodeConfig, nonNegativeInteger, oneOf, path, positiveInteger } from "../core/config.ts";
import { listOf, positiveNumber, strict, text } from "../core/config.ts";
import type { Err } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import type { Overrides } from "../programs/run_config.ts";
import { type AskedJudges, judgeOptions, judgeSettings } from "./judge_options.ts";
import { copiesOption } from "./copies_option.ts";
import { numberOr, type Option, type Parsed } from "./options.ts";
import { settingsOf, yes } from "./settings.ts";

/** What can be reproduced. */
export const tables = ["table1", "table2", "ablation"] as const;
/** One of {@link tables}. */
export type TableName = typeof tables[number];

/** An option and the tables that it says something about. */
type TableOption = Option & { readonly of: readonly TableName[] };

const all = tables, evaluated = ["table1", "ablation"] as const;

/** All options. */
export const reproduceOptions: readonly TableOption[] = [
  {
    name: "what",
    value: tables.join("|"),
    positional: true,
    help: "what to reproduce (required)",
    of: all,
  },
  {
    ...{ name: "data", value: "synthetic|DIR", of: evaluated },
    help: "what to learn from and judge on (synthetic)",
  },
  { name: "preset", value: "NAME", help: `${presetNames.join(", ")} (toy-64)`, of: all },
  {
    ...{ name: "steps", value: "N", numeric: true, of: evaluated },
    help: "steps of a run (the preset's); FF of table1 has twice as many",
  },
  {
    ...{ name: "run", value: "DIR", repeatable: true, of: ["table2", "ablation"] },
    help:
      "ablation: a finished run of the full method, and its settings; table2: runs to time (none)",
  },
  { name: "shots", value: "T,T,…", help: "frames to learn from (1,8,32; ablation: 8)", of: all },
  {
    ...{ name: "videos", value: "N", numeric: true, of: evaluated },
    help: "at most so many people (50)",
  },
  {
    ...{ name: "frames", value: "N", numeric: true, of: evaluated },
    help: "hold-out frames of each (32)",
  },
  {
    ...{ name: "updates", value: "N", numeric: true, of: evaluated },
    help: "least number of updates of fine-tuning, beside the preset's epochs (the preset's)",
  },
  { ...copiesOption, of: evaluated },
  ...judgeOptions.map((option) => ({ ...option, of: evaluated })),
  {
    ...{ name: "iterations", value: "N", numeric: true, of: ["table2"] },
    help: "table2: the median of so many times (100)",
  },
  {
    ...{ name: "seconds", value: "N", numeric: true, of: ["table2"] },
    help: "table2: what each time may take at most (60)",
  },
  {
    ...{ name: "seed", value: "N", numeric: true, of: all },
    help: "everything random follows from it (1)",
  },
  {
    ...{ name: "budget", value: "FILE", of: all },
    help: "any of these in JSON with comments (none); what is given beside it counts",
  },
  {
    ...{ name: "config", value: "FILE", of: all },
    help: "settings of the runs in JSON with comments (none)",
  },
  {
    ...{ name: "out", value: "DIR", of: all },
    help: "runs and tables go here; stopped, table1 and ablation go on there (required)",
  },
  { name: "backend", value: "NAME", help: "auto, webgpu, wasm, native or cpu (auto)", of: all },
  { name: "json", help: "print the result as one JSON object on stdout", of: all },
];

const Settings = strict({ what: oneOf(tables), out: path }, {
  data: text,
  preset: oneOf(presetNames as [PresetName, ...PresetName[]]),
  steps: positiveInteger,
  run: listOf(path),
  shots: listOf(positiveInteger, 1),
  videos: positiveInteger,
  frames: positiveInteger,
  updates: positiveInteger,
  copies: nonNegativeInteger,
  ...judgeSettings,
  iterations: positiveInteger,
  seconds: positiveNumber,
  seed: nonNegativeInteger,
  budget: path,
  config: path,
  backend: oneOf(["auto", "webgpu", "wasm", "cpu", "native"]),
  json: yes,
});

/** Decoded options. */
export interface Asked extends AskedJudges {
  readonly what: TableName;
  readonly out: string;
  readonly data?: string;
  readonly preset?: PresetName;
  readonly steps?: number;
  readonly run?: readonly string[];
  readonly shots?: readonly number[];
  readonly videos?: number;
  readonly frames?: number;
  readonly updates?: number;
  readonly copies?: number;
  readonly iterations?: number;
  readonly seconds?: number;
  readonly seed?: number;
  readonly config?: string;
  readonly backend?: "auto" | "webgpu" | "wasm" | "cpu" | "native";
}

/** What a finished run says already. */
const saidByRun = ["data", "preset", "steps", "seed", "config"] as const;

const problemsOf = (asked: Asked, given: Parsed): readonly string[] => [
  ...reproduceOptions.filter(({ name, of }) =>
    given[name] !== undefined && !of.includes(asked.what)
  )
    .map(({ name, of }) =>
      `Cannot reproduce ${asked.what} with --${name}: it is an option of ${of.join(" and ")}`
    ),
  ...(asked.what === "ablation" && asked.run !== undefined
    ? [
      ...saidByRun.filter((name) => given[name] !== undefined).map((name) =>
        `Cannot reproduce ablation with --${name} and --run: the run says it, expected one of them`
      ),
      ...(asked.run.length > 1
        ? ["Cannot reproduce ablation with several runs: expected one of the full method"]
        : []),
    ]
    : []),
];

/**
 * Decodes parsed options over those of a budget's file; `Config` lists what is wrong, and what
 * another table's option is.
 */
export const decodeReproduction = (
  parsed: Parsed,
  budget: Overrides,
): E.Either<Err<"Config">, Asked> => {
  const shots = typeof parsed.shots === "string"
    ? { shots: parsed.shots.split(",").map(numberOr) }
    : {};
  const decoded = decodeConfig(Settings, "the options")({
    ...budget,
    ...(settingsOf(reproduceOptions, parsed) as object),
    ...shots,
  });
  if (E.isLeft(decoded)) return decoded;
  const problems = problemsOf(decoded.right, parsed);
  return problems.length === 0 ? decoded : E.left({ _tag: "Config", problems });
};
