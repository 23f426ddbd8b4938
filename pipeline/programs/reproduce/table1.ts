/**
 * The paper's table 1 at a scale that the machine allows: both variants trained with the same
 * seed and data, FF twice as long as FT, then evaluated side by side.
 *
 * @module
 */
import type { PresetName } from "../../../models/presets.ts";
import { presets } from "../../../models/presets.ts";
import type { Env } from "../../core/env.ts";
import type { PipelineError } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import { latestCheckpoint } from "../checkpoint/load.ts";
import { attempt } from "../checkpoint/durable.ts";
import type { JudgeChoice } from "../evaluate/judges.ts";
import type { Protocol } from "../evaluate/protocol.ts";
import type { EvaluationReport } from "../evaluate.ts";
import { evaluateRuns } from "../evaluate_runs.ts";
import { metaTrainLogged } from "../meta_train_logged.ts";
import { untrainedNames } from "../methods.ts";
import { decodeRunConfig, type Overrides } from "../run_config.ts";

/** The budget and the protocol of a table. */
export interface Table1 {
  /** Sizes of the networks. */
  readonly preset: PresetName;
  /** "synthetic" or a folder. */
  readonly data: string;
  /** Settings of both runs besides these: content networks, rates, the cache. */
  readonly settings: Overrides;
  /** Steps of FT; FF has twice as many. The preset's by default. */
  readonly steps?: number;
  /** Who is evaluated. */
  readonly protocol: Protocol;
  /** Which networks judge. */
  readonly judges: JudgeChoice;
  /** Where all randomness starts. */
  readonly seed: number;
  /** Runs and tables go here. */
  readonly out: string;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

const isThere = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);

/** Trains a run, goes on with one that was stopped, or takes one that is done. Gives its folder. */
const trained = (
  { preset, data, settings, seed, out, ...rest }: Table1,
  variant: "ft" | "ff",
  complain: (line: string) => void,
): Program<string> =>
(env) =>
async () => {
  const run = `${out}/${variant}`;
  if (await isThere(`${run}/result.json`)) return E.right(run);
  const steps = (rest.steps ?? presets[preset].training.steps) * (variant === "ff" ? 2 : 1);
  const given = { preset, data, seed, run, variant, training: { steps } };
  const config = decodeRunConfig(settings, given);
  if (E.isLeft(config)) return config;
  let resume = false;
  if (await isThere(run)) {
    const found = await latestCheckpoint(run)(env)();
    if (E.isLeft(found)) return found;
    resume = found.right !== undefined;
    if (!resume) { // stopped before its first checkpoint: nothing is lost
      const removed = await attempt(
        run,
        `remove ${run}`,
        () => Deno.remove(run, { recursive: true }),
      )();
      if (E.isLeft(removed)) return removed;
    }
  }
  const result = await metaTrainLogged(config.right, complain, { resume })(env)();
  return E.map(() => run)(result);
};

/**
 * Trains what is not trained yet, evaluates, and writes the table into `<out>/table1`. Stopped and
 * run again, it goes on. Errors: those of `metaTrain` and `evaluateRuns`.
 */
export const reproduceTable1 = (
  what: Table1,
  complain: (line: string) => void,
): Program<EvaluationReport> =>
  F.pipe(
    trained(what, "ft", complain),
    RTE.flatMap((ft): Program<readonly [ft: string, ff: string]> =>
      F.pipe(trained(what, "ff", complain), RTE.map((ff) => [ft, ff] as const))
    ),
    RTE.flatMap(([ft, ff]): Program<EvaluationReport> =>
      evaluateRuns({
        runs: [{ label: "Ours-FF", run: ff }, { label: "Ours-FT", run: ft }],
        untrained: untrainedNames,
        protocol: what.protocol,
        judges: what.judges,
        seed: what.seed,
        out: `${what.out}/table1`,
      })
    ),
  );
