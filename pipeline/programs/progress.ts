/**
 * What a run remembers from step to step, and what it concludes from its looks at unseen people.
 *
 * @module
 */
import type { HasEvents } from "../core/env.ts";
import type { Figures } from "../core/events.ts";
import type { Owned } from "../core/owned.ts";
import type { StepReport } from "./adversarial_step.ts";
import type { shuffledGap } from "./held_out_figures.ts";

/** What is remembered from step to step. */
export interface Progress {
  readonly reports: readonly Owned<StepReport>[];
  /** Time of the last tick, in milliseconds. */
  readonly since: number;
  /** Tensors alive after warm-up: more later is a leak. */
  readonly tensors?: number;
  /** Steps in a row of which an update was not finite. */
  readonly nonFinite: number;
  /** Steps in a row in which the discriminator has told everything apart. */
  readonly won: number;
  /** Steps in a row in which the discriminator had a loss and no gradient. */
  readonly dead: number;
  /** Whether the generator has ever painted more than one flat colour. */
  readonly alive: boolean;
  /** The best L1 on the watched people and the step at which it was seen. */
  readonly best?: { readonly l1: number; readonly step: number };
}

/** Starts remembering. */
export const startProgress = (now: number): Progress => ({
  reports: [],
  since: now,
  nonFinite: 0,
  won: 0,
  dead: 0,
  alive: false,
});

/** Below this gap another person's embedding does as well: the embedding is not in use. */
const leastGap = 0.02;
/** Steps before a small gap means something. */
export const gapGrace = 300;
/** Steps without a better L1 on unseen people after which learning has stopped. */
const patience = 500;

/** Tells the figures of a look at unseen people and what they mean; remembers the best. */
export const judge = (
  progress: Progress,
  step: number,
  { l1, gap }: ReturnType<typeof shuffledGap>,
  looks: Figures,
  emit: HasEvents["emit"],
): Progress => {
  emit({ _tag: "Evaluated", step, figures: { l1, shuffledGap: gap, ...looks } });
  if (step >= gapGrace && gap < leastGap) {
    const percent = (100 * gap).toFixed(1);
    const message = "The embedding is not in use: with another person's the L1 is only " +
      `${percent} % worse; lower the match weight or start again with another seed`;
    emit({ _tag: "Warning", step, message });
  }
  if (!progress.best || l1 < progress.best.l1) return { ...progress, best: { l1, step } };
  if (step - progress.best.step >= patience) {
    const message = "Learning has stopped: the L1 on unseen people has not improved since step " +
      `${progress.best.step} (${progress.best.l1.toFixed(4)})`;
    emit({ _tag: "Warning", step, message });
  }
  return progress;
};
