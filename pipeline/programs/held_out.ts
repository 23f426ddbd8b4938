/**
 * Trials on people never trained on: source frames from the first half of a sequence, targets
 * from the second, so that neighbouring frames never stand on both sides.
 *
 * @module
 */
import type { Dataset, Sequence } from "../../datasets/dataset.ts";
import type { HasRng } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, RTE } from "../core/fp.ts";
import type { Frame, Landmarks } from "../core/image.ts";
import type { Stage } from "../core/stage.ts";

/** One held-out person: K frames to learn from and frames to be synthesised. */
export interface Trial {
  /** Whose frames they are. */
  readonly sequence: Sequence;
  /** Frames to embed, of the first half. // [K] */
  readonly sources: readonly Frame[];
  /** Frames to be synthesised, of the second half. */
  readonly targets: readonly Frame[];
}

/** How many people, source frames and targets a set of trials has. */
export interface TrialSizes {
  /** At most so many trials. */
  readonly people: number;
  /** K: source frames of a trial. */
  readonly shots: number;
  /** Frames to be synthesised in a trial. */
  readonly targets: number;
}

const distance = (a: Landmarks, b: Landmarks): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0);

/** The frame whose landmarks are closest to a target's. Throws where there are none: a bug. */
export const nearestFrame = (frames: readonly Frame[], target: Frame): Frame =>
  frames.reduce((best, frame) =>
    distance(frame.landmarks, target.landmarks) < distance(best.landmarks, target.landmarks)
      ? frame
      : best
  );

/** Positions spread evenly over a range, each in the middle of its part. */
export const spread = (count: number, from: number, to: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => Math.floor(from + (i + 0.5) * (to - from) / count));

/** One sequence for each identity, the same for the same seed. */
export const onePerIdentity = (sequences: readonly Sequence[]): readonly Sequence[] =>
  [
    ...new Map([...sequences].reverse().map((sequence) => [sequence.identity, sequence])).values(),
  ].reverse();

/**
 * Draws trials, one for each of up to `people` held-out identities. Sequences too short for the
 * halves are passed over; `Data` where none is left.
 */
export const drawTrials = (
  sizes: TrialSizes,
): Stage<HasRng, Err<"Data">, Dataset, readonly Trial[]> =>
(dataset) =>
({ rng }) =>
async () => {
  const usable = onePerIdentity(dataset.heldOut).filter(({ frames }) =>
    Math.floor(frames / 2) >= Math.max(sizes.shots, sizes.targets)
  );
  const chosen = rng.fold("held-out people").draw()
    .distinct(Math.min(sizes.people, usable.length), usable.length);
  const trials: Trial[] = [];
  for (const at of chosen) {
    const sequence = usable[at];
    if (!sequence) continue;
    const half = Math.floor(sequence.frames / 2);
    const indices = [
      ...spread(sizes.shots, 0, half),
      ...spread(sizes.targets, half, sequence.frames),
    ];
    const frames = await dataset.read(sequence, indices)();
    if (E.isLeft(frames)) continue;
    trials.push({
      sequence,
      sources: frames.right.slice(0, sizes.shots),
      targets: frames.right.slice(sizes.shots),
    });
  }
  return trials.length >= 2 ? E.right(trials) : E.left({
    _tag: "Data",
    path: dataset.name,
    message: `Cannot evaluate on ${dataset.name}: ${trials.length} held-out people have at least ` +
      `${2 * Math.max(sizes.shots, sizes.targets)} frames, expected 2`,
  });
};

/** The mean picture of some training frames: the answer of somebody who saw nobody. */
export const meanTrainingFrame = (
  frames: number,
): Stage<HasRng, Err<"Data">, Dataset, Frame["image"]> =>
(dataset) =>
({ rng }) =>
async () => {
  const draw = rng.fold("mean frame").draw();
  const sums = new Float64Array(dataset.size * dataset.size * 3);
  let read = 0;
  for (let i = 0; i < frames && dataset.train.length > 0; i++) {
    const sequence = draw.pick(dataset.train);
    const frame = await dataset.read(sequence, [draw.integer(sequence.frames)])();
    if (E.isLeft(frame)) continue;
    for (const { image } of frame.right) {
      image.data.forEach((value, k) => sums[k] = (sums[k] ?? 0) + value);
      read++;
    }
  }
  if (read === 0) {
    return E.left({
      _tag: "Data",
      path: dataset.name,
      message: `Cannot average frames of ${dataset.name}: none could be read`,
    });
  }
  const data = Uint8Array.from(sums, (sum) => Math.round(sum / read));
  return E.right({ width: dataset.size, height: dataset.size, channels: 3, data });
};

/** Trials and the mean training frame: what one evaluation needs of a dataset. */
export interface HeldOut {
  /** One for each person. */
  readonly trials: readonly Trial[];
  /** The mean of frames of the training people. */
  readonly mean: Frame["image"];
}

/**
 * Draws everything an evaluation needs, once a run: the same for the same seed. `Data` where fewer
 * than two held-out people have enough frames, or no training frame can be read.
 */
export const drawHeldOut = (
  sizes: TrialSizes,
): Stage<HasRng, Err<"Data">, Dataset, HeldOut> =>
(dataset) =>
  RTE.flatMap((trials: readonly Trial[]) =>
    RTE.map((mean: Frame["image"]): HeldOut => ({ trials, mean }))(
      meanTrainingFrame(256)(dataset),
    )
  )(drawTrials(sizes)(dataset));
