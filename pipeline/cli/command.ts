/**
 * What a command of the command line is.
 *
 * @module
 */
import type { PipelineError } from "../core/errors.ts";
import type { E } from "../core/fp.ts";
import type { Option, Parsed } from "./options.ts";

/** What a command ends with: `json` for `--json`, `text` for people (json where there is none). */
export interface Outcome {
  readonly json: unknown;
  readonly text?: string;
  /** The exit code where it is not 0 although there is something to print. */
  readonly code?: number;
}

/** One command. */
export interface Command {
  readonly name: string;
  readonly about: string;
  readonly options: readonly Option[];
  readonly example: string;
  readonly run: (parsed: Parsed) => Promise<E.Either<PipelineError, Outcome>>;
}
