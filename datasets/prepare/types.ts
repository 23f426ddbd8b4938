/**
 * What is known of a prepared dataset beside its pictures.
 *
 * @module
 */
import type { RejectReason } from "../../pipeline/core/errors.ts";

/** The parts of a prepared dataset; nobody is in two of them. */
export type Split = "train" | "validation" | "test";

/** A clip that is not in the dataset, and why. */
export interface Rejected {
  /** `<identity>/<video>/<clip>`. */
  readonly key: string;
  /** Why, of a closed set. */
  readonly reason: RejectReason;
  /** What is so, and what was expected. */
  readonly message: string;
}

/** Everything that the bytes of a prepared dataset depend on, besides the videos. */
export interface PreparedSettings {
  /** Side of the square frames in pixels. */
  readonly size: number;
  /** Frames a second of clips of ten seconds and more. */
  readonly fps: number;
  /** At most so many frames a clip. */
  readonly frames: number;
  /** At least so many frames a sequence. */
  readonly minFrames: number;
  /** How frames are stored. */
  readonly format: "jpeg" | "webp";
  /** Of JPEG or WebP, 1 to 100. */
  readonly quality: number;
  /** The part of the people to validate with. */
  readonly validation: number;
  /** The part of the people to test with. */
  readonly test: number;
  /** About so many clips a shard. */
  readonly clipsPerShard: number;
}

/** How much a part of a dataset holds. */
export interface Counts {
  /** People. */
  readonly identities: number;
  /** Videos of them. */
  readonly sequences: number;
  /** Clips of the videos. */
  readonly clips: number;
  /** Frames of the clips. */
  readonly frames: number;
}

/** A shard as the index knows it. */
export interface IndexedShard {
  /** Of its files, without their extensions. */
  readonly name: string;
  /** The part that it belongs to. */
  readonly split: Split;
  /** Clips in it. */
  readonly clips: number;
  /** Frames in it. */
  readonly frames: number;
  /** Its size. */
  readonly bytes: number;
  /** Its SHA-256 in hex. */
  readonly sha256: string;
  /** The SHA-256 of its list. */
  readonly list: string;
}

/** The index of a prepared dataset. */
export interface PreparedIndex {
  /** Its kind and version. */
  readonly format: "headshot-prepared-1";
  /** How it was prepared. */
  readonly settings: PreparedSettings;
  /** How much of whom. */
  readonly splits: Readonly<Record<Split, Counts>>;
  /** Clips that are not in it. */
  readonly rejected: number;
  /** All shards, in order. */
  readonly shards: readonly IndexedShard[];
}
