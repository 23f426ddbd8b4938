/**
 * Frame sampling of meta-learning (section 3.2): which sequences a step sees, and which frames of
 * each are sources and which one is the target. All of it is a function of (seed, step).
 *
 * @module
 */
import { E, type Either, F, TE } from "../pipeline/core/fp.ts";
import type { HasRng } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import type { Flow } from "../pipeline/core/flow.ts";
import type { Rng } from "../pipeline/core/rng.ts";
import { type Stage, stage } from "../pipeline/core/stage.ts";
import type { Dataset, Episode, Sequence } from "./dataset.ts";

/** A sequence of which frames are to be drawn, and which draw of it this is. */
export interface EpisodeRequest {
  /** Where frames are read from. */
  readonly dataset: Dataset;
  /** Position of the sequence in `dataset.train`. */
  readonly row: number;
  /** The sequence itself. */
  readonly sequence: Sequence;
  /** The training step, 0 by default; another step draws other frames. */
  readonly step?: number;
  /** The place within the batch, 0 by default; another place draws other frames. */
  readonly place?: number;
}

/** The episodes of one training step. */
export interface StepEpisodes {
  /** Number of the step, from 0. */
  readonly step: number;
  /** One a place of the batch. */
  readonly episodes: readonly Episode[];
}

const positiveInteger = (what: string, n: number): number => {
  if (Number.isInteger(n) && n > 0) return n;
  throw new RangeError(`Cannot sample ${n} ${what}: expected a positive integer`);
};

const tooShort = (key: string, message: string): Err<"BadSample"> => ({
  _tag: "BadSample",
  key,
  reason: "too short",
  message,
});

/**
 * Draws K = `shots` source frames and a target that is none of them from one sequence, uniformly
 * without replacement (section 3.2), from the stream ("frames", step, place, row). Errors:
 * `BadSample` "too short" where the sequence has fewer than K + 1 frames, and those of
 * `dataset.read`.
 *
 * @example
 * ```ts
 * import { sampleFrames } from "./sample.ts";
 * import { makeRng } from "../pipeline/core/rng.ts";
 * import type { Dataset } from "./dataset.ts";
 *
 * const sequence = { identity: "ada", video: "1", frames: 2 };
 * const dataset: Dataset = {
 *   name: "none", size: 64, train: [sequence], heldOut: [],
 *   read: () => () => Promise.reject("not reached"),
 * };
 * const drawn = await sampleFrames({ shots: 2 })({ dataset, row: 0, sequence })({ rng: makeRng(1) })();
 * if (drawn._tag === "Right" || drawn.left.reason !== "too short") throw new Error("unexpected");
 * ```
 */
export const sampleFrames = (
  { shots }: { readonly shots: number },
): Stage<HasRng, Err<"BadSample">, EpisodeRequest, Episode> => {
  positiveInteger("source frames", shots);
  return stage(({ dataset, row, sequence, step = 0, place = 0 }) => ({ rng }) => {
    const key = `${sequence.identity}/${sequence.video}`;
    if (sequence.frames < shots + 1) {
      return TE.left(
        tooShort(key, `it has ${sequence.frames} frames, expected at least ${shots + 1}`),
      );
    }
    const indices = rng.fold("frames").fold(step).fold(place).fold(row).draw()
      .distinct(shots + 1, sequence.frames);
    return F.pipe(
      dataset.read(sequence, indices),
      TE.flatMap((frames) => {
        const [target, ...sources] = frames;
        return target === undefined || sources.length !== shots
          ? TE.left(tooShort(key, `${frames.length} of ${shots + 1} frames could be read`))
          : TE.right({ row, sequence, sources, target });
      }),
    );
  });
};

/** Row number `k` of an endless walk in which every `rows` steps visit each row exactly once. */
const makeWalk = (rng: Rng, rows: number): (k: number) => number => {
  let order: readonly number[] = [], orderOf = -1; // of one epoch: a pure function of its number
  return (k) => {
    const epoch = Math.floor(k / rows);
    if (epoch !== orderOf) {
      order = rng.fold("sequences").fold(epoch).draw().distinct(rows, rows);
      orderOf = epoch;
    }
    return order[k % rows] ?? 0;
  };
};

/**
 * The endless stream of training steps from step `from` on, each with `batch` episodes of `shots`
 * source frames. Every sequence of `dataset.train` is visited once an epoch, in an order of its
 * own; what step t holds is a function of (seed, t), so a run that goes on `from` t draws what the
 * uninterrupted one would have drawn. A sequence that cannot be read is told as a `BadSample` and
 * replaced by another one in the same step.
 */
export const episodes = (
  dataset: Dataset,
  options: { readonly shots: number; readonly batch: number; readonly from?: number },
): Flow<HasRng, Err<"BadSample">, StepEpisodes> => {
  const { shots, batch, from = 0 } = options;
  positiveInteger("episodes a step", batch);
  const sample = sampleFrames({ shots });
  const rows = dataset.train.length;
  return async function* (r): AsyncGenerator<Either<Err<"BadSample">, StepEpisodes>> {
    if (rows === 0) {
      yield E.left(tooShort(dataset.name, "it has no sequence to train on, expected at least 1"));
      return;
    }
    const walk = makeWalk(r.rng, rows);
    for (let step = from;; step++) {
      const drawn: Episode[] = [];
      for (let attempt = 0; drawn.length < batch;) {
        const place = drawn.length;
        const row = attempt === 0
          ? walk(step * batch + place)
          : r.rng.fold("replacement").fold(step).fold(place).fold(attempt).draw().integer(rows);
        const sequence = dataset.train[row];
        if (sequence === undefined) throw new RangeError(`Cannot find row ${row} of ${rows}`);
        const episode = await sample({ dataset, row, sequence, step, place })(r)();
        if (E.isRight(episode)) {
          drawn.push(episode.right);
          attempt = 0;
        } else {
          attempt++;
          yield episode;
        }
      }
      yield E.right({ step, episodes: drawn });
    }
  };
};
