/**
 * The folder of a run: `config.json`, `events.jsonl`, `samples/`, `checkpoints/`, `result.json`,
 * used by one process at a time, never overwritten, resumed only with its own configuration.
 *
 * @module
 */
import { E, type ReaderTaskEither, type TE } from "../../core/fp.ts";
import { readConfigFile } from "../../core/config_file.ts";
import { differences, renderDifference } from "../../core/differences.ts";
import type { HasEvents } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import type { Stage } from "../../core/stage.ts";
import { attempt, entriesOf, removeLeftovers, replaceFile, TEMPORARY } from "./durable.ts";
import { LOCK_NAME, takeLock } from "./lock.ts";

/** Which run to open, and what it must be. */
export interface RunRequest {
  /** The folder. */
  readonly path: string;
  /** The whole configuration, as JSON. */
  readonly config: unknown;
  /** Go on with the run that is there; otherwise the folder must be new or empty. */
  readonly resume: boolean;
  /** Keys of the configuration that may differ on resuming: `["steps"]`, `["data.workers"]`. */
  readonly mayChange?: readonly string[];
}

/** An open run; dispose it to let the next process in. */
export interface RunFolder extends Disposable {
  /** The folder. */
  readonly path: string;
  /** Whether there was a run to go on with. */
  readonly resumed: boolean;
}

type Failure = Err<"Checkpoint" | "Config">;

const SHOWN_DIFFERENCES = 5;

const refuse = (...problems: readonly string[]): E.Either<Err<"Config">, never> =>
  E.left({ _tag: "Config", problems });

/** Where the events of a run go. */
export const eventsPath = (run: string): string => `${run}/events.jsonl`;

/** Where the checkpoints of a run are. */
export const checkpointsPath = (run: string): string => `${run}/checkpoints`;

/** `step-000100`: sorts by step up to a million, and still reads well after. */
export const stepName = (step: number): string => {
  if (Number.isSafeInteger(step) && step >= 0) return `step-${String(step).padStart(6, "0")}`;
  throw new RangeError(`Cannot name step ${step}: expected an integer of at least 0`);
};

/** Reads the configuration of a run without opening it: for programs that only look. */
export const readRunConfig = (run: string): TE.TaskEither<Err<"Config">, unknown> =>
  readConfigFile(`${run}/config.json`);

const isOurs = ({ name }: Deno.DirEntry): boolean =>
  name === LOCK_NAME || name.startsWith(TEMPORARY);

// What stands at the path decides before anything is written there.
const checkPath = async ({ path, resume }: RunRequest): Promise<E.Either<Failure, void>> => {
  const found = await attempt(path, `use run folder ${path}`, async () => {
    const there = await Deno.stat(path).catch((cause: unknown) => {
      if (cause instanceof Deno.errors.NotFound) return undefined;
      throw cause;
    });
    return there?.isDirectory ? (await entriesOf(path)).filter((entry) => !isOurs(entry)) : there;
  })();
  if (E.isLeft(found)) return found;
  const entries = found.right;
  if (entries !== undefined && !Array.isArray(entries)) {
    return refuse(`Cannot use run folder ${path}: it is a file, expected a folder`);
  }
  if (resume && !entries?.some(({ name }) => name === "config.json")) {
    return refuse(
      `Cannot resume ${path}: ${
        entries === undefined ? "it does not exist" : "it has no config.json"
      }, ` +
        "expected the folder of an earlier run",
    );
  }
  if (!resume && entries !== undefined && entries.length > 0) {
    return refuse(
      `Cannot start a run in ${path}: it is not empty, expected a new folder, or --resume to go on`,
    );
  }
  return E.right(undefined);
};

const checkConfig = async (request: RunRequest): Promise<E.Either<Failure, void>> => {
  const { path, config, mayChange = [] } = request;
  const before = await readRunConfig(path)();
  if (E.isLeft(before)) return before;
  // Through JSON, as it was written: -0 and undefined members do not survive there either.
  const now: unknown = JSON.parse(JSON.stringify(config));
  const found = differences(before.right, now).filter((difference) =>
    !mayChange.some((key) => difference.path === key || difference.path.startsWith(`${key}.`))
  );
  if (found.length === 0) return E.right(undefined);
  const more = found.length - SHOWN_DIFFERENCES;
  return refuse(
    `Cannot resume ${path}: it belongs to another configuration, expected the same`,
    ...found.slice(0, SHOWN_DIFFERENCES).map((difference) => `  ${renderDifference(difference)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  );
};

const prepare = async (request: RunRequest): Promise<E.Either<Failure, void>> => {
  const { path, config, resume } = request;
  const checked = await checkPath(request); // again, now that nobody else can change it
  if (E.isLeft(checked)) return checked;
  for (const folder of [path, checkpointsPath(path), `${path}/samples`]) {
    const cleaned = await removeLeftovers(folder)();
    if (E.isLeft(cleaned)) return cleaned;
  }
  if (resume) {
    const same = await checkConfig(request);
    if (E.isLeft(same)) return same;
  } else {
    const text = `${JSON.stringify(config, undefined, 2)}\n`;
    const written = await replaceFile(path, "config.json", text)();
    if (E.isLeft(written)) return written;
  }
  return await attempt(path, `make the folders of ${path}`, async () => {
    await Deno.mkdir(checkpointsPath(path), { recursive: true });
    await Deno.mkdir(`${path}/samples`, { recursive: true });
  })();
};

/**
 * Opens a run folder: a new one, or an existing one to resume. Refuses a folder that is in use
 * (naming the process), that is not empty, or that belongs to another configuration (naming the
 * keys that differ); removes what a killed process left.
 */
export const openRun: Stage<HasEvents, Err<"Checkpoint" | "Config">, RunRequest, RunFolder> =
  (request): ReaderTaskEither<HasEvents, Failure, RunFolder> => ({ emit }) => async () => {
    const { path, resume } = request;
    const checked = await checkPath(request);
    if (E.isLeft(checked)) return checked;
    const made = await attempt(path, `make run folder ${path}`, async () => {
      await Deno.mkdir(path, { recursive: true });
    })();
    if (E.isLeft(made)) return made;
    const lock = await takeLock(path)();
    if (E.isLeft(lock)) return lock;
    const prepared = await prepare(request);
    if (E.isLeft(prepared)) {
      lock.right[Symbol.dispose]();
      return prepared;
    }
    const { tookOverFrom } = lock.right;
    if (tookOverFrom !== undefined) {
      const message = `${path} was in use by ${tookOverFrom}, which is gone: taken over`;
      emit({ _tag: "Warning", step: 0, message });
    }
    return E.right({
      path,
      resumed: resume,
      [Symbol.dispose]: () => lock.right[Symbol.dispose](),
    });
  };

/** Writes `samples/step-000100.png` (or another ending) and gives its path. */
export const writeSample = (
  run: RunFolder,
  step: number,
  bytes: Uint8Array,
  ending: "png" | "gif" | "mp4" = "png",
): TE.TaskEither<Err<"Checkpoint">, string> =>
  replaceFile(`${run.path}/samples`, `${stepName(step)}.${ending}`, bytes);

/** Writes `result.json`, in place of an earlier one of the same run. */
export const writeResult = (
  run: RunFolder,
  result: unknown,
): TE.TaskEither<Err<"Checkpoint">, string> =>
  replaceFile(run.path, "result.json", `${JSON.stringify(result, undefined, 2)}\n`);
