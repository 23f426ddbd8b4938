/**
 * Meta-learning (section 3.2) as a program: one pipe of typed stages.
 *
 * @module
 */
import { createFaceAnalyzer } from "../../backends/face.ts";
import { episodes } from "../../datasets/sample.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { type ContentNetworks, loadContentNetworks } from "../../models/content_loss.ts";
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { prefetch, runFold, skipBadSamples, take, through } from "../core/flow.ts";
import { F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { Owned } from "../core/owned.ts";
import { bracket, type Stage } from "../core/stage.ts";
import { openRun, type RunFolder, writeResult } from "./checkpoint/run_folder.ts";
import { loadCheckpoint } from "./checkpoint/load.ts";
import { landmarkMaps, toDevice } from "./device_batch.ts";
import { drawHeldOut, type HeldOut } from "./held_out.ts";
import { type HeldOutFigures, measureHeldOut } from "./held_out_figures.ts";
import {
  checkpoint,
  observe,
  type Progress,
  reenactNow,
  type Session,
  startProgress,
} from "./observe.ts";
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

/** Samples that may be unreadable before a run gives up. */
const badSampleLimit = 1000;
/** How many held-out people are watched while training goes on. */
const watchedPeople = 8;

/** The stages of section 3.2, in its order. */
const learn = (
  dataset: Dataset,
  session: Session,
): Program<Progress> => {
  const { config, training } = session;
  const { shots, batch, accumulate, steps } = config.training, from = training.value.steps();
  return (env) =>
    F.pipe(
      episodes(dataset, { shots, batch: batch * accumulate, from }), // a sequence, K frames, t
      skipBadSamples(badSampleLimit, dataset.name),
      through(landmarkMaps), // y = landmark image of x
      prefetch(2),
      take(steps - from),
      through(toDevice(accumulate)),
      through(training.value.step), // equations 1 to 6
      runFold(
        startProgress(env.now()),
        (progress: Progress, report) => observe(session, progress)(report),
      ),
    )(env);
};

/** Saves what was learnt where a run is asked to stop, then stops. */
const orSave = (session: Session) => <A>(program: Program<A>): Program<A> =>
  F.pipe(
    program,
    RTE.orElse((error): Program<A> =>
      error._tag === "Aborted" && session.training.value.steps() > 0
        ? F.pipe(checkpoint(session), RTE.flatMap(() => RTE.left(error)))
        : RTE.left(error)
    ),
  );

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

const startOrResume = (
  method: TrainableMethod,
  config: RunConfig,
  run: RunFolder,
  sequences: number,
  content: ContentNetworks,
): Program<Owned<MethodTraining>> => {
  const setting = { name: config.preset, preset: presetOf(config), sequences };
  if (!run.resumed) return method.create(setting, content);
  return F.pipe(
    loadCheckpoint(["weights", "state"])(run.path),
    RTE.flatMap(({ path, parts }): Program<Owned<MethodTraining>> =>
      method.restore(setting, content, { path, files: parts })
    ),
  );
};

const trainAndJudge = (
  method: TrainableMethod,
  dataset: Dataset,
  heldOut: HeldOut,
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

const trainInRun = (
  method: TrainableMethod,
  config: RunConfig,
  dataset: Dataset,
  heldOut: HeldOut,
): Stage<Env, PipelineError, RunFolder, RunResult> =>
(run) =>
  bracket(
    () => loadContentNetworks(config.training.content),
    (content: Owned<ContentNetworks>): Program<RunResult> =>
      bracket(
        () => startOrResume(method, config, run, dataset.train.length, content.value),
        (training: Owned<MethodTraining>): Program<RunResult> => {
          const watched = heldOut.trials.slice(0, watchedPeople);
          return trainAndJudge(method, dataset, heldOut, { config, run, training, watched });
        },
        (training) => training[Symbol.dispose](),
      )(undefined),
    (content) => content[Symbol.dispose](),
  )(undefined);

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
 * trained on. With `resume` it goes on from the newest whole checkpoint of the run folder. Where
 * it is aborted it finishes the step, saves, and ends with `Aborted`; any other `PipelineError` can
 * end it too. `dataset` and `method` stand in for those that the configuration names.
 */
export const metaTrain = (
  config: RunConfig,
  { resume = false, dataset, method = trainable[config.method] }: MetaTrainOptions = {},
): Program<RunResult> =>
  F.pipe(
    dataset ? RTE.right(dataset) : openDataset(config),
    RTE.flatMap((data): Program<RunResult> =>
      F.pipe(
        drawHeldOut(config.judge)(data),
        RTE.flatMap((heldOut): Program<RunResult> =>
          bracket(
            () => openRun({ path: config.run, config, resume, mayChange }),
            trainInRun(method, config, data, heldOut),
            (run) => run[Symbol.dispose](),
          )(undefined)
        ),
      )
    ),
  );
