/**
 * pix2pixHD learns one person: all its networks are trained further, on the T frames (40 epochs in the
 * paper's comparison).
 *
 * @module
 */
import { type Tensor, tf } from "../../../backends/tf.ts";
import {
  allJudgeParameters,
  paint,
  paintParameters,
  type Pix2pixHDArchitecture,
  pix2pixhdSizes,
} from "../../../models/baselines/pix2pixhd.ts";
import type { PaintBatch } from "../../../models/baselines/pix2pixhd_game.ts";
import type { BaselineParameter } from "../../../models/baselines/parameters.ts";
import { type ContentNetworks, loadContentNetworks } from "../../../models/content_loss.ts";
import {
  exactUpdates,
  type FineTuning,
  fineTunings,
  fineTuningSteps,
  leastUpdates,
  partsOf,
} from "../../../models/fine_tuning.ts";
import { createLearner } from "../../../models/optimiser.ts";
import { need, plainWeights, type Tensors } from "../../../models/parameters.ts";
import type { Env } from "../../core/env.ts";
import type { PipelineError } from "../../core/errors.ts";
import { fromIterable, runFold, through } from "../../core/flow.ts";
import { F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import type { Frame } from "../../core/image.ts";
import { mutate, type Owned, owned, upload } from "../../core/owned.ts";
import { bracket } from "../../core/stage.ts";
import { rateFactor } from "../adversarial_step.ts";
import { imagesToTensor, mapFrame } from "../device_batch.ts";
import { planPractice, type PracticePlan } from "../few_shot_plan.ts";
import { drawBatches } from "../few_shot_watch.ts";
import type { FewShot, LearntPerson } from "../method.ts";
import type { RunConfig } from "../run_config.ts";
import { renderFrames } from "./baseline_model.ts";
import { baselineAdam, type BaselineState, copyWeights } from "./baseline_state.ts";
import { advancePaint } from "./pix2pixhd_step.ts";

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** A person whose frames are painted with some weights, which must outlive it. */
export const painting = (sizes: Pix2pixHDArchitecture, weights: Tensors): LearntPerson => ({
  render: renderFrames((frames): Tensor =>
    paint(
      plainWeights(weights),
      sizes,
      imagesToTensor(frames.map((frame) => mapFrame(frame).map)),
    )
  ),
});

/** The networks before the first update, with moments of their own. */
const startTuning = (sizes: Pix2pixHDArchitecture) =>
  upload("a person's networks", (weights: Tensors): BaselineState => {
    const learner = (parameters: readonly BaselineParameter[]) =>
      createLearner({
        parameters: Object.fromEntries(
          parameters.map(({ name }) => [name, tf.clone(need(weights, name))]),
        ),
        spectral: {},
      }, baselineAdam);
    return {
      step: 0,
      learners: {
        generator: learner(paintParameters(sizes)),
        discriminators: learner(allJudgeParameters(sizes)),
      },
      running: {},
    };
  });

const uploadFrames = upload("a person's frames", (frames: readonly Frame[]): PaintBatch => ({
  frames: imagesToTensor(frames.map(({ image }) => image)),
  landmarks: imagesToTensor(frames.map((frame) => mapFrame(frame).map)),
}));

const practise = (
  { preset }: RunConfig,
  { settings, frames: { length }, steps }: PracticePlan,
  content: ContentNetworks,
  data: Owned<PaintBatch>,
  state: Owned<BaselineState>,
): Program<void> =>
(env) => {
  const sizes = pix2pixhdSizes[preset];
  const drawn = { frames: length, batch: settings.batch, from: 0, to: steps };
  const one = (chosen: readonly number[]) =>
    mutate("fine-tuning step", (now: BaselineState) => {
      const { frames, landmarks } = data.value;
      const parts = partsOf(chosen, settings).map((part): PaintBatch => {
        const places = tf.tensor1d([...part], "int32");
        return { frames: tf.gather(frames, places), landmarks: tf.gather(landmarks, places) };
      });
      const factor = rateFactor({ steps, rateDecay: settings.rateDecay }, now.step);
      return advancePaint(
        {
          sizes,
          content,
          weights: settings,
          rates: {
            generator: settings.generatorRate * factor,
            discriminators: settings.discriminatorRate * factor,
          },
        },
        now,
        parts,
      );
    })(state);
  return F.pipe(
    fromIterable(drawBatches(env.rng, drawn)),
    through(one),
    runFold(undefined, (_: void, report) => {
      report[Symbol.dispose]();
      return RTE.right<Env, PipelineError, void>(undefined);
    }),
  )(env);
};

/** All networks, trained further on T frames, with as many updates as the preset says. */
export const tuning = (config: RunConfig, weights: Tensors): FewShot => {
  const sizes = pix2pixhdSizes[config.preset];
  const tune = (
    plan: PracticePlan,
    content: ContentNetworks,
    data: Owned<PaintBatch>,
  ): Program<Owned<LearntPerson>> =>
    bracket(
      startTuning(sizes),
      (state: Owned<BaselineState>): Program<Owned<LearntPerson>> =>
        F.pipe(
          practise(config, plan, content, data, state),
          RTE.flatMap(() => copyWeights(state)),
          RTE.map((own) => owned(painting(sizes, own.value), () => own[Symbol.dispose]())),
        ),
      (state) => state[Symbol.dispose](),
    )(weights);
  const learn = (settings: FineTuning): FewShot["learn"] => (frames) => (env) => {
    const plan = planPractice(env.rng, settings, frames);
    return F.pipe(
      plan.frames,
      bracket(
        uploadFrames,
        (data: Owned<PaintBatch>): Program<Owned<LearntPerson>> =>
          bracket(
            () => loadContentNetworks(config.training.content),
            (content: Owned<ContentNetworks>) => tune(plan, content.value, data),
            (content) => content[Symbol.dispose](),
          )(undefined),
        (data) => data[Symbol.dispose](),
      ),
    )(env);
  };
  const usual = fineTunings[config.preset];
  return {
    name: "fine-tuned",
    learn: learn(usual),
    practice: {
      updates: (frames, least) =>
        fineTuningSteps({ ...usual, ...(least && leastUpdates(least)) }, frames),
      learn: (updates, copies = usual.movedCopies) =>
        learn({ ...usual, ...exactUpdates(updates), movedCopies: copies }),
    },
  };
};
