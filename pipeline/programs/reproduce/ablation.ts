/**
 * The paper's ablation (appendix A.2, figure 6): what fine-tuning starts from and what it
 * minimises, changed one at a time, with the same seed, data and budget.
 *
 * @module
 */
import type { Env } from "../../core/env.ts";
import type { Err, PipelineError } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import { type Owned, owned } from "../../core/owned.ts";
import type { JudgeChoice } from "../evaluate/judges.ts";
import type { Protocol } from "../evaluate/protocol.ts";
import type { EvaluationReport } from "../evaluate.ts";
import { evaluateRuns } from "../evaluate_runs.ts";
import { paperStart } from "../few_shot_start.ts";
import type { FineTuneOptions } from "../fine_tune.ts";
import type { TrainedMethod } from "../method.ts";
import { fineTuned } from "../methods/headshot.ts";
import { loadModel } from "../trained_model.ts";
import type { RunConfig } from "../run_config.ts";
import { type Budget, budgetOf, type TableRun, trainedRun } from "./trained_runs.ts";

/** A way to fine-tune and what the table calls it. */
export type Variant = FineTuneOptions & { readonly name: string };

/** A run of meta-learning and the ways in which its people are fine-tuned. */
export interface AblatedRun {
  /** The run. */
  readonly run: TableRun;
  /** Rows of the table. */
  readonly variants: readonly [Variant, ...Variant[]];
}

/**
 * Without L_MCH, K = 1 as in the paper, where more shots were not stable: ê says nothing of the
 * rows of W then, so that W_NEW starts as the rows of W did.
 */
export const withoutMatch: AblatedRun = {
  run: { name: "no-match", overrides: { variant: "ff", training: { shots: 1 } } },
  variants: [{ name: "without the match term, new W", start: { ...paperStart, row: "new" } }],
};

/** The full method, and what is changed at fine-tuning only. L′_ADV is −D′ with L_FM (equation 4). */
export const withMatch: AblatedRun = {
  run: { name: "ft", overrides: { variant: "ft" } },
  variants: [
    { name: "random embedding", start: { ...paperStart, embedding: "shuffled" } },
    { name: "random ψ′", start: { ...paperStart, coefficients: "shuffled" } },
    { name: "without the adversarial term", settings: { adversarial: 0, featureMatching: 0 } },
    { name: "full method" },
  ],
};

/** The budget of both runs and the protocol of the table. */
export interface Ablation extends Budget {
  /** A finished run of the full method, where none is to be trained. */
  readonly full?: string;
  /** Who is evaluated. */
  readonly protocol: Protocol;
  /** Which networks judge. */
  readonly judges: JudgeChoice;
}

/**
 * The budget of an ablation of a finished run. `Config` where that is not one of the full method.
 */
export const ablationOf = (
  config: RunConfig,
  out: string,
): E.Either<Err<"Config">, Budget & { readonly full: string }> => {
  const { run, method, variant } = config;
  return method === "headshot" && variant === "ft"
    ? E.right({ ...budgetOf(config, out), full: run })
    : E.left({
      _tag: "Config",
      problems: [
        `Cannot take parts away from ${run}: it is a run of ${method}, variant ${variant}, ` +
        "expected one of headshot, variant ft",
      ],
    });
};

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

const loadVariants =
  ([first, ...others]: AblatedRun["variants"]) => (run: string): Program<Owned<TrainedMethod>> =>
    F.pipe(
      loadModel(run),
      RTE.map((model) =>
        owned<TrainedMethod>({
          source: model.hash,
          fewShot: [fineTuned(model, first), ...others.map((each) => fineTuned(model, each))],
        }, () => {})
      ),
    );

/**
 * Trains what is not trained yet, fine-tunes every person in every way, and writes table and grid
 * into `<out>/ablation`. Stopped and run again, it goes on. Errors: those of `metaTrain` and
 * `evaluateRuns`.
 */
export const reproduceAblation = (
  what: Ablation,
  complain: (line: string) => void,
): Program<EvaluationReport> => {
  const { full, protocol, judges, seed, out } = what;
  const label = "Ours";
  return F.pipe(
    full === undefined ? trainedRun(what, withMatch.run, complain) : RTE.right(full),
    RTE.flatMap((matched) =>
      F.pipe(
        trainedRun(what, withoutMatch.run, complain),
        RTE.flatMap((unmatched): Program<EvaluationReport> =>
          evaluateRuns({
            runs: [
              { label, run: unmatched, load: loadVariants(withoutMatch.variants) },
              { label, run: matched, load: loadVariants(withMatch.variants) },
            ],
            untrained: [],
            grid: "methods",
            references: [`${label}, full method`],
            ...{ protocol, judges, seed, out: `${out}/ablation` },
          })
        ),
      )
    ),
  );
};
