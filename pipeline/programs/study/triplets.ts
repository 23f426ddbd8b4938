/**
 * Who takes part in a user study and which pictures stand together (section 4.1): a fake of one
 * video of a person between real frames of two other videos of theirs, so that nobody finds it by
 * comparing it with the frame that it imitates.
 *
 * @module
 */
import type { Dataset, Sequence } from "../../../datasets/dataset.ts";
import type { HasRng } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import { F, RTE } from "../../core/fp.ts";
import type { Draw } from "../../core/rng.ts";
import type { Stage } from "../../core/stage.ts";
import { drawCast, type Protocol, type Subject } from "../evaluate/protocol.ts";

/** Why somebody, or a part of what was to be shown of them, is not in the study: a closed set. */
export type ExclusionReason =
  | "fewer than three videos"
  | "too few frames"
  | "unreadable frames"
  | "not answered";

/** What is not in the study: counted and listed, never a silent gap. */
export interface Exclusion {
  /** The person. */
  readonly person: string;
  /** Why, of a closed set. */
  readonly reason: ExclusionReason;
  /** What is so, in words. */
  readonly detail: string;
}

/** Somebody whom a study shows. */
export interface StudySubject extends Subject {
  /** Their other videos, of which the real frames are taken; at least two. */
  readonly others: readonly Sequence[];
}

/** Who is shown and who is not. */
export interface StudyCast {
  /** Those with three videos and frames enough for some T. */
  readonly subjects: readonly StudySubject[];
  /** Everybody else among those who were held out. */
  readonly excluded: readonly Exclusion[];
}

/** A triplet needs so many videos of one person: of the fake, and of each real frame. */
export const videosOfTriplet = 3;

/**
 * Draws whom a study shows, the same for the same seed. `Data` where nobody who was held out has
 * three videos, or frames enough.
 */
export const drawStudyCast = (
  protocol: Protocol,
): Stage<HasRng, Err<"Data">, Dataset, StudyCast> =>
(dataset) => {
  const videos = Map.groupBy(dataset.heldOut, ({ identity }) => identity);
  const videosOf = (person: string): readonly Sequence[] => videos.get(person) ?? [];
  const few = [...videos].filter(([, own]) => own.length < videosOfTriplet);
  if (few.length === videos.size) {
    return RTE.left({
      _tag: "Data",
      path: dataset.name,
      message: `Cannot build a study of ${dataset.name}: none of ${videos.size} held-out people ` +
        `has ${videosOfTriplet} videos, expected at least one`,
    });
  }
  const heldOut = dataset.heldOut.filter(({ identity }) =>
    videosOf(identity).length >= videosOfTriplet
  );
  return F.pipe(
    drawCast(protocol)({ ...dataset, heldOut }),
    RTE.map(({ subjects, tooShort }): StudyCast => ({
      subjects: subjects.map((subject) => {
        const { identity, video } = subject.sequence;
        return { ...subject, others: videosOf(identity).filter((other) => other.video !== video) };
      }),
      excluded: [
        ...few.map(([person, own]): Exclusion => ({
          person,
          reason: "fewer than three videos",
          detail: `${own.length} of ${videosOfTriplet} videos`,
        })),
        ...tooShort.map(({ key, shots, frames, needed }): Exclusion => ({
          person: key.slice(0, key.indexOf("/")),
          reason: "too few frames",
          detail: `${key}: ${frames} frames, T = ${shots} needs ${needed}`,
        })),
      ],
    })),
  );
};

/** A frame to be read. */
export interface RealFrame {
  /** Of which video. */
  readonly sequence: Sequence;
  /** Its number there. */
  readonly index: number;
}

/** The real frames of one triplet, of two different videos. */
export type RealPair = readonly [RealFrame, RealFrame];

/**
 * Draws the real frames of `count` triplets. No frame comes twice before every frame of its video
 * has come once: who sees a picture for the second time knows that it is real.
 */
export const drawReals = (
  others: readonly Sequence[],
  count: number,
  draw: Draw,
): readonly RealPair[] => {
  const left = new Map<Sequence, number[]>();
  const next = (sequence: Sequence): RealFrame => {
    const known = left.get(sequence) ?? [];
    const queue = known.length > 0 ? known : [...draw.distinct(sequence.frames, sequence.frames)];
    const index = queue.pop();
    if (index === undefined) throw new RangeError("Cannot draw a real frame: the video has none");
    left.set(sequence, queue);
    return { sequence, index };
  };
  return Array.from({ length: count }, () => {
    const [a, b] = draw.distinct(2, others.length).map((i) => others[i]);
    if (!a || !b) throw new RangeError("Cannot draw real frames: there are no two videos");
    return [next(a), next(b)] as const;
  });
};
