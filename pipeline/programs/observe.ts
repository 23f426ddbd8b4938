/**
 * What happens between steps: figures are read once a tick, unseen people are watched, pictures
 * and checkpoints are written, and what goes wrong is said while there is still time.
 *
 * @module
 */
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { E, F, RTE, TE } from "../core/fp.ts";
import { accounted, type Ledger } from "../core/ledger.ts";
import type { Owned } from "../core/owned.ts";
import { bracket, type Stage } from "../core/stage.ts";
import type { StepReport } from "./adversarial_step.ts";
import { type RunFolder } from "./checkpoint/run_folder.ts";
import { savePatiently } from "./checkpoint/save_patiently.ts";
import { rotateCheckpoints } from "./checkpoint/store.ts";
import { shuffledGap } from "./held_out_figures.ts";
import {
  collapseOf,
  deadDiagnosis,
  deadFor,
  isAlive,
  likenessOf,
  looksOf,
  type Pictures,
  wonFor,
  wonWarning,
} from "./health.ts";
import type { Trial } from "./held_out.ts";
import type { MethodTraining, TrainedMethod } from "./method.ts";
import { gapGrace, judge, type Progress, stagnates } from "./progress.ts";
import type { RunConfig } from "./run_config.ts";
import { writeGrid } from "./sample_grid.ts";
import { reenact, type Reenactment } from "./self_reenactment.ts";

/** What observing needs to know about the run. */
export interface Session {
  readonly config: RunConfig;
  readonly run: RunFolder;
  readonly training: Owned<MethodTraining>;
  /** How often the run has gone back to a checkpoint. */
  readonly rollbacks: number;
  /** The people that are watched while training goes on. */
  readonly watched: readonly Trial[];
}

/** What leaks are called by. */
export const stageNames = {
  upload: "upload of a batch",
  step: "training step",
  watching: "watching of unseen people",
  saving: "saving of a checkpoint",
} as const;

/** A session with the account of who keeps tensors. */
export interface Watched extends Session {
  readonly ledger: Ledger;
}

type Program<A> = RTE.ReaderTaskEither<Env, PipelineError, A>;

/** Steps in a row without a finite update after which a run gives up. */
export const nonFiniteLimit = 10;
const figuresOf = (names: readonly string[], values: Float32Array) =>
  Object.fromEntries(names.map((name, i) => [name, values[i] ?? NaN]));

/** Reads the figures of all steps since the last tick, at once. */
const tick = (
  { training, config, ledger }: Watched,
  progress: Progress,
): Program<Progress> =>
(env) =>
async () => {
  const { backend, emit, now } = env;
  // What a step has left on the device for later is settled by it too.
  const settled = await accounted(ledger, stageNames.step)(() => training.value.settle)(0)(env)();
  if (E.isLeft(settled)) return settled;
  const read = await backend.read(
    "figures",
    () => Promise.all(progress.reports.map(({ value }) => value.values.data<"float32">())),
  )();
  if (E.isLeft(read)) return read;
  const time = now(), seconds = (time - progress.since) / 1000 / progress.reports.length;
  let { nonFinite, won, dead } = progress;
  for (const [i, report] of progress.reports.entries()) {
    const { step, names } = report.value;
    const losses = figuresOf(names, read.right[i] ?? new Float32Array());
    report[Symbol.dispose]();
    emit({ _tag: "StepDone", step, seconds, losses });
    const bad = losses.generatorFinite === 0
      ? "the generator's loss or gradient"
      : losses.discriminatorFinite === 0
      ? "the discriminator's loss or gradient"
      : undefined;
    nonFinite = bad ? nonFinite + 1 : 0;
    won = wonFor(won, losses);
    dead = deadFor(dead, losses);
    const warning = wonWarning(won);
    if (warning) emit({ _tag: "Warning", step, message: warning });
    if (!bad) continue;
    emit({ _tag: "Warning", step, message: `Skipped an update: ${bad} is not finite` });
    if (nonFinite >= nonFiniteLimit) return E.left({ _tag: "NonFinite", step, where: bad });
  }
  const tensors = backend.tensors(), step = training.value.steps();
  const diagnosis = deadDiagnosis(dead);
  if (diagnosis) return E.left({ _tag: "Diverged", step, diagnosis });
  if (progress.tensors !== undefined && tensors > progress.tensors) {
    const most = ledger.largest();
    const named = most === undefined ? {} : { stage: most.stage };
    emit({ _tag: "LeakSuspected", step, tensors: tensors - progress.tensors, ...named });
  }
  // The first tick warms up: kernels and caches may keep tensors of their own from then on.
  const warm = step > config.tickEvery && progress.tensors === undefined;
  if (warm) ledger.clear();
  return E.right({
    ...progress,
    ...(warm ? { tensors } : {}),
    reports: [],
    since: time,
    nonFinite,
    won,
    dead,
  });
};

/** Self-reenactment of some people with the networks as they are now. */
export const reenactNow = (
  training: Owned<MethodTraining>,
  trials: readonly Trial[],
): Program<readonly Reenactment[]> =>
  bracket(
    () => training.value.trained,
    ({ value: { fewShot } }: Owned<TrainedMethod>) => reenact(fewShot[0])(trials),
    (trained) => trained[Symbol.dispose](),
  )(undefined);

const picturesOf = (made: readonly Reenactment[]): Pictures => ({
  outputs: made.flatMap(({ outputs }) => outputs),
  truths: made.flatMap(({ trial }) => trial.targets.map(({ image }) => image)),
});

/** Saves the state as a checkpoint and removes old ones. */
export const checkpoint = (
  { config, run, training }: Session,
  score?: number,
): Program<void> =>
  F.pipe(
    training.value.files,
    RTE.flatMap((files): Program<unknown> =>
      savePatiently(run)({
        ...files,
        step: training.value.steps(),
        seed: config.seed,
        architecture: config.preset,
        config,
        ...(score === undefined ? {} : { score }),
      })
    ),
    RTE.flatMap((): Program<unknown> => rotateCheckpoints(config.keep)(run)),
    RTE.map(() => undefined),
  );

const grid = (
  { run }: Session,
  step: number,
  made: readonly Reenactment[],
): Program<void> =>
({ emit }) =>
  TE.map((path: string) => emit({ _tag: "GridSaved", step, path }))(writeGrid(run, step, made));

/** Takes the report of a step and does what is due after it. */
export const observe = (session: Watched, progress: Progress): Stage<
  Env,
  PipelineError,
  Owned<StepReport>,
  Progress
> =>
(report) =>
(env) =>
async () => {
  const { config, ledger } = session, step = session.training.value.steps();
  const last = step >= config.training.steps;
  const due = (every: number): boolean => step % every === 0 || last;
  let now: Progress = { ...progress, reports: [...progress.reports, report] };
  const watch = due(config.watchEvery), draw = due(config.gridEvery);
  const save = due(config.checkpointEvery);
  if (!due(config.tickEvery) && !watch && !draw && !save) return E.right(now);

  const ticked = await tick(session, now)(env)();
  if (E.isLeft(ticked)) return ticked;
  now = ticked.right;
  if (watch || draw || save) { // what is saved has been looked at: a checkpoint is healthy
    const watching = () => reenactNow(session.training, session.watched);
    const made = await accounted(ledger, stageNames.watching)(watching)(0)(env)();
    if (E.isLeft(made)) return made;
    const pictures = picturesOf(made.right), collapse = collapseOf(pictures);
    if (collapse && (now.alive || step >= gapGrace)) {
      return E.left({ _tag: "Diverged", step, diagnosis: collapse });
    }
    now = { ...now, alive: now.alive || isAlive(pictures) };
    now = judge(now, step, shuffledGap(made.right), looksOf(pictures), env.emit);
    const stuck = stagnates(now, step, config.training.steps) ? likenessOf(pictures) : undefined;
    if (stuck) return E.left({ _tag: "Diverged", step, diagnosis: stuck });
    if (draw) {
      const drawn = await grid(session, step, made.right)(env)();
      if (E.isLeft(drawn)) { // a picture is not worth a run
        if (drawn.left._tag !== "Checkpoint") return drawn;
        env.emit({ _tag: "Warning", step, message: drawn.left.message });
      }
    }
  }
  // A discriminator that may be dying is not saved: a return to it would not help.
  if (save && (now.dead === 0 || last)) {
    const saving = () => checkpoint(session, now.best?.l1);
    const saved = await accounted(ledger, stageNames.saving)(saving)(0)(env)();
    if (E.isLeft(saved)) return saved;
  }
  return E.right({ ...now, since: env.now() });
};
