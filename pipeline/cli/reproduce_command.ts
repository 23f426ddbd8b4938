/**
 * `deno task reproduce table1`.
 *
 * @module
 */
import { type PresetName, presetNames } from "../../models/presets.ts";
import { decodeConfig, nonNegativeInteger, oneOf, path, positiveInteger } from "../core/config.ts";
import { listOf, strict, text } from "../core/config.ts";
import { readConfigFile } from "../core/config_file.ts";
import { E } from "../core/fp.ts";
import type { EvaluationReport } from "../programs/evaluate.ts";
import { reproduceTable1, type Table1 } from "../programs/reproduce/table1.ts";
import type { Overrides } from "../programs/run_config.ts";
import type { Command } from "./command.ts";
import { reportText } from "./evaluate_command.ts";
import { numberOr, type Option } from "./options.ts";
import { runOnBackend } from "./run_on_backend.ts";
import { settingsOf, yes } from "./settings.ts";
import { say } from "./terminal.ts";

const options: readonly Option[] = [
  { name: "what", value: "table1", positional: true, help: "what to reproduce" },
  { name: "data", value: "synthetic|DIR", help: "what to learn from and judge on (synthetic)" },
  { name: "preset", value: "NAME", help: `${presetNames.join(", ")} (toy-64)` },
  {
    name: "steps",
    value: "N",
    help: "steps of FT, FF has twice as many (the preset's)",
    numeric: true,
  },
  { name: "shots", value: "T,T,…", help: "frames to learn a person from (1,8,32)" },
  { name: "videos", value: "N", help: "at most so many people (50)", numeric: true },
  { name: "frames", value: "N", help: "hold-out frames of each (32)", numeric: true },
  { name: "seed", value: "N", help: "everything random follows from it (1)", numeric: true },
  { name: "config", value: "FILE", help: "settings of both runs in JSON with comments" },
  { name: "out", value: "DIR", help: "runs and tables go here; stopped, it goes on there" },
  { name: "backend", value: "NAME", help: "auto, webgpu, wasm or cpu (auto)" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

const Settings = strict({ what: oneOf(["table1"]), out: path }, {
  data: text,
  preset: oneOf(presetNames as [PresetName, ...PresetName[]]),
  steps: positiveInteger,
  shots: listOf(positiveInteger, 1),
  videos: positiveInteger,
  frames: positiveInteger,
  seed: nonNegativeInteger,
  config: path,
  backend: oneOf(["auto", "webgpu", "wasm", "cpu", "native"]),
  json: yes,
});

/** The command. */
export const reproduceCommand: Command = {
  name: "reproduce",
  about: "Trains and measures what a table of the paper compares (section 4.2), at any scale.",
  options,
  example: "deno task reproduce table1 --steps 450 --videos 15 --frames 8 --out table",
  run: async (parsed) => {
    const shots = typeof parsed.shots === "string"
      ? { shots: parsed.shots.split(",").map(numberOr) }
      : {};
    const decoded = decodeConfig(Settings, "the options")({
      ...(settingsOf(options, parsed) as object),
      ...shots,
    });
    if (E.isLeft(decoded)) return decoded;
    const { config, preset = "toy-64", data = "synthetic", steps, ...rest } = decoded.right;
    const file = config === undefined ? E.right({}) : await readConfigFile(config)();
    if (E.isLeft(file)) return file;
    const { seed = 1, out, backend = "auto", videos = 50, frames = 32 } = rest;
    const what: Table1 = {
      ...{ preset, data, seed, out, judges: {}, settings: file.right as Overrides },
      ...(steps && { steps }),
      protocol: { shots: rest.shots ?? [1, 8, 32], people: videos, frames },
    };
    const stopping = "Stopping: what is done is kept, the same command goes on";
    const result = await runOnBackend(backend, stopping, reproduceTable1(what, say), seed);
    return E.map((done: EvaluationReport) => ({
      json: done,
      text: reportText(`${out}/table1`, done),
    }))(result);
  },
};
