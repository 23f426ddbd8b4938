/**
 * `deno task meta-train`.
 *
 * @module
 */
import { presetNames } from "../../models/presets.ts";
import { readConfigFile } from "../core/config_file.ts";
import type { PipelineError } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import type { RunResult } from "../programs/meta_train.ts";
import { metaTrainLogged } from "../programs/meta_train_logged.ts";
import { trainableNames } from "../programs/method.ts";
import {
  decodeRunConfig,
  draftRunConfig,
  type Overrides,
  type RunConfig,
} from "../programs/run_config.ts";
import type { Command } from "./command.ts";
import { contentOverride } from "./content_option.ts";
import { type DryRun, dryRun, dryRunText } from "./dry_run.ts";
import { numberOr, type Option, type Parsed } from "./options.ts";
import { runOnBackend } from "./run_on_backend.ts";
import { say } from "./terminal.ts";

const options: readonly Option[] = [
  { name: "data", value: "synthetic|DIR", help: "what to learn from (synthetic)" },
  { name: "preset", value: "NAME", help: `${presetNames.join(", ")} (toy-64)` },
  { name: "steps", value: "N", help: "steps to train (the preset's)", numeric: true },
  { name: "shots", value: "K", help: "source frames of an episode (the preset's)", numeric: true },
  { name: "batch", value: "B", help: "sequences of a step (the preset's)", numeric: true },
  { name: "accumulate", value: "N", help: "batches summed up before an update (1)", numeric: true },
  { name: "seed", value: "N", help: "everything random follows from it (1)", numeric: true },
  { name: "run", value: "DIR", help: "the run's folder (runs/PRESET-001, -002, …)" },
  { name: "resume", help: "go on with the run in --run, with its settings" },
  { name: "variant", value: "ft|ff", help: "with the match term, or without (ft)" },
  { name: "method", value: "NAME", help: `${trainableNames.join(", ")} (headshot)` },
  { name: "backend", value: "NAME", help: "auto, webgpu, wasm, native or cpu (auto)" },
  { name: "checkpoint-every", value: "N", help: "steps between checkpoints (200)", numeric: true },
  { name: "grid-every", value: "N", help: "steps between sample grids (200)", numeric: true },
  {
    name: "content",
    value: "NAME=PATH",
    repeatable: true,
    help: "weights of a network of the content loss; repeatable (none)",
  },
  {
    name: "config",
    value: "FILE",
    help: "settings in JSON with comments; options override them (none)",
  },
  { name: "print-config", help: "print the configuration and stop" },
  { name: "dry-run", help: "say what it would take, train nothing: parameters, memory, time" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

const topLevel: Readonly<Record<string, string>> = {
  data: "data",
  preset: "preset",
  seed: "seed",
  run: "run",
  variant: "variant",
  method: "method",
  backend: "backend",
  "checkpoint-every": "checkpointEvery",
  "grid-every": "gridEvery",
};
const ofTraining = ["steps", "shots", "batch", "accumulate"];

const single = (value: Parsed[string] | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

const setting = (parsed: Parsed, name: string): unknown => {
  const text = single(parsed[name]);
  if (text === undefined) return undefined;
  return options.find((option) => option.name === name)?.numeric ? numberOr(text) : text;
};

/** `runs/toy-64-001`, or the next number that is free. */
const freshRun = async (preset: string): Promise<string> => {
  for (let n = 1;; n++) {
    const path = `runs/${preset}-${String(n).padStart(3, "0")}`;
    const there = await Deno.stat(path).then(() => true, () => false);
    if (!there) return path;
  }
};

/**
 * What the options are put over: a file, the run itself where it goes on, or nothing. A run that
 * has no readable configuration is refused when it is opened.
 */
const readBase = async (parsed: Parsed): Promise<E.Either<PipelineError, unknown>> => {
  const file = single(parsed.config), run = single(parsed.run);
  if (file !== undefined) return await readConfigFile(file)();
  if (!parsed.resume || run === undefined) return E.right({});
  return E.right(E.getOrElse((): unknown => ({}))(await readConfigFile(`${run}/config.json`)()));
};

const configure = async (parsed: Parsed): Promise<E.Either<PipelineError, RunConfig>> => {
  const read = await readBase(parsed);
  if (E.isLeft(read)) return read;
  const fromFile = read.right as Overrides;
  const top = Object.fromEntries(
    Object.entries(topLevel).map(([option, key]) => [key, setting(parsed, option)]),
  );
  const training = Object.fromEntries(ofTraining.map((name) => [name, setting(parsed, name)]));
  const preset = String(top.preset ?? fromFile.preset ?? "toy-64");
  const run = top.run ?? fromFile.run ?? await freshRun(preset);
  const given: Overrides = { ...top, run, training };
  const content = contentOverride(parsed.content, draftRunConfig(fromFile, given));
  if (E.isLeft(content)) return content;
  if (parsed.resume && top.run === undefined && fromFile.run === undefined) {
    const problems = ["Cannot resume: no run is named, expected --run DIR"];
    return E.left({ _tag: "Config", problems });
  }
  return decodeRunConfig(fromFile, given, content.right);
};

const percent = (value: number): string => `${(100 * value).toFixed(0)} %`;

const table = ({ heldOut, people }: RunResult): string => {
  const header = `${"".padEnd(26)}${"L1".padStart(8)}${"SSIM".padStart(8)}` +
    `${"landmarks".padStart(11)}${"no face".padStart(9)}`;
  const rows = Object.entries(heldOut).map(([name, { l1, ssim, landmarkError, undetected }]) =>
    name.padEnd(26) + l1.toFixed(4).padStart(8) + ssim.toFixed(4).padStart(8) +
    landmarkError.toFixed(4).padStart(11) + percent(undetected).padStart(9)
  );
  const about = `${people} people never trained on (L1 of images in [-1, 1]; landmark error in ` +
    `eye distances):`;
  return [about, header, ...rows].join("\n");
};

const train = (
  config: RunConfig,
  resume: boolean,
): Promise<E.Either<PipelineError, RunResult>> =>
  runOnBackend(
    config.backend,
    "Stopping: the step is finished and saved; again to stop at once",
    metaTrainLogged(config, say, { resume }),
    config.seed,
  );

/** The command. */
export const metaTrainCommand: Command = {
  name: "meta-train",
  about: "Meta-trains embedder, generator and discriminator on talking-head videos (section 3.2).",
  options,
  example: "deno task meta-train --data videos/ --preset small-128 --run runs/first",
  run: async (parsed) => {
    const config = await configure(parsed);
    if (E.isLeft(config)) return config;
    if (parsed["print-config"]) return E.right({ json: config.right });
    if (parsed["dry-run"]) {
      const looked = await dryRun(config.right);
      return E.map((found: DryRun) => ({ json: found, text: dryRunText(found) }))(looked);
    }
    const result = await train(config.right, parsed.resume === true);
    return E.isLeft(result) ? result : E.right({ json: result.right, text: table(result.right) });
  },
};
