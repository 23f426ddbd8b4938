/**
 * The adversarial step of section 3.2 as a stage: one update of E, G and P, then the updates of D
 * and W on the same frames, with the fake of that forward pass.
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import {
  type Batch,
  discriminatorGradients,
  generatorGradients,
  type GeneratorSide,
  type Model,
  rowsName,
  type SideGradients,
  type TermWeights,
} from "../../models/adversarial.ts";
import { adamUpdate } from "../../backends/ops.ts";
import { type ContentNetworks, prepareContent } from "../../models/content_loss.ts";
import {
  averageDecay,
  averageOver,
  averageTensors,
  finiteFlag,
  type Learner,
  paperAdam,
  totalSquaredNorm,
  updateAverage,
  updateLearner,
} from "../../models/optimiser.ts";
import { effectiveWeights, iterateSpectral, need } from "../../models/parameters.ts";
import type { Preset, Ramp, Training } from "../../models/presets.ts";
import { drawRows } from "../../models/row_table.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { F, RTE } from "../core/fp.ts";
import { mutate, type Owned } from "../core/owned.ts";
import type { Stage } from "../core/stage.ts";
import type { DeviceStep } from "./device_batch.ts";
import { rowBeta2, settleRows, type TrainState } from "./train_state.ts";

/** The figures of one step, still on the device: one number each. Read them once a tick. */
export interface StepReport {
  /** Steps done, this one included. */
  readonly step: number;
  /** What the figures are called: loss terms, norms of gradients, flags. */
  readonly names: readonly string[];
  /** The figures, in the order of the names. // [names.length] */
  readonly values: Tensor;
}

/** The value of a ramp at a step. */
export const rampAt = ({ start, end, from, to }: Ramp, step: number): number => {
  if (step < from) return start;
  return step >= to ? end : start + (end - start) * (step - from) / (to - from);
};

/** What both rates are multiplied by: 1 until `from` of the run, then linear down to `to`. */
export const rateFactor = (
  { steps, rateDecay }: Pick<Training, "steps" | "rateDecay">,
  step: number,
): number => {
  const start = rateDecay.from * steps;
  if (step <= start || start >= steps) return 1;
  return 1 + (rateDecay.to - 1) * Math.min(1, (step - start) / (steps - start));
};

const iterate = (learner: Learner): Learner => ({
  ...learner,
  network: { ...learner.network, spectral: iterateSpectral(learner.network) },
});

/** Finite where the loss and every gradient of a side are. // [] */
export const flagOf = (sides: readonly Pick<SideGradients, "loss">[], norm: Tensor): Tensor =>
  finiteFlag(sides.reduce<Tensor>((sum, { loss }) => tf.add(sum, loss), norm));

/** The terms of the whole batch: parts are of one size. */
export const meanTerms = (
  sides: readonly Pick<SideGradients, "terms">[],
): Readonly<Record<string, Tensor>> => averageTensors(sides.map(({ terms }) => terms));

/** The share of zeros among the embeddings: about half is normal, all is a dead embedder. */
const deadShare = (embeddings: readonly Tensor[]): Tensor => {
  const all = tf.concat([...embeddings], 0);
  return tf.mean(tf.where(tf.greater(all, 0), tf.zerosLike(all), tf.onesLike(all)));
};

interface DrawnOnDevice {
  readonly values: Tensor;
  readonly second: Tensor;
}

/** A part of a batch with what the generator made of it. */
type Made = Omit<GeneratorSide, "gradients"> & { readonly batch: Batch };

/** One update of D and of the drawn rows of W (equation 6). */
const discriminatorUpdate = (
  model: Model,
  learner: Learner,
  drawn: DrawnOnDevice,
  made: readonly Made[],
  rate: number,
  weights: TermWeights,
) => {
  const { sides, gradients } = averageOver(
    made,
    ({ batch, ...side }) =>
      discriminatorGradients(model, learner.network, batch, drawn.values, side, weights),
  );
  const norm = totalSquaredNorm(gradients), finite = flagOf(sides, norm);
  const next = updateLearner(learner, gradients, { rate, finite });
  const rows = adamUpdate(
    { parameter: drawn.values, gradient: need(gradients, rowsName), second: drawn.second },
    finite,
    { ...paperAdam, rate, step: next.updates },
  );
  return {
    learner: next,
    drawn: { values: rows.parameter, second: rows.second },
    terms: meanTerms(sides),
    norm,
    finite,
  };
};

const advance = (
  preset: Preset,
  content: ContentNetworks,
  state: TrainState,
  { step, rows, parts }: DeviceStep,
): readonly [TrainState, StepReport] => {
  const { architecture, training } = preset;
  const model = { architecture, pooling: training.pooling, gain: training.gain };
  const factor = rateFactor(training, step);
  const weights = {
    adversarial: training.adversarial,
    featureMatching: training.featureMatching,
    match: rampAt(training.match, step),
    matchRows: training.matchRows,
  };
  const needsDiscriminator = weights.adversarial !== 0 || weights.featureMatching !== 0;
  const host = drawRows(state.table, rows, state.discriminator.updates + 1, rowBeta2);
  const shape: [number, number] = [rows.length, architecture.embedding];
  let drawn: DrawnOnDevice = {
    values: tf.tensor2d(host.values, shape),
    second: tf.tensor2d(host.second, shape),
  };

  const generator = iterate(state.generator);
  let discriminator = iterate(state.discriminator);
  const judge = effectiveWeights(discriminator.network);
  const { sides: made, gradients } = averageOver(
    parts,
    (batch) => ({
      batch,
      ...generatorGradients(
        model,
        generator.network,
        judge,
        batch,
        drawn.values,
        prepareContent(content, batch.target),
        weights,
      ),
    }),
  );
  const norm = totalSquaredNorm(gradients), finite = flagOf(made, norm);
  const moved = updateLearner(generator, gradients, {
    rate: training.generatorRate * factor,
    finite,
  });

  const figures: Record<string, Tensor> = {
    ...meanTerms(made),
    generatorGradient: tf.sqrt(norm),
    generatorFinite: finite,
    deadUnits: deadShare(made.map(({ embedding }) => embedding)),
  };
  for (let k = 0; k < (needsDiscriminator ? training.discriminatorSteps : 0); k++) {
    if (k > 0) discriminator = iterate(discriminator);
    const rate = training.discriminatorRate * factor;
    const updated = discriminatorUpdate(model, discriminator, drawn, made, rate, weights);
    discriminator = updated.learner;
    drawn = updated.drawn;
    Object.assign(figures, updated.terms, {
      discriminatorGradient: tf.sqrt(updated.norm),
      discriminatorFinite: updated.finite,
    });
  }

  const decay = averageDecay(state.step, training.averageDecay);
  const next: TrainState = {
    step: step + 1,
    generator: moved,
    discriminator,
    average: updateAverage(state.average, moved.network.parameters, decay),
    table: state.table,
    pending: needsDiscriminator
      ? [...state.pending, { rows, ...drawn, update: discriminator.updates }]
      : state.pending,
  };
  const names = Object.keys(figures);
  return [next, {
    step: step + 1,
    names,
    values: tf.stack(names.map((name) => need(figures, name).asScalar())),
  }];
};

/**
 * Updates the state in place by one step of meta-learning (section 3.2) and consumes the batch.
 * A loss or gradient that is not finite changes no parameter: the report's flags tell.
 */
export const adversarialStep = (
  preset: Preset,
  content: ContentNetworks,
  state: Owned<TrainState>,
): Stage<HasBackend, Err<"Backend" | "DeviceLost">, Owned<DeviceStep>, Owned<StepReport>> =>
(batch) =>
(env) =>
async () => {
  using input = batch;
  const { rows } = input.value;
  const waiting = state.value.pending.some((pending) =>
    pending.rows.some((row) => rows.includes(row))
  );
  return await F.pipe(
    waiting ? settleRows(state) : RTE.right(undefined),
    RTE.flatMap(() =>
      mutate(
        "adversarial step",
        (now: TrainState) => advance(preset, content, now, input.value),
      )(state)
    ),
  )(env)();
};
