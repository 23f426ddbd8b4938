/**
 * What a dataset is to the rest of the project: people, their sequences, and a way to read frames
 * that are already cropped and carry landmarks.
 *
 * @module
 */
import type { TaskEither } from "../pipeline/core/fp.ts";
import type { Err } from "../pipeline/core/errors.ts";
import type { Frame } from "../pipeline/core/image.ts";

/** All clips of one video of one person, pooled: the paper's sequence i, one row of W. */
export interface Sequence {
  /** Whose face it shows. */
  readonly identity: string;
  /** Which of their videos; unique within the identity. */
  readonly video: string;
  /** How many frames can be read; at least K + 1 to be of use. */
  readonly frames: number;
}

/** Somebody of whom no frame can be read. */
export interface LostPerson {
  /** Whose face is not there. */
  readonly identity: string;
  /** Why, in words. */
  readonly problem: string;
}

/** People split by identity: nobody stands on both sides. */
export interface Dataset {
  /** For people and for `config.json`: "synthetic", or a folder. */
  readonly name: string;
  /** Side of the square frames in pixels. */
  readonly size: number;
  /** Sequences to learn from; the place in the list is the row of W. */
  readonly train: readonly Sequence[];
  /** Sequences of people never trained on. */
  readonly heldOut: readonly Sequence[];
  /** Who would be held out, were there a frame of theirs: an evaluation names them. */
  readonly lost?: readonly LostPerson[];
  /** Reads frames of a sequence by index, in the order asked for. */
  readonly read: (
    sequence: Sequence,
    indices: readonly number[],
  ) => TaskEither<Err<"BadSample">, readonly Frame[]>;
}

/** One draw of meta-learning (section 3.2): K source frames and a target that is none of them. */
export interface Episode {
  /** Position of the sequence in `Dataset.train`: its row of W. */
  readonly row: number;
  /** The sequence that was drawn. */
  readonly sequence: Sequence;
  /** What ê is averaged over. // [K] */
  readonly sources: readonly Frame[];
  /** The frame to be synthesised from its landmarks. */
  readonly target: Frame;
}
