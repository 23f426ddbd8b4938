/**
 * `deno task demo`.
 *
 * @module
 */
import { decodeConfig, oneOf, path, positiveInteger, strict } from "../core/config.ts";
import { E } from "../core/fp.ts";
import { demo, type DemoResult, freshName } from "../programs/demo.ts";
import type { Command } from "./command.ts";
import { driveText } from "./drive_command.ts";
import type { Option } from "./options.ts";
import { runOnBackend } from "./run_on_backend.ts";
import { settingsOf, yes } from "./settings.ts";
import { say } from "./terminal.ts";

const STEPS = 120;

const options: readonly Option[] = [
  {
    name: "run",
    value: "DIR",
    help: "a meta-train run (the newest in runs/, else one is trained)",
  },
  {
    name: "steps",
    value: "N",
    help: `steps of that training, where there is no run (${STEPS})`,
    numeric: true,
  },
  { name: "shots", value: "T", help: "frames of the person to learn from (8)", numeric: true },
  { name: "frames", value: "N", help: "frames of the film (100)", numeric: true },
  { name: "out", value: "DIR", help: "a new folder for film and person (demo, demo-2, …)" },
  { name: "backend", value: "NAME", help: "auto, webgpu, wasm, native or cpu (auto)" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

const Settings = strict({}, {
  run: path,
  steps: positiveInteger,
  shots: positiveInteger,
  frames: positiveInteger,
  out: path,
  backend: oneOf(["auto", "webgpu", "wasm", "cpu", "native"]),
  json: yes,
});

const text = ({ film, person, model }: DemoResult): string =>
  [
    driveText(film),
    "From left to right: the source, landmarks as the generator gets them, the driver, the result",
    `The person is ${person}, learnt with ${model}; drive it by a video of your own:`,
    `  deno task drive --person ${person} --driver VIDEO --out FILE.mp4`,
  ].join("\n");

/** The command. */
export const demoCommand: Command = {
  name: "demo",
  about: "Makes a synthetic person from a few frames and a film of them: needs no input.",
  options,
  example: "deno task demo",
  run: async (parsed) => {
    const settings = decodeConfig(Settings, "the options")(settingsOf(options, parsed));
    if (E.isLeft(settings)) return settings;
    const { run, steps = STEPS, shots = 8, frames = 100, backend = "auto" } = settings.right;
    const out = settings.right.out ?? await freshName("demo");
    if (await Deno.lstat(out).then(() => true, () => false)) {
      const problems = [`Cannot write ${out}: it exists, expected a new folder's name`];
      return E.left({ _tag: "Config", problems });
    }
    const result = await runOnBackend(
      backend,
      "Stopping: what is trained so far is saved, nothing of the film is kept",
      demo({ out, runs: "runs", steps, shots, frames, tell: say, ...(run && { run }) }),
    );
    return E.map((made: DemoResult) => ({ json: made, text: text(made) }))(result);
  },
};
