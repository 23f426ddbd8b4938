/**
 * How long learning a person and painting a frame of them take, within a budget of time.
 *
 * @module
 */
import { tf } from "../../../backends/tf.ts";
import { abortedBy } from "../../core/abort.ts";
import type { Env } from "../../core/env.ts";
import type { PipelineError } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import type { Frame } from "../../core/image.ts";
import type { Owned } from "../../core/owned.ts";
import { bracket } from "../../core/stage.ts";
import { median } from "../../core/timing.ts";
import type { FewShot, LearntPerson, Practice } from "../method.ts";

/** How much is measured. */
export interface Effort {
  /** Timed iterations of a cell, where the budget allows for so many; 100 in the paper. */
  readonly iterations: number;
  /** No iteration of a cell starts after so many seconds, the first one excepted. */
  readonly seconds: number;
}

/** What was measured. */
export interface Timing {
  /** The median. */
  readonly seconds: number;
  /** How many times it is the median of. */
  readonly iterations: number;
  /** Whether a whole learning was too long: the times are projected from short ones. */
  readonly projected: boolean;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** Untimed iterations and seconds before a cell that is quick: compilers work while code is hot. */
const warmUps = 3, warmSeconds = 1;

/** Updates of the short learnings of which a long one is projected. */
const short = 2, longer = 6;

/** Runs something until it was run often enough or the budget is spent; at least `least` times. */
const repeat = (once: Program<number>, { iterations, seconds }: Effort, least = 1) => {
  const all: Program<readonly number[]> = (env) => async () => {
    const times: number[] = [], end = env.now() + 1000 * seconds;
    do {
      if (env.signal.aborted) return E.left(abortedBy(env.signal));
      const time = await once(env)();
      if (E.isLeft(time)) return time;
      times.push(time.right);
    } while (times.length < least || (times.length < iterations && env.now() < end));
    return E.right(times);
  };
  return all;
};

const summarised = (projected: boolean) => (times: readonly number[]): Timing => ({
  seconds: median(times),
  iterations: times.length,
  projected,
});

/** Numbers enough that the device makes them itself: reading them waits for all before them. */
const markSize = 4096;

const waitForDevice: Program<void> = ({ backend }) => async () => {
  const mark = await backend.run("a mark", () => tf.fill([markSize], 1))();
  if (E.isLeft(mark)) return mark;
  const read = await backend.read("a mark", () => mark.right.data())();
  backend.dispose(mark.right);
  return E.map(() => undefined)(read);
};

const secondsOf = (work: Program<unknown>): Program<number> => (env) => async () => {
  const start = env.now();
  const done = await F.pipe(work, RTE.flatMap(() => waitForDevice))(env)();
  return E.map(() => (env.now() - start) / 1000)(done);
};

const timeOnce = (learn: FewShot["learn"], frames: readonly Frame[]): Program<number> =>
  secondsOf(
    bracket(
      () => learn(frames),
      (): Program<void> => RTE.right(undefined),
      (person: Owned<LearntPerson>) => person[Symbol.dispose](),
    )(undefined),
  );

/** What `updates` updates take, by what few and some more take. */
const project = (practice: Practice, frames: readonly Frame[], updates: number): Program<number> =>
  F.pipe(
    timeOnce(practice.learn(short), frames),
    RTE.flatMap((few) =>
      F.pipe(
        timeOnce(practice.learn(longer), frames),
        RTE.map((more) => few + (updates - short) * Math.max(0, more - few) / (longer - short)),
      )
    ),
  );

const timePractice = (
  { learn }: FewShot,
  practice: Practice,
  frames: readonly Frame[],
  effort: Effort,
): Program<Timing> => {
  const updates = practice.updates(frames.length);
  const whole = F.pipe(repeat(timeOnce(learn, frames), effort), RTE.map(summarised(false)));
  const warm = timeOnce(practice.learn(short), frames);
  if (updates <= longer) return F.pipe(warm, RTE.flatMap(() => whole));
  const guess = project(practice, frames, updates);
  return F.pipe(
    warm,
    RTE.flatMap(() => guess),
    RTE.flatMap((seconds) =>
      seconds <= effort.seconds ? whole : F.pipe(repeat(guess, effort), RTE.map(summarised(true)))
    ),
  );
};

const timeWarm = (once: Program<number>, effort: Effort): Program<Timing> =>
  F.pipe(
    repeat(
      once,
      { iterations: Infinity, seconds: Math.min(warmSeconds, effort.seconds / 10) },
      warmUps,
    ),
    RTE.flatMap(() => repeat(once, effort)),
    RTE.map(summarised(false)),
  );

/**
 * From T frames in memory to a person who can be driven; the device is waited for. A learning that
 * alone is longer than the budget is projected from short ones.
 */
export const timeLearning = (
  fewShot: FewShot,
  frames: readonly Frame[],
  effort: Effort,
): Program<Timing> =>
  fewShot.practice
    ? timePractice(fewShot, fewShot.practice, frames, effort)
    : timeWarm(timeOnce(fewShot.learn, frames), effort);

/** From one driving frame in memory to a picture in memory, the person being there. */
export const timeFrame = (
  { learn, practice }: FewShot,
  sources: readonly Frame[],
  driving: Frame,
  effort: Effort,
): Program<Timing> =>
  bracket(
    () => (practice?.learn(short) ?? learn)(sources),
    (person: Owned<LearntPerson>): Program<Timing> =>
      timeWarm(secondsOf(person.value.render([driving])), effort),
    (person) => person[Symbol.dispose](),
  )(undefined);
