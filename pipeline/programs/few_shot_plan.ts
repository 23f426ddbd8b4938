/**
 * What is practised on when a person is learnt: the frames, moved copies beside them, and for
 * how long. Every method that fine-tunes plans alike.
 *
 * @module
 */
import { besideMoved } from "../../datasets/moved.ts";
import { copiesOfEach, type FineTuning, fineTuningSteps } from "../../models/fine_tuning.ts";
import type { Frame } from "../core/image.ts";
import type { Rng } from "../core/rng.ts";

/** A plan of practice. */
export interface PracticePlan {
  /** As asked for, with batches of at most T. */
  readonly settings: FineTuning;
  /** What batches are drawn from: the T frames, or each as often as it has moved copies. */
  readonly frames: readonly Frame[];
  /** How many updates. */
  readonly steps: number;
}

/** Plans how T frames are learnt; the same stream and settings give the same plan. */
export const planPractice = (
  rng: Rng,
  asked: FineTuning,
  frames: readonly Frame[],
): PracticePlan => {
  const copies = copiesOfEach(asked, frames.length);
  return {
    settings: { ...asked, batch: Math.min(asked.batch, frames.length) },
    frames: copies > 0 ? besideMoved(rng.fold("moved copies"), frames, copies) : frames,
    steps: fineTuningSteps(asked, frames.length),
  };
};
