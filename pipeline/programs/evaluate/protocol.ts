/**
 * The paper's protocol (section 4.1): people never trained on; T frames to learn from out of the
 * first half of a sequence, hold-out frames out of the second, so that neighbours never stand on
 * both sides.
 *
 * @module
 */
import type { Dataset, Sequence } from "../../../datasets/dataset.ts";
import type { HasRng } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import { E } from "../../core/fp.ts";
import type { Frame } from "../../core/image.ts";
import type { Stage } from "../../core/stage.ts";
import { onePerIdentity, spread } from "../held_out.ts";

/** How many people, shots and hold-out frames an evaluation has. */
export interface Protocol {
  /** T: frames to learn a person from, one table a value. */
  readonly shots: readonly number[];
  /** At most so many people, one sequence each. The paper has 50. */
  readonly people: number;
  /** Hold-out frames of each. The paper has 32. */
  readonly frames: number;
  /** Stands for the preset's least number of updates of fine-tuning (`leastUpdates`). */
  readonly updates?: number;
  /** Stands for the preset's number of moved copies in fine-tuning; 0 is the paper's way. */
  readonly copies?: number;
}

/** What a protocol says of fine-tuning. */
export type FineTuningWay = Pick<Protocol, "updates" | "copies">;

/** A person whom an evaluation is about. */
export interface Subject {
  /** `<identity>/<video>`. */
  readonly key: string;
  /** Whose frames they are. */
  readonly sequence: Sequence;
  /** The values of T that the sequence is long enough for. */
  readonly shots: readonly number[];
}

/** A person who cannot be asked for a T: listed, not shortened. */
export interface TooShort {
  /** `<identity>/<video>`. */
  readonly key: string;
  /** The value of T. */
  readonly shots: number;
  /** Frames there are. */
  readonly frames: number;
  /** Frames there would have to be. */
  readonly needed: number;
}

/** Who is evaluated, and who is not and why. */
export interface Cast {
  /** Those who have frames enough for some T. */
  readonly subjects: readonly Subject[];
  /** Every T that somebody has not frames enough for. */
  readonly tooShort: readonly TooShort[];
}

const needed = (shots: number, frames: number): number => 2 * Math.max(shots, frames);

/**
 * Draws up to `people` held-out people, the same for the same seed, and says for which T each has
 * frames enough. `Data` where nobody has enough for any.
 */
export const drawCast = (
  protocol: Protocol,
): Stage<HasRng, Err<"Data">, Dataset, Cast> =>
(dataset) =>
({ rng }) =>
() => {
  const people = onePerIdentity(dataset.heldOut);
  const chosen = rng.fold("evaluated people").draw()
    .distinct(Math.min(protocol.people, people.length), people.length)
    .flatMap((at) => people[at] ?? []);
  const keyed = chosen.map((sequence) => ({
    key: `${sequence.identity}/${sequence.video}`,
    sequence,
  }));
  const enough = (sequence: Sequence, shots: number): boolean =>
    sequence.frames >= needed(shots, protocol.frames);
  const subjects = keyed.map(({ key, sequence }) => ({
    key,
    sequence,
    shots: protocol.shots.filter((shots) => enough(sequence, shots)),
  })).filter(({ shots }) => shots.length > 0);
  const tooShort = keyed.flatMap(({ key, sequence }) =>
    protocol.shots.filter((shots) => !enough(sequence, shots)).map((shots) => ({
      key,
      shots,
      frames: sequence.frames,
      needed: needed(shots, protocol.frames),
    }))
  );
  return Promise.resolve(
    subjects.length > 0 ? E.right({ subjects, tooShort }) : E.left({
      _tag: "Data",
      path: dataset.name,
      message: `Cannot evaluate on ${dataset.name}: none of ${chosen.length} held-out people has ` +
        `${needed(Math.min(...protocol.shots), protocol.frames)} frames, expected at least one`,
    }),
  );
};

/** The frames of a person for one T. */
export interface Question {
  /** Out of the first half. // [T] */
  readonly sources: readonly Frame[];
  /** Out of the second half. */
  readonly targets: readonly Frame[];
}

/** Reads the hold-out frames of a person and the sources for one T. */
export const askAbout = async (
  dataset: Dataset,
  { sequence }: Subject,
  shots: number,
  frames: number,
): Promise<E.Either<Err<"BadSample">, Question>> => {
  const half = Math.floor(sequence.frames / 2);
  const indices = [...spread(shots, 0, half), ...spread(frames, half, sequence.frames)];
  const read = await dataset.read(sequence, indices)();
  if (E.isLeft(read)) return read;
  return E.right({ sources: read.right.slice(0, shots), targets: read.right.slice(shots) });
};
