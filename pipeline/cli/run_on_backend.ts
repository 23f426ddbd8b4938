/**
 * What every command that computes has around it: a backend, signals, events for people.
 *
 * @module
 */
import { type BackendChoice, selectBackend } from "../../backends/select.ts";
import { type Env, makeEnv } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { E, type TaskEither } from "../core/fp.ts";
import { withSignals } from "../core/signals.ts";
import { say, terminalSink } from "./terminal.ts";

/** Where plans of a GPU are kept, so that a run that is resumed computes as it did before. */
const planFile = ".cache/webgpu_plans.json";

/**
 * Runs a program on a backend that is closed afterwards; SIGINT and SIGTERM abort it, `onStop` says
 * what that means.
 */
export const runOnBackend = <A>(
  choice: BackendChoice,
  onStop: string,
  program: (env: Env) => TaskEither<PipelineError, A>,
  seed = 1,
): Promise<E.Either<PipelineError, A>> =>
  withSignals(async (signal) => {
    const backend = await selectBackend(choice, { planFile })();
    if (E.isLeft(backend)) return backend;
    const terminal = terminalSink();
    try {
      return await program(
        makeEnv({ backend: backend.right, signal, seed, emit: terminal.emit }),
      )();
    } finally {
      await terminal.close();
      await backend.right.close();
    }
  }, { onStop: () => say(onStop) });
