/**
 * One step of pix2pixHD, in training and in fine-tuning: the generator, then the discriminators on
 * the same frames.
 *
 * @module
 */
import { tf } from "../../../backends/tf.ts";
import type { Pix2pixHDArchitecture } from "../../../models/baselines/pix2pixhd.ts";
import {
  judgeGradients,
  type PaintBatch,
  paintGradients,
} from "../../../models/baselines/pix2pixhd_game.ts";
import type { SideGradients, TermWeights } from "../../../models/adversarial.ts";
import { type ContentNetworks, prepareContent } from "../../../models/content_loss.ts";
import {
  averageOver,
  type Learner,
  totalSquaredNorm,
  updateLearner,
} from "../../../models/optimiser.ts";
import { need } from "../../../models/parameters.ts";
import { flagOf, meanTerms, type StepReport } from "../adversarial_step.ts";
import { baselineAdam, type BaselineState, learnerOf } from "./baseline_state.ts";

/** What a step is done with, beside the state. */
export interface PaintStep {
  readonly sizes: Pix2pixHDArchitecture;
  readonly content: ContentNetworks;
  readonly weights: Pick<TermWeights, "adversarial" | "featureMatching">;
  /** Adam's rates of this step. */
  readonly rates: { readonly generator: number; readonly discriminators: number };
}

const update = (
  learner: Learner,
  { sides, gradients }: ReturnType<typeof averageOver<unknown, SideGradients>>,
  rate: number,
) => {
  const norm = totalSquaredNorm(gradients);
  const finite = flagOf(sides, norm);
  return {
    learner: updateLearner(learner, gradients, { rate, finite, adam: baselineAdam }),
    terms: meanTerms(sides),
    norm: tf.sqrt(norm),
    finite,
  };
};

/**
 * One update of each side, on batches whose gradients are averaged. A loss or gradient that is not
 * finite changes no parameter: the report's flags tell.
 */
export const advancePaint = (
  { sizes, content, weights, rates }: PaintStep,
  state: BaselineState,
  parts: readonly PaintBatch[],
): readonly [BaselineState, StepReport] => {
  const generator = learnerOf(state, "generator"), judges = learnerOf(state, "discriminators");
  const { parameters } = judges.network;
  const made = averageOver(parts, (batch) => ({
    batch,
    ...paintGradients(
      sizes,
      generator.network.parameters,
      parameters,
      batch,
      prepareContent(content, batch.frames),
      weights,
    ),
  }));
  const painted = update(generator, made, rates.generator);
  const judged = update(
    judges,
    averageOver(made.sides, ({ batch, fake }) => judgeGradients(sizes, parameters, batch, fake)),
    rates.discriminators,
  );
  const figures = {
    ...painted.terms,
    ...judged.terms,
    generatorGradient: painted.norm,
    generatorFinite: painted.finite,
    discriminatorGradient: judged.norm,
    discriminatorFinite: judged.finite,
  };
  const names = Object.keys(figures), step = state.step + 1;
  return [
    {
      ...state,
      step,
      learners: { generator: painted.learner, discriminators: judged.learner },
    },
    {
      step,
      names,
      values: tf.stack(names.map((name) => need(figures, name).asScalar())),
    },
  ];
};
