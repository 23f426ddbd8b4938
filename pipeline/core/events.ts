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
  | {
    readonly _tag: "RunStarted";
    readonly step: number;
    readonly steps: number;
    readonly backend: string;
    readonly parameters: Figures;
  }
  | {
    readonly _tag: "StepDone";
    readonly step: number;
    readonly seconds: number;
    readonly losses: Figures;
  }
  | { readonly _tag: "SampleSkipped"; readonly error: BadSample }
  | { readonly _tag: "CheckpointSaved"; readonly step: number; readonly path: string }
  | { readonly _tag: "CheckpointSkipped"; readonly path: string; readonly message: string }
  | { readonly _tag: "GridSaved"; readonly step: number; readonly path: string }
  | { readonly _tag: "Evaluated"; readonly step: number; readonly figures: Figures }
  | { readonly _tag: "Warning"; readonly step: number; readonly message: string }
  | { readonly _tag: "LeakSuspected"; readonly step: number; readonly tensors: number }
  | {
    readonly _tag: "Progress";
    readonly what: string;
    readonly done: number;
    readonly of: number;
  }
  | { readonly _tag: "RunEnded"; readonly step: number; readonly seconds: number };
