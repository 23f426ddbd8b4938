/**
 * `deno task reproduce table1|table2|ablation`.
 *
 * @module
 */
import { readConfigFile } from "../core/config_file.ts";
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { EvaluationReport } from "../programs/evaluate.ts";
import { configOf } from "../programs/evaluate_runs.ts";
import type { JudgeChoice } from "../programs/evaluate/judges.ts";
import type { Protocol } from "../programs/evaluate/protocol.ts";
import { ablationOf, reproduceAblation } from "../programs/reproduce/ablation.ts";
import { reproduceTable1 } from "../programs/reproduce/table1.ts";
import { reproduceTable2 } from "../programs/reproduce/table2.ts";
import { type Table2Report, timesToMarkdown } from "../programs/reproduce/table2_text.ts";
import type { Budget } from "../programs/reproduce/trained_runs.ts";
import type { Overrides, RunConfig } from "../programs/run_config.ts";
import type { Command, Outcome } from "./command.ts";
import { reportText } from "./evaluate_command.ts";
import { judgesOf } from "./judge_options.ts";
import type { Parsed } from "./options.ts";
import { type Asked, decodeReproduction, reproduceOptions } from "./reproduce_options.ts";
import { runOnBackend } from "./run_on_backend.ts";
import { say } from "./terminal.ts";

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** The paper's values of T; those of the ablation show it best in one picture. */
const usualShots = { table1: [1, 8, 32], table2: [1, 8, 32], ablation: [8] } as const;

const shotsOf = ({ what, shots = usualShots[what] }: Asked): readonly number[] =>
  [...new Set(shots)].toSorted((a, b) => a - b);

const protocolOf = (asked: Asked): Protocol => ({
  shots: shotsOf(asked),
  people: asked.videos ?? 50,
  frames: asked.frames ?? 32,
  ...(asked.updates && { updates: asked.updates }),
  ...(asked.copies !== undefined && { copies: asked.copies }),
});

/** The configuration of the first run that is named, undefined where none is. */
const firstRun = ({ run: [run] = [] }: Asked): Program<RunConfig | undefined> =>
  run === undefined ? RTE.right(undefined) : configOf({ label: run, run });

const budgetFor = (asked: Asked, settings: Overrides): Budget => {
  const { preset = "toy-64", data = "synthetic", seed = 1, steps, out } = asked;
  return { preset, data, seed, out, settings, ...(steps && { steps }) };
};

const evaluated = ({ out, what }: Asked) => (done: EvaluationReport): Outcome => ({
  json: done,
  text: reportText(`${out}/${what}`, done),
});

const table1 = (asked: Asked, settings: Overrides): Program<Outcome> =>
  F.pipe(
    RTE.fromEither<PipelineError, JudgeChoice, Env>(judgesOf(asked)),
    RTE.flatMap((judges) =>
      reproduceTable1({ ...budgetFor(asked, settings), judges, protocol: protocolOf(asked) }, say)
    ),
    RTE.map(evaluated(asked)),
  );

const ablation = (asked: Asked, settings: Overrides): Program<Outcome> =>
  F.pipe(
    firstRun(asked),
    RTE.flatMap((config): Program<EvaluationReport> => {
      const budget = config ? ablationOf(config, asked.out) : E.right(budgetFor(asked, settings));
      return F.pipe(
        RTE.fromEither<PipelineError, Budget, Env>(budget),
        RTE.flatMap((known) =>
          F.pipe(
            RTE.fromEither<PipelineError, JudgeChoice, Env>(judgesOf(asked)),
            RTE.flatMap((judges) =>
              reproduceAblation({ ...known, judges, protocol: protocolOf(asked) }, say)
            ),
          )
        ),
      );
    }),
    RTE.map(evaluated(asked)),
  );

const table2 = (asked: Asked, settings: Overrides): Program<Outcome> =>
  F.pipe(
    firstRun(asked),
    RTE.flatMap((config): Program<Table2Report> =>
      reproduceTable2({
        preset: asked.preset ?? config?.preset ?? "toy-64",
        runs: asked.run ?? [],
        shots: shotsOf(asked),
        effort: { iterations: asked.iterations ?? 100, seconds: asked.seconds ?? 60 },
        out: asked.out,
        settings,
      })
    ),
    RTE.map((done): Outcome => ({ json: done, text: timesToMarkdown(done) })),
  );

/** What a file of settings says; nothing where no file is named. */
const overridesOf = async (
  path: Parsed[string] | undefined,
): Promise<E.Either<PipelineError, Overrides>> =>
  typeof path === "string"
    ? E.map((settings) => settings as Overrides)(await readConfigFile(path)())
    : E.right({});

const programs = { table1, table2, ablation } as const;

/** The command. */
export const reproduceCommand: Command = {
  name: "reproduce",
  about: "Trains and measures what a table of the paper compares (section 4.2, appendix A.1 and " +
    "A.2), at any scale.",
  options: reproduceOptions,
  example: "deno task reproduce table1 --steps 450 --videos 15 --frames 8 --out table",
  run: async (parsed) => {
    const budget = await overridesOf(parsed.budget);
    if (E.isLeft(budget)) return budget;
    const asked = decodeReproduction(parsed, budget.right);
    if (E.isLeft(asked)) return asked;
    const { what, config, backend = "auto", seed = 1 } = asked.right;
    const settings = await overridesOf(config);
    if (E.isLeft(settings)) return settings;
    return await runOnBackend(
      backend,
      what === "table2"
        ? "Stopping: times are not kept"
        : "Stopping: what is done is kept, the same command goes on",
      programs[what](asked.right, settings.right),
      seed,
    );
  },
};
