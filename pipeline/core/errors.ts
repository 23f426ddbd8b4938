/**
 * Every expected failure of a pipeline, as one tagged union. A thrown exception is a bug; a value
 * of {@link PipelineError} is something that happens to users and ends as one sentence.
 *
 * @module
 */

/** The run was asked to stop (a signal, or the caller's `AbortSignal`). */
export interface Aborted {
  /** Its kind. */
  readonly _tag: "Aborted";
  /** Why, in words. */
  readonly reason: string;
  /** The signal that asked, where one did. */
  readonly signal?: "SIGINT" | "SIGTERM";
}

/** Why a clip or a photo cannot be used: a closed set, counted in reports. */
export const rejectReasons = [
  "unreadable",
  "no video",
  "too short",
  "no face",
  "several faces",
  "face too small",
  "face lost",
  "blurred",
  "duplicate",
] as const;
/** One of {@link rejectReasons}. */
export type RejectReason = typeof rejectReasons[number];

/** One sample of a dataset cannot be used; pipelines count it, report it and go on. */
export interface BadSample {
  /** Its kind. */
  readonly _tag: "BadSample";
  /** Which sample. */
  readonly key: string;
  /** Why, of a closed set. */
  readonly reason: RejectReason;
  /** What is so, and what was expected. */
  readonly message: string;
}

/** A loss or a gradient is NaN or infinite; the update of that step was not applied. */
export interface NonFinite {
  /** Its kind. */
  readonly _tag: "NonFinite";
  /** Steps done. */
  readonly step: number;
  /** Which loss or gradient. */
  readonly where: string;
}

/** Training has died: the generator collapsed, or returning to a checkpoint did not help. */
export interface Diverged {
  /** Its kind. */
  readonly _tag: "Diverged";
  /** Steps done. */
  readonly step: number;
  /** What is so, and what was expected. */
  readonly diagnosis: string;
}

/** The compute backend refused an operation. */
export interface BackendFailure {
  /** Its kind. */
  readonly _tag: "Backend";
  /** Which operation. */
  readonly op: string;
  /** What is so, and what was expected. */
  readonly message: string;
  /** What was thrown underneath. */
  readonly cause?: unknown;
}

/** The GPU went away in the middle of a run; the last checkpoint is good, resume from it. */
export interface DeviceLost {
  /** Its kind. */
  readonly _tag: "DeviceLost";
  /** What is so, and what was expected. */
  readonly message: string;
}

/** A checkpoint cannot be written or read. */
export interface CheckpointFailure {
  /** Its kind. */
  readonly _tag: "Checkpoint";
  /** Which file or folder. */
  readonly path: string;
  /** What is so, and what was expected. */
  readonly message: string;
  /** What was thrown underneath. */
  readonly cause?: unknown;
}

/** A file is not what its reader expects. */
export interface BadFile {
  /** Its kind. */
  readonly _tag: "BadFile";
  /** Which file or folder. */
  readonly path: string;
  /** What is so, and what was expected. */
  readonly message: string;
}

/** A dataset as a whole cannot be used (no folder, no face in any clip, too few frames). */
export interface DataFailure {
  /** Its kind. */
  readonly _tag: "Data";
  /** Which file or folder. */
  readonly path: string;
  /** What is so, and what was expected. */
  readonly message: string;
}

/** The configuration is wrong: every problem at once, each a sentence with its path. */
export interface BadConfig {
  /** Its kind. */
  readonly _tag: "Config";
  /** One sentence each. */
  readonly problems: readonly string[];
}

/** A program that is needed is not installed (ffmpeg). */
export interface ToolMissing {
  /** Its kind. */
  readonly _tag: "ToolMissing";
  /** Its name. */
  readonly tool: string;
  /** What is so, and what was expected. */
  readonly message: string;
}

/** Everything that can go wrong in a pipeline and is expected to. */
export type PipelineError =
  | Aborted
  | BadSample
  | NonFinite
  | Diverged
  | BackendFailure
  | DeviceLost
  | CheckpointFailure
  | BadFile
  | DataFailure
  | BadConfig
  | ToolMissing;

/** The member of {@link PipelineError} with that tag: `Err<"Backend">`. */
export type Err<Tag extends PipelineError["_tag"]> = Extract<PipelineError, { readonly _tag: Tag }>;

/** Says an error in one sentence (a configuration: one line a problem). */
export const renderError = (error: PipelineError): string => {
  switch (error._tag) {
    case "Aborted":
      return `Stopped: ${error.reason}`;
    case "BadSample":
      return `Cannot use ${error.key}: ${error.reason}, ${error.message}`;
    case "NonFinite":
      return `Cannot go on at step ${error.step}: ${error.where} is not finite`;
    case "Diverged":
      return `Cannot go on at step ${error.step}: ${error.diagnosis}`;
    case "Backend":
      return `Cannot compute ${error.op}: ${error.message}`;
    case "DeviceLost":
      return `Cannot go on: the GPU was lost (${error.message}), resume with --resume`;
    case "Checkpoint":
    case "BadFile":
    case "Data":
    case "ToolMissing":
      return error.message;
    case "Config":
      return error.problems.join("\n");
  }
};

/** The exit code of a command that ends with this error (README, "Exit codes"). */
export const exitCode = (error: PipelineError): number => {
  switch (error._tag) {
    case "Config":
      return 2;
    case "DeviceLost":
      return 75;
    case "Aborted":
      return error.signal === "SIGTERM" ? 143 : 130;
    default:
      return 1;
  }
};
