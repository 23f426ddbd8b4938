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
  /** What was seen of the watched people since the start or the last return. */
  readonly looks: readonly ReturnType<typeof shuffledGap>[];
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
  looks: [],
});

/** Below this gap another person's embedding does as well: the embedding is not in use. */
const leastGap = 0.02;
/** Steps before a small gap means something. */
export const gapGrace = 300;
/** Steps without a better L1 on unseen people after which learning has stopped. */
const patience = 500;

/** Looks that are needed to say that nothing improves, and the share that counts as better. */
const fewestLooks = 4, improvement = 0.01;
/** The part of a run before which a generator may still be about to learn. */
const slowStart = 0.1;

/**
 * Whether the second half of all looks was no better than the first and the embedding is not in use,
 * at a step at which a run of so many steps should have learnt something.
 */
export const stagnates = (
  { looks }: Pick<Progress, "looks">,
  step: number,
  steps: number,
): boolean => {
  if (step < Math.max(gapGrace, slowStart * steps) || looks.length < fewestLooks) return false;
  const half = looks.length >> 1;
  const best = (some: typeof looks): number => Math.min(...some.map(({ l1 }) => l1));
  const better = best(looks.slice(half)) < (1 - improvement) * best(looks.slice(0, half));
  return !better && looks.slice(half).every(({ gap }) => !(gap >= leastGap));
};

/** Tells the figures of a look at unseen people and what they mean; remembers the best. */
export const judge = (
  before: Progress,
  step: number,
  { l1, gap }: ReturnType<typeof shuffledGap>,
  looks: Figures,
  emit: HasEvents["emit"],
): Progress => {
  const progress = { ...before, looks: [...before.looks, { l1, gap }] };
  emit({
    _tag: "Evaluated",
    step,
    of: "unseen people",
    figures: { l1, shuffledGap: gap, ...looks },
  });
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
