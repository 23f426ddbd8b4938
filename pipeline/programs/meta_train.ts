/**
 * Meta-learning (section 3.2) as a program: one pipe of typed stages.
 *
 * @module
 */
import { createFaceAnalyzer } from "../../backends/face.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { type ContentNetworks, loadContentNetworks } from "../../models/content_loss.ts";
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { Owned } from "../core/owned.ts";
import { bracket, type Stage } from "../core/stage.ts";
import { openRun, type RunFolder, writeResult } from "./checkpoint/run_folder.ts";
import { latestCheckpoint, loadCheckpoint } from "./checkpoint/load.ts";
import { calmed, readRollbacks, rollBack } from "./guard.ts";
import { drawHeldOut, type HeldOut } from "./held_out.ts";
import { type HeldOutFigures, measureHeldOut } from "./held_out_figures.ts";
import { learn, orSave } from "./learn.ts";
import { reenactNow, type Session } from "./observe.ts";
import { checkMemory } from "./memory_check.ts";
import type { MethodTraining, TrainableMethod } from "./method.ts";
import { trainable } from "./methods.ts";
import { openDataset } from "./open_dataset.ts";
import { presetOf, type RunConfig } from "./run_config.ts";

/** What a finished run says of itself; also in `result.json`. */
export interface RunResult {
  /** The folder of the run. */
  readonly run: string;
  /** Name of the preset. */
  readonly preset: string;
  /** Steps done in all. */
  readonly steps: number;
  /** Time that this part of the run took. */
  readonly seconds: number;
  /** What it was computed on. */
  readonly backend: string;
  /** Figures on people never trained on. */
  readonly heldOut: HeldOutFigures;
  /** How many people the figures are about. */
  readonly people: number;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** How many held-out people are watched while training goes on. */
const watchedPeople = 8;

const judge = (session: Session, heldOut: HeldOut): Program<HeldOutFigures> =>
  bracket(
    () => () => createFaceAnalyzer(),
    (faces) =>
      F.pipe(
        reenactNow(session.training, heldOut.trials),
        RTE.flatMap((made): Program<HeldOutFigures> => measureHeldOut(faces, heldOut)(made)),
      ),
    (faces) => faces.close(),
  )(undefined);

/** What does not change from one attempt at a run to the next. */
interface Attempt {
  readonly method: TrainableMethod;
  readonly config: RunConfig;
  readonly run: RunFolder;
  readonly dataset: Dataset;
  readonly heldOut: HeldOut;
  readonly content: ContentNetworks;
}

const startOrResume = (
  { method, config, run, dataset, content }: Attempt,
  rollbacks: number,
): Program<Owned<MethodTraining>> => {
  const { architecture, training } = presetOf(config);
  const preset = { architecture, training: calmed(training, rollbacks) };
  const setting = { name: config.preset, preset, sequences: dataset.train.length };
  const restored = F.pipe(
    loadCheckpoint(["weights", "state"])(run.path),
    RTE.flatMap(({ path, parts }): Program<Owned<MethodTraining>> =>
      method.restore(setting, content, { path, files: parts })
    ),
  );
  if (run.resumed) return restored;
  if (rollbacks === 0) return method.create(setting, content);
  return F.pipe( // a run that dies before its first checkpoint starts again
    latestCheckpoint(run.path),
    RTE.flatMap((found): Program<Owned<MethodTraining>> =>
      found ? restored : method.create(setting, content)
    ),
  );
};

const trainAndJudge = (
  { method, dataset, heldOut }: Attempt,
  session: Session,
): Program<RunResult> =>
(env) => {
  const { config, run, training } = session, { steps } = config.training, start = env.now();
  env.emit({
    _tag: "RunStarted",
    step: training.value.steps(),
    steps,
    backend: env.backend.device,
    parameters: method.parameters({
      name: config.preset,
      preset: presetOf(config),
      sequences: dataset.train.length,
    }),
  });
  return F.pipe(
    learn(dataset, session),
    orSave(session),
    RTE.flatMap(() => judge(session, heldOut)),
    RTE.map((figures): RunResult => ({
      run: run.path,
      preset: config.preset,
      steps,
      seconds: (env.now() - start) / 1000,
      backend: env.backend.device,
      heldOut: figures,
      people: heldOut.trials.length,
    })),
    RTE.tap((result) => () => writeResult(run, result)),
    RTE.tapIO(({ seconds }) => () =>
      env.emit({ _tag: "RunEnded", step: training.value.steps(), seconds })
    ),
  )(env);
};

/** Trains; where training dies, once more from the last checkpoint with smaller rates. */
const trainGuarded = (attempt: Attempt, rollbacks: number): Program<RunResult> =>
  F.pipe(
    bracket(
      () => startOrResume(attempt, rollbacks),
      (training: Owned<MethodTraining>): Program<RunResult> => {
        const { config, run, heldOut } = attempt;
        const watched = heldOut.trials.slice(0, watchedPeople);
        return trainAndJudge(attempt, { config, run, training, watched, rollbacks });
      },
      (training) => training[Symbol.dispose](),
    )(undefined),
    RTE.orElse((error): Program<RunResult> =>
      F.pipe(
        rollBack(attempt.run.path, error),
        RTE.flatMap(({ length }) => trainGuarded(attempt, length)),
      )
    ),
  );

const trainInRun = (
  what: Omit<Attempt, "content" | "run">,
): Stage<Env, PipelineError, RunFolder, RunResult> =>
(run) =>
  bracket(
    () => loadContentNetworks(what.config.training.content),
    (content: Owned<ContentNetworks>): Program<RunResult> =>
      F.pipe(
        RTE.fromTaskEither(() => readRollbacks(run.path)),
        RTE.flatMap(({ length }): Program<RunResult> =>
          trainGuarded({ ...what, run, content: content.value }, length)
        ),
      ),
    (content) => content[Symbol.dispose](),
  )(undefined);

/** Refuses what the device cannot hold; how much a rival takes is not known. */
const fits = (method: TrainableMethod, config: RunConfig): Program<unknown> =>
  method === trainable.headshot
    ? checkMemory(config.preset, presetOf(config))
    : RTE.right(undefined);

/** Settings that may differ when a run goes on. */
const mayChange = [
  "training.steps",
  "backend",
  "tickEvery",
  "gridEvery",
  "watchEvery",
  "checkpointEvery",
  "keep",
  "judge",
  "cache",
  "run",
];

/** What a script may bring of its own. */
export interface MetaTrainOptions {
  /** Goes on from the newest whole checkpoint of the run folder. */
  readonly resume?: boolean;
  /** Instead of what `config.data` names. */
  readonly dataset?: Dataset;
  /** Instead of what `config.method` names. */
  readonly method?: TrainableMethod;
}

/**
 * Meta-trains the three networks as the configuration says and measures them on people never
 * trained on. With `resume` it goes on from the newest whole checkpoint of the run folder. A step
 * that the device cannot hold is refused with `Config` before anything is made. Where it is
 * aborted it finishes the step, saves, and ends with `Aborted`; any other `PipelineError` can
 * end it too. `dataset` and `method` stand in for those that the configuration names.
 */
export const metaTrain = (
  config: RunConfig,
  { resume = false, dataset, method = trainable[config.method] }: MetaTrainOptions = {},
): Program<RunResult> =>
  F.pipe(
    fits(method, config),
    RTE.flatMap((): Program<Dataset> => dataset ? RTE.right(dataset) : openDataset(config)),
    RTE.flatMap((data): Program<RunResult> =>
      F.pipe(
        drawHeldOut(config.judge)(data),
        RTE.flatMap((heldOut): Program<RunResult> =>
          bracket(
            () => openRun({ path: config.run, config, resume, mayChange }),
            trainInRun({ method, config, dataset: data, heldOut }),
            (run) => run[Symbol.dispose](),
          )(undefined)
        ),
      )
    ),
  );
