/**
 * The pipeline of meta-learning (section 3.2): from a dataset to a trained state, stage by stage.
 *
 * @module
 */
import type { Dataset } from "../../datasets/dataset.ts";
import { episodes } from "../../datasets/sample.ts";
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { prefetch, runFold, skipBadSamples, take, through } from "../core/flow.ts";
import { F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import { accounted, makeLedger } from "../core/ledger.ts";
import { landmarkMaps, toDevice } from "./device_batch.ts";
import { checkpoint, observe, type Session, stageNames } from "./observe.ts";
import { type Progress, startProgress } from "./progress.ts";

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** Samples that may be unreadable before a run gives up. */
const badSampleLimit = 1000;
/**
 * The stages of section 3.2, in its order, up to the last step of the run. After a rollback it
 * draws other episodes. Errors: those of the backend and the disk, `Data` where too many samples
 * cannot be read, `NonFinite` and `Diverged` where training dies, `Aborted`.
 */
export const learn = (
  dataset: Dataset,
  session: Session,
): Program<Progress> => {
  const { config, training, rollbacks } = session;
  const { shots, batch, accumulate, steps } = config.training, from = training.value.steps();
  return (env) => {
    const ledger = makeLedger();
    const rng = rollbacks === 0 ? env.rng : env.rng.fold("rollback").fold(rollbacks);
    return F.pipe(
      episodes(dataset, { shots, batch: batch * accumulate, from }), // a sequence, K frames, t
      skipBadSamples(badSampleLimit, dataset.name),
      through(landmarkMaps), // y = landmark image of x
      prefetch(2),
      take(steps - from),
      through(accounted(ledger, stageNames.upload)(toDevice(accumulate))),
      through(accounted(ledger, stageNames.step)(training.value.step)), // equations 1 to 6
      runFold(
        startProgress(env.now()),
        (progress: Progress, report) => observe({ ...session, ledger }, progress)(report),
      ),
    )({ ...env, rng });
  };
};

/** Saves what was learnt where a run is asked to stop, then stops. */
export const orSave = (session: Session) => <A>(program: Program<A>): Program<A> =>
  F.pipe(
    program,
    RTE.orElse((error): Program<A> =>
      error._tag === "Aborted" && session.training.value.steps() > 0
        ? F.pipe(checkpoint(session), RTE.flatMap(() => RTE.left(error)))
        : RTE.left(error)
    ),
  );
