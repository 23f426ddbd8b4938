/**
 * Updates of a person's networks with looks at what they have learnt between (section 3.3).
 *
 * @module
 */
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { fromIterable, runFold, through } from "../core/flow.ts";
import { F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { Owned } from "../core/owned.ts";
import type { StepReport } from "./adversarial_step.ts";
import { type FewShotContext, type FewShotState, fewShotStep } from "./few_shot_step.ts";
import {
  drawBatches,
  type FewShotWatch,
  keepBest,
  type Look,
  lookAt,
  readReports,
  type Seen,
} from "./few_shot_watch.ts";

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** Updates from one look at the person to the next. */
const practise = (
  context: FewShotContext,
  state: Owned<FewShotState>,
  frames: number,
): Program<void> =>
(env) => {
  const from = state.value.step, start = env.now();
  const to = Math.min(context.steps, from + context.settings.watchEvery);
  const places = drawBatches(env.rng, { frames, batch: context.settings.batch, from, to });
  return F.pipe(
    fromIterable(places),
    through(fewShotStep(context, state)), // equations 9 and 10
    runFold(
      [] as readonly Owned<StepReport>[],
      (reports: readonly Owned<StepReport>[], report) => RTE.right([...reports, report]),
    ),
    RTE.flatMap((reports) => readReports(reports, (env.now() - start) / 1000)),
  )(env);
};

/** Practises and looks in turn until the steps are done, or nothing gets better. */
export const practiseAndLook = (
  context: FewShotContext,
  watch: FewShotWatch,
  state: Owned<FewShotState>,
  frames: number,
  seen: Seen,
): Program<Seen> =>
  state.value.step >= context.steps || seen.stale >= context.settings.patience
    ? RTE.right(seen)
    : F.pipe(
      practise(context, state, frames),
      RTE.flatMap((): Program<Look> => lookAt(watch, context.model, state)),
      RTE.flatMap((look): Program<Seen> => keepBest(watch, state, seen, look)),
      RTE.flatMap((next) => practiseAndLook(context, watch, state, frames, next)),
    );
