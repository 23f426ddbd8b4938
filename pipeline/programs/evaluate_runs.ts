/**
 * Evaluation of runs on the disk: which method each holds, which people none of them has seen.
 *
 * @module
 */
import type { Dataset } from "../../datasets/dataset.ts";
import type { Env } from "../core/env.ts";
import { readConfigFile } from "../core/config_file.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import { type Owned, owned } from "../core/owned.ts";
import { bracket } from "../core/stage.ts";
import { landmarkJudge } from "../metrics/following.ts";
import type { NamedMethod } from "./evaluate/answers.ts";
import type { JudgeChoice } from "./evaluate/judges.ts";
import type { Protocol } from "./evaluate/protocol.ts";
import { evaluate, type Evaluation, type EvaluationReport } from "./evaluate.ts";
import type { TalkingHeadMethod } from "./method.ts";
import { methods, trainable } from "./methods.ts";
import { openDataset } from "./open_dataset.ts";
import { draftRunConfig, presetOf, type RunConfig } from "./run_config.ts";

/** A run with the name that its rows start with. */
export interface LabelledRun {
  /** What the table calls it. */
  readonly label: string;
  /** The run's folder. */
  readonly run: string;
  /** Which of its ways to learn a person are asked, by name; all by default. */
  readonly only?: readonly string[];
  /** How it is loaded, where people are learnt in other ways than the run's method has. */
  readonly load?: TalkingHeadMethod["load"];
}

/** Which runs are evaluated, on whom, and where the results go. */
export interface RunsEvaluation {
  /** Side by side; all of one size. At least one. */
  readonly runs: readonly LabelledRun[];
  /** Methods that need no training, by name. */
  readonly untrained: readonly string[];
  /** "synthetic" or a folder; default: that of the first run. */
  readonly data?: string;
  /** Where crops of a folder are kept; default: as in the first run. */
  readonly cache?: string;
  /** How many people, shots and frames. */
  readonly protocol: Protocol;
  /** Which networks judge. */
  readonly judges: JudgeChoice;
  /** Where all randomness starts. */
  readonly seed: number;
  /** The folder of the results. */
  readonly out: string;
  /** Whose answers the grids show; everybody's by default. */
  readonly grid?: Evaluation["grid"];
  /** The answers that are subtracted from all others; by default the copied nearest frame. */
  readonly references?: readonly string[];
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

const bad = (problem: string): Err<"Config"> => ({ _tag: "Config", problems: [problem] });

/** The configuration that a run was trained with. */
export const configOf = ({ run }: LabelledRun): Program<RunConfig> =>
  F.pipe(
    RTE.fromTaskEither<PipelineError, unknown, Env>(readConfigFile(`${run}/config.json`)),
    RTE.flatMap((settings) => RTE.fromEither(draftRunConfig({ ...(settings as object), run }))),
  );

const checkSizes = (
  runs: readonly LabelledRun[],
  configs: readonly RunConfig[],
): E.Either<Err<"Config">, RunConfig> => {
  const sizes = configs.map((config) => presetOf(config).architecture.size);
  const [first] = configs;
  if (!first) return E.left(bad("Cannot evaluate: no run is named, expected at least one"));
  const odd = sizes.findIndex((size) => size !== sizes[0]);
  return odd < 0 ? E.right(first) : E.left(bad(
    `Cannot evaluate side by side: ${runs[0]?.run} makes frames of ${sizes[0]} pixels, ` +
      `${runs[odd]?.run} of ${sizes[odd]}, expected one size`,
  ));
};

/** Loads every run and every untrained method; the caller owns them all. */
export const loadAll = (
  { runs, untrained }: Pick<RunsEvaluation, "runs" | "untrained">,
  configs: readonly RunConfig[],
): Program<Owned<readonly NamedMethod[]>> =>
(env) =>
async () => {
  const loaded: NamedMethod[] = [];
  const free = () => loaded.forEach(({ trained }) => trained[Symbol.dispose]());
  const wanted = [
    ...runs.flatMap(({ label, run, only, load }, i) => {
      const config = configs[i];
      return config
        ? [{ label, run, only, method: load ? { load } : trainable[config.method] }]
        : [];
    }),
    ...methods.filter(({ name }) => untrained.includes(name))
      .map((method) => ({ label: method.name, run: "", only: undefined, method })),
  ];
  for (const { label, run, only, method } of wanted) {
    const trained = await method.load(run)(env)();
    if (E.isLeft(trained)) {
      free();
      return trained;
    }
    loaded.push({ label, trained: trained.right, ...(only && { only }) });
  }
  return E.right(owned(loaded, free));
};

/** The people that the first run's split holds out, at the size that all runs have. */
export const openCommon = (
  { runs, data, cache, protocol: { shots, frames } }: Pick<
    RunsEvaluation,
    "runs" | "data" | "cache" | "protocol"
  >,
  configs: readonly RunConfig[],
): Program<Dataset> =>
  F.pipe(
    RTE.fromEither<PipelineError, RunConfig, Env>(checkSizes(runs, configs)),
    RTE.flatMap((first) =>
      openDataset(
        { ...first, data: data ?? first.data, cache: cache ?? first.cache },
        { frames: 2 * Math.max(frames, ...shots), heldOut: "test" },
      )
    ),
  );

const evaluationOf = (
  { protocol, judges, seed, out, grid, references }: RunsEvaluation,
  dataset: Dataset,
  methods: readonly NamedMethod[],
): Evaluation => {
  const sources = methods.map(({ label, trained, only }) => ({
    label,
    source: trained.value.source,
    ...(only && { only }),
  }));
  // How many people is no setting: more of them go on where fewer were done.
  const { people: _, ...asked } = protocol;
  const settings = {
    ...{ data: dataset.name, protocol: asked, judges, seed, methods: sources },
    landmarks: landmarkJudge,
  };
  const shown = { ...(grid && { grid }), ...(references && { references }) };
  return { dataset, protocol, judges, methods, out, settings, ...shown };
};

/**
 * Evaluates runs and untrained methods on people that the first run's split holds out. Errors:
 * `Config` (no run, sizes that differ, `out` of another evaluation), and those of `evaluate`.
 */
export const evaluateRuns = (what: RunsEvaluation): Program<EvaluationReport> =>
  F.pipe(
    what.runs,
    RTE.traverseSeqArray(configOf),
    RTE.flatMap((configs): Program<EvaluationReport> =>
      F.pipe(
        openCommon(what, configs),
        RTE.flatMap((dataset) =>
          bracket(
            () => loadAll(what, configs),
            (named: Owned<readonly NamedMethod[]>) =>
              evaluate(evaluationOf(what, dataset, named.value)),
            (named) => named[Symbol.dispose](),
          )(undefined)
        ),
      )
    ),
  );
