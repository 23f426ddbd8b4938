/**
 * Reading of checkpoints: only one whose every byte is what was written; a broken one is skipped
 * for the one before, one of a newer build is not.
 *
 * @module
 */
import { E, F, type ReaderTaskEither, TE } from "../../core/fp.ts";
import type { HasEvents } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import { readBounded } from "../../core/files.ts";
import type { Stage } from "../../core/stage.ts";
import { attempt, entriesOf, sha256 } from "./durable.ts";
import { type CheckpointMeta, newerFormat, type Part, partFile, readMeta } from "./meta.ts";
import { checkpointsPath, stepName } from "./run_folder.ts";
import { type HostTensors, readSafetensors } from "../../core/safetensors.ts";

type Failure = Err<"Checkpoint">;

/** A checkpoint on the disk. */
export interface CheckpointRef {
  /** Its folder. */
  readonly path: string;
  /** What it says about itself. */
  readonly meta: CheckpointMeta;
}

/** A checkpoint in memory: the parts that were asked for. */
export interface Checkpoint<P extends Part = Part> extends CheckpointRef {
  /** The tensors of the parts that were asked for. */
  readonly parts: Readonly<Record<P, HostTensors>>;
}

/** The folders of a run's checkpoints, newest first, whatever is in them. */
export const checkpointFolders = (run: string): TE.TaskEither<Failure, readonly string[]> =>
  attempt(run, `list the checkpoints of ${run}`, async () => {
    const names = (await entriesOf(checkpointsPath(run)))
      .filter(({ name, isDirectory }) => isDirectory && /^step-\d{6,15}$/.test(name))
      .map(({ name }) => name);
    return names.sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))
      .map((name) => `${checkpointsPath(run)}/${name}`);
  });

// One part: its bytes, believed only if size and hash are those of meta.json.
const readPart = async ({ path, meta }: CheckpointRef, part: Part) => {
  const file = `${path}/${partFile(part)}`;
  const { bytes, sha256: expected } = meta.files[part];
  const read = await readBounded(file, bytes)();
  if (E.isLeft(read)) return E.left(read.left.message);
  if (read.right.length !== bytes) {
    return E.left(`${partFile(part)} has ${read.right.length} bytes, expected ${bytes}`);
  }
  return sha256([read.right]) === expected
    ? E.right(read.right)
    : E.left(`${partFile(part)} is damaged: its SHA-256 is not the one in meta.json`);
};

/** Reads what a checkpoint says about itself, not its tensors; the problem in words. */
export const readRef = async (path: string): Promise<E.Either<string, CheckpointRef>> => {
  const meta = await readMeta(path);
  if (E.isLeft(meta)) return meta;
  return path.endsWith(`/${stepName(meta.right.step)}`)
    ? E.right({ path, meta: meta.right })
    : E.left(`its meta.json is of step ${meta.right.step}`);
};

const readParts =
  <P extends Part>(wanted: readonly P[]) =>
  async (path: string): Promise<E.Either<string, Checkpoint<P>>> => {
    const ref = await readRef(path);
    if (E.isLeft(ref)) return ref;
    const parts: Partial<Record<P, HostTensors>> = {};
    for (const part of wanted) {
      const bytes = await readPart(ref.right, part);
      if (E.isLeft(bytes)) return bytes;
      const read = readSafetensors(bytes.right, partFile(part));
      if (E.isLeft(read)) return E.left(read.left.message);
      parts[part] = read.right.tensors;
    }
    return E.right({ ...ref.right, parts: parts as Record<P, HostTensors> }); // all of them are set
  };

/** Whether every byte of a checkpoint is what was written; the problem in words where not. */
export const verifyCheckpoint = async (path: string): Promise<E.Either<string, CheckpointRef>> => {
  const ref = await readRef(path);
  if (E.isLeft(ref)) return ref;
  for (const part of ["weights", "state"] as const) {
    const bytes = await readPart(ref.right, part);
    if (E.isLeft(bytes)) return bytes;
  }
  return ref;
};

// The newest checkpoint that `read` accepts; `undefined` where the run has none at all.
const newest = <A>(
  run: string,
  read: (path: string) => Promise<E.Either<string, A>>,
): ReaderTaskEither<HasEvents, Failure, A | undefined> =>
({ emit }) =>
async () => {
  const all = await checkpointFolders(run)();
  if (E.isLeft(all)) return all;
  const broken: string[] = [];
  for (const path of all.right) {
    const found = await read(path);
    if (E.isRight(found)) return found;
    const newer = await newerFormat(path);
    if (newer !== undefined) {
      return E.left({
        _tag: "Checkpoint",
        path: run,
        message: `Cannot use checkpoint ${path}: ${newer}, expected a newer build of Headshot ` +
          "(older checkpoints beside it are not taken in its place)",
      });
    }
    const message = `Cannot use checkpoint ${path}: ${found.left}`;
    emit({ _tag: "CheckpointSkipped", path, message });
    broken.push(message);
  }
  return broken.length === 0 ? E.right(undefined) : E.left({
    _tag: "Checkpoint",
    path: run,
    message: `Cannot load a checkpoint of ${run}: none of its ${broken.length} is whole ` +
      `(the newest: ${broken[0]}), expected one`,
  });
};

/**
 * The newest checkpoint of a run whose every byte is right, `undefined` where it has none; broken
 * ones are told as `CheckpointSkipped`; an error where all are broken, or where one is of a newer
 * format before a whole one is found.
 */
export const latestCheckpoint: Stage<
  HasEvents,
  Err<"Checkpoint">,
  string,
  CheckpointRef | undefined
> = (run): ReaderTaskEither<HasEvents, Failure, CheckpointRef | undefined> =>
  newest(run, verifyCheckpoint);

/**
 * Loads the newest whole checkpoint of a run, only the parts asked for: `["weights"]` to use the
 * model, both to train on. An error where there is none, or where one is of a newer format.
 */
export const loadCheckpoint =
  <P extends Part>(wanted: readonly P[]): Stage<HasEvents, Failure, string, Checkpoint<P>> =>
  (run) =>
  (r) =>
    F.pipe(
      newest(run, readParts(wanted))(r),
      TE.flatMap((found): TE.TaskEither<Failure, Checkpoint<P>> =>
        found === undefined
          ? TE.left({
            _tag: "Checkpoint",
            path: run,
            message: `Cannot load a checkpoint of ${run}: it has none, expected ` +
              `${checkpointsPath(run)}/step-…`,
          })
          : TE.right(found)
      ),
    );
