/**
 * The paper's table 1 at a scale that the machine allows: the rivals and both variants of ours
 * trained with the same seed, data and steps (FF twice as many, as in the paper), then evaluated
 * side by side.
 *
 * @module
 */
import type { Env } from "../../core/env.ts";
import type { PipelineError } from "../../core/errors.ts";
import { F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import { copied } from "../evaluate/differences.ts";
import type { JudgeChoice } from "../evaluate/judges.ts";
import type { Protocol } from "../evaluate/protocol.ts";
import type { EvaluationReport } from "../evaluate.ts";
import { evaluateRuns, type LabelledRun } from "../evaluate_runs.ts";
import { untrainedNames } from "../methods.ts";
import { type Budget, stepsOf, type TableRun, trainedRun } from "./trained_runs.ts";

/** The budget and the protocol of the table; FF takes twice the steps of the others. */
export interface Table1 extends Budget {
  /** Who is evaluated. */
  readonly protocol: Protocol;
  /** Which networks judge. */
  readonly judges: JudgeChoice;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** A row or two of the table: a run, and how a person is learnt with it. */
interface Contestant extends TableRun {
  /** What the table calls it. */
  readonly label: string;
  /** The ways to learn a person that the paper shows of it. */
  readonly only: readonly string[];
}

/** The rivals, and both variants of ours, in the order of the paper's table. */
const contestants = (budget: Budget): readonly Contestant[] => [
  { label: "X2Face", name: "x2face", overrides: { method: "x2face" }, only: ["feed-forward"] },
  {
    label: "Pix2pixHD",
    name: "pix2pixhd",
    overrides: { method: "pix2pixhd" },
    only: ["fine-tuned"],
  },
  {
    label: "Ours-FF",
    name: "ff",
    overrides: { variant: "ff", training: { steps: 2 * stepsOf(budget) } },
    only: ["feed-forward"],
  },
  {
    label: "Ours-FT",
    name: "ft",
    overrides: { variant: "ft" },
    only: ["feed-forward", "fine-tuned"],
  },
];

/**
 * Trains what is not trained yet, evaluates, and writes the table into `<out>/table1`. Stopped and
 * run again, it goes on. Errors: those of `trainedRun` and `evaluateRuns`.
 */
export const reproduceTable1 = (
  what: Table1,
  complain: (line: string) => void,
): Program<EvaluationReport> =>
  F.pipe(
    contestants(what),
    RTE.traverseSeqArray(({ label, only, ...run }: Contestant): Program<LabelledRun> =>
      F.pipe(trainedRun(what, run, complain), RTE.map((run) => ({ label, run, only })))
    ),
    RTE.flatMap((runs): Program<EvaluationReport> =>
      evaluateRuns({
        runs,
        untrained: untrainedNames,
        protocol: what.protocol,
        judges: what.judges,
        references: [copied, "Ours-FT, fine-tuned"],
        seed: what.seed,
        out: `${what.out}/table1`,
      })
    ),
  );
