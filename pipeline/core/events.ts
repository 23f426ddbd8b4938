/**
 * What a run tells while it goes: a closed union, written to `events.jsonl`, shown on a terminal,
 * collected by tests.
 *
 * @module
 */
import type { BadSample } from "./errors.ts";

/** Named figures of a step or of an evaluation. */
export type Figures = Readonly<Record<string, number>>;

/** Something that happened in a run. */
export type TrainEvent =
  /** Training begins, or goes on, after `step` of `steps` steps; how many numbers it trains. */
  | {
    readonly _tag: "RunStarted";
    readonly step: number;
    readonly steps: number;
    readonly backend: string;
    readonly parameters: Figures;
  }
  /** One step of training, its time and its losses. */
  | {
    readonly _tag: "StepDone";
    readonly step: number;
    readonly seconds: number;
    readonly losses: Figures;
  }
  /** A sample cannot be used. */
  | { readonly _tag: "SampleSkipped"; readonly error: BadSample }
  /** A checkpoint is whole and on the disk. */
  | { readonly _tag: "CheckpointSaved"; readonly step: number; readonly path: string }
  /** A checkpoint is not whole: the one before it is taken. */
  | { readonly _tag: "CheckpointSkipped"; readonly path: string; readonly message: string }
  /** A picture of samples is written. */
  | { readonly _tag: "GridSaved"; readonly step: number; readonly path: string }
  /** Figures of a look at what was painted: of people never trained on, or of a person's photo. */
  | {
    readonly _tag: "Evaluated";
    readonly step: number;
    readonly of: "unseen people" | "a held-out photo" | "a photo that is learnt";
    readonly figures: Figures;
  }
  /** Something that a person should look at. */
  | { readonly _tag: "Warning"; readonly step: number; readonly message: string }
  /** Training had died at `step`: it goes on from the last checkpoint with smaller rates. */
  | {
    readonly _tag: "RolledBack";
    readonly step: number;
    readonly reason: string;
    readonly rollbacks: number;
  }
  /** So many tensors are alive that were not after the warm-up; `stage` has left the most. */
  | {
    readonly _tag: "LeakSuspected";
    readonly step: number;
    readonly tensors: number;
    readonly stage?: string;
  }
  /** Work other than training: `done` of `of` clips, say. */
  | {
    readonly _tag: "Progress";
    readonly what: string;
    readonly done: number;
    readonly of: number;
  }
  /** The run is over. */
  | { readonly _tag: "RunEnded"; readonly step: number; readonly seconds: number };
