/**
 * `deno task evaluate`.
 *
 * @module
 */
import { decodeConfig, strict } from "../core/config.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { E, F, type TE } from "../core/fp.ts";
import type { EvaluationReport } from "../programs/evaluate.ts";
import { evaluateRuns, type RunsEvaluation } from "../programs/evaluate_runs.ts";
import type { Protocol } from "../programs/evaluate/protocol.ts";
import { describeTooShort, describeUnanswered } from "../programs/evaluate/report.ts";
import { toMarkdown } from "../programs/evaluate/table.ts";
import { untrainedNames } from "../programs/methods.ts";
import type { Command } from "./command.ts";
import { judgeOptions, judgeSettings, judgesOf } from "./judge_options.ts";
import {
  comparisonOptional,
  comparisonRequired,
  labelled,
  listedSettings,
  protocolOf,
  runProblems,
} from "./labelled_runs.ts";
import { copiesOption } from "./copies_option.ts";
import type { Option, Parsed } from "./options.ts";
import { runOnBackend } from "./run_on_backend.ts";

const options: readonly Option[] = [
  {
    name: "run",
    value: "[NAME=]DIR",
    repeatable: true,
    help: "a meta-train run, and what the table calls it; repeatable (required)",
  },
  { name: "data", value: "synthetic|DIR", help: "whose held-out people (those of the first run)" },
  { name: "shots", value: "T,T,…", help: "frames to learn a person from (1,8,32)" },
  {
    name: "videos",
    value: "N",
    help: "at most so many people, one video each (50)",
    numeric: true,
  },
  { name: "frames", value: "N", help: "hold-out frames of each (32)", numeric: true },
  {
    name: "updates",
    value: "N",
    help: "least number of updates of fine-tuning, beside the preset's epochs (the preset's)",
    numeric: true,
  },
  copiesOption,
  {
    name: "methods",
    value: "NAME,NAME,…",
    help: `methods without training beside the runs: ${untrainedNames.join(", ")} (all)`,
  },
  ...judgeOptions,
  { name: "out", value: "DIR", help: "where tables, pictures and the report go (required)" },
  { name: "cache", value: "DIR", help: "prepared frames of a folder of videos (the run's)" },
  { name: "seed", value: "N", help: "who is drawn, and what fine-tuning draws (1)", numeric: true },
  { name: "backend", value: "NAME", help: "auto, webgpu, wasm, native or cpu (auto)" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

const Settings = strict(comparisonRequired, { ...comparisonOptional, ...judgeSettings });

interface Asked {
  readonly backend: "auto" | "webgpu" | "wasm" | "cpu" | "native";
  readonly what: RunsEvaluation;
}

const usual: Protocol = { shots: [1, 8, 32], people: 50, frames: 32 };

const configure = (parsed: Parsed): E.Either<Err<"Config">, Asked> =>
  F.pipe(
    decodeConfig(Settings, "the options")(listedSettings(options, parsed, ["shots", "methods"])),
    E.flatMap(
      (
        { run, out, data, cache, seed = 1, backend = "auto", methods: untrained, ...rest },
      ): E.Either<Err<"Config">, Asked> => {
        const runs = run.map(labelled), asked = untrained ?? untrainedNames;
        const problems = runProblems("evaluate", runs, asked);
        if (problems.length > 0) return E.left({ _tag: "Config", problems });
        const judges = judgesOf(rest);
        if (E.isLeft(judges)) return judges;
        const protocol = protocolOf(rest, usual);
        const places = { ...(data && { data }), ...(cache && { cache }) };
        return E.right({
          backend,
          what: { runs, untrained: asked, protocol, judges: judges.right, seed, out, ...places },
        });
      },
    ),
  );

/** The table and what is missing in it, for people. */
export const reportText = (out: string, { rows, tooShort, unanswered }: EvaluationReport): string =>
  [
    toMarkdown(rows),
    ...tooShort.map((short) => `Too few frames: ${describeTooShort(short)}`),
    ...unanswered.map((one) => `Not answered: ${describeUnanswered(one)}`),
    `Wrote ${out}/report.html and the same as table.md, table.csv, table.json and pictures`,
  ].join("\n");

/** The command. */
export const evaluateCommand: Command = {
  name: "evaluate",
  about: "Measures runs on people never trained on, beside answers that need no training " +
    "(section 4).",
  options,
  example: "deno task evaluate --run runs/toy-64-001 --shots 1,8 --frames 8 --out evaluation",
  run: async (parsed) => {
    const settings = configure(parsed);
    if (E.isLeft(settings)) return settings;
    const { what, backend } = settings.right;
    const result = await runOnBackend(
      backend,
      "Stopping: the people who are done are kept, the same command goes on with the next one",
      (env): TE.TaskEither<PipelineError, EvaluationReport> => evaluateRuns(what)(env),
      what.seed,
    );
    return E.map((done: EvaluationReport) => ({ json: done, text: reportText(what.out, done) }))(
      result,
    );
  },
};
