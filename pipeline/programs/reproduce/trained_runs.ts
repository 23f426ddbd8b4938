/**
 * The runs that a table compares: each is trained once, gone on with where it was stopped, and
 * taken as it is where it is done.
 *
 * @module
 */
import { type PresetName, presets } from "../../../models/presets.ts";
import { differences, renderDifference } from "../../core/differences.ts";
import type { Env } from "../../core/env.ts";
import type { Err, PipelineError } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import { latestCheckpoint } from "../checkpoint/load.ts";
import { attempt } from "../checkpoint/durable.ts";
import { readRunConfig } from "../checkpoint/run_folder.ts";
import { metaTrainLogged } from "../meta_train_logged.ts";
import { decodeRunConfig, type Overrides, type RunConfig } from "../run_config.ts";

/** What all runs of a table have in common. */
export interface Budget {
  /** Sizes of the networks. */
  readonly preset: PresetName;
  /** "synthetic" or a folder. */
  readonly data: string;
  /** Settings of all runs besides these: content networks, rates, the cache. */
  readonly settings: Overrides;
  /** Where all randomness starts. */
  readonly seed: number;
  /** Steps of a run that asks for no other number; the preset's by default. */
  readonly steps?: number;
  /** Runs go here. */
  readonly out: string;
}

/** One run of a table. */
export interface TableRun {
  /** Its folder inside of `out`. */
  readonly name: string;
  /** What it does in another way than the budget says: method, variant, training. */
  readonly overrides: Overrides;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** The budget that a finished run was trained with, for runs beside it. */
export const budgetOf = (config: RunConfig, out: string): Budget => {
  const { preset, data, seed, training: { steps } } = config;
  return { preset, data, seed, steps, settings: { ...config }, out };
};

/** Steps of a run that asks for no other number. */
export const stepsOf = ({ preset, steps }: Budget): number =>
  steps ?? presets[preset].training.steps;

/** Settings in which a finished run may differ: they do not change what it has learnt. */
const harmless = [
  ...["backend", "tickEvery", "gridEvery", "watchEvery", "checkpointEvery", "keep", "judge"],
  ...["cache", "run"],
];

/** `Config` where a finished run was trained in another way than the table says. */
const checkFinished = (config: RunConfig): Program<void> => () => async () => {
  const before = await readRunConfig(config.run)();
  if (E.isLeft(before)) return before;
  const found = differences(before.right, JSON.parse(JSON.stringify(config)))
    .filter(({ path }) => !harmless.includes(path.split(".")[0] ?? ""));
  return found.length === 0 ? E.right(undefined) : E.left<Err<"Config">>({
    _tag: "Config",
    problems: [
      `Cannot take the run ${config.run}: it was trained in another way ` +
      `(${found.slice(0, 3).map(renderDifference).join("; ")}), expected a new folder`,
    ],
  });
};

const isThere = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);

/** Whether there is something to go on with; removes a run that was stopped before that. */
const resumable = (run: string): Program<boolean> => (env) => async () => {
  if (!await isThere(run)) return E.right(false);
  const found = await latestCheckpoint(run)(env)();
  if (E.isLeft(found)) return found;
  if (found.right !== undefined) return E.right(true);
  const remove = () => Deno.remove(run, { recursive: true });
  return E.map(() => false)(await attempt(run, `remove ${run}`, remove)());
};

/**
 * Trains a run, goes on with one that was stopped, or takes one that is done; gives its folder.
 * Errors: those of `metaTrain`, and `Config` where the folder holds a run of another way.
 */
export const trainedRun = (
  budget: Budget,
  { name, overrides }: TableRun,
  complain: (line: string) => void,
): Program<string> => {
  const { preset, data, settings, seed, out } = budget, run = `${out}/${name}`;
  const given = { preset, data, seed, training: { steps: stepsOf(budget) } };
  const train = (config: RunConfig): Program<void> =>
    F.pipe(
      resumable(run),
      RTE.flatMap((resume) => metaTrainLogged(config, complain, { resume })),
      RTE.map(() => undefined),
    );
  return F.pipe(
    RTE.fromEither<PipelineError, RunConfig, Env>(
      decodeRunConfig(settings, given, overrides, { run }),
    ),
    RTE.flatMap((config): Program<void> =>
      F.pipe(
        RTE.fromTask<boolean, Env, PipelineError>(() => isThere(`${run}/result.json`)),
        RTE.flatMap((done) => done ? checkFinished(config) : train(config)),
      )
    ),
    RTE.map(() => run),
  );
};
