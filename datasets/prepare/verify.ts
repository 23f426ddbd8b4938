/**
 * Reads every byte of a prepared dataset and says everything that is wrong with it.
 *
 * @module
 */
import { E, RTE } from "../../pipeline/core/fp.ts";
import { abortedBy } from "../../pipeline/core/abort.ts";
import type { HasAbort, HasEvents } from "../../pipeline/core/env.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem } from "../../pipeline/core/files.ts";
import type { Image } from "../../pipeline/core/image.ts";
import { hashFile, sha256 } from "./digest.ts";
import { preparedPaths, readPreparedIndex, readShardList, type ShardList } from "./record.ts";
import type { PreparedIndex, Split } from "./types.ts";
import { checkShard, type Tell } from "./verify_shard.ts";

/** What {@link verifyPrepared} is asked. */
export interface VerifyOptions {
  /** The folder that `prepare` made. */
  readonly path: string;
  /** Source frames of an episode, K: a sequence needs one more. Default 8. */
  readonly shots?: number;
  /** At most so many pictures for a contact sheet, one a clip. Default 64. */
  readonly pictures?: number;
}

/** What is so of a shard. */
export interface VerifiedShard {
  /** Of its files, without their extensions. */
  readonly name: string;
  /** The part that it belongs to. */
  readonly split: Split;
  /** Clips that its list names. */
  readonly clips: number;
  /** Frames that its list names. */
  readonly frames: number;
  /** The size that it should have. */
  readonly bytes: number;
  /** How much is wrong with it. */
  readonly problems: number;
}

/** What {@link verifyPrepared} found. */
export interface Verification {
  /** Empty where all is well. */
  readonly problems: readonly string[];
  /** All shards of the index, in order. */
  readonly shards: readonly VerifiedShard[];
  /** What they were compared with. */
  readonly index: PreparedIndex;
  /** How many sequences there are. */
  readonly sequences: number;
  /** A frame a clip with its landmarks drawn, evenly over the clips. */
  readonly pictures: readonly Image[];
}

/** Problems of one shard beyond these are only counted. */
const MOST = 20;

/** What follows from all lists together: who is where, and how much of whom. */
const checkPeople = (lists: readonly ShardList[], least: number, tell: Tell): number => {
  const splits = new Map<string, Set<Split>>(), frames = new Map<string, number>();
  const keys = new Set<string>();
  for (const { split, clips } of lists) {
    for (const { identity, video, key, numbers } of clips) {
      splits.set(identity, (splits.get(identity) ?? new Set()).add(split));
      const sequence = `${identity}/${video}`;
      frames.set(sequence, (frames.get(sequence) ?? 0) + numbers.length);
      if (keys.has(key)) tell(`clip ${key} is there twice`);
      keys.add(key);
    }
  }
  for (const [identity, own] of splits) {
    if (own.size > 1) tell(`${identity} is in ${[...own].join(" and ")}, expected one of them`);
  }
  for (const [sequence, count] of frames) {
    if (count < least) tell(`sequence ${sequence} has ${count} frames, expected ${least}`);
  }
  return frames.size;
};

/**
 * Verifies a prepared dataset: every shard is read whole; its size, its hash, its members and
 * their order, every picture and its landmarks must be what the lists and the index say; nobody is
 * in two parts; every sequence has K + 1 frames. What is wrong is a line of the result, never the
 * end of the check. Emits `Progress` ("shards"). Errors: `Data` where there is no index to compare
 * with; `Aborted`.
 */
export const verifyPrepared = (
  { path, shots = 8, pictures: most = 64 }: VerifyOptions,
): RTE.ReaderTaskEither<HasEvents & HasAbort, Err<"Data" | "Aborted">, Verification> =>
({ emit, signal }) =>
async () => {
  const paths = preparedPaths(path);
  const read = await readPreparedIndex(paths.index)();
  if (E.isLeft(read)) {
    return E.left({ _tag: "Data", path, message: read.left.message });
  }
  const { value: index } = read.right;
  const problems: string[] = [], shards: VerifiedShard[] = [], pictures: Image[] = [];
  const lists: ShardList[] = [];
  const clips = index.shards.reduce((sum, shard) => sum + shard.clips, 0);
  let seen = 0;
  const keep = (): boolean => {
    const place = seen++;
    return most > 0 && Math.floor(place * most / clips) !== Math.floor((place - 1) * most / clips);
  };
  for (
    const [done, { name, split, bytes, sha256: hash, list: listHash }] of index.shards.entries()
  ) {
    emit({ _tag: "Progress", what: "shards", done, of: index.shards.length });
    let count = 0;
    const tell = (problem: string): void => {
      count++;
      if (count <= MOST) problems.push(`${name}: ${problem}`);
    };
    const list = await readShardList(paths.list(name))();
    if (E.isLeft(list)) tell(list.left.message);
    else {
      const { value } = list.right;
      lists.push(value);
      if (sha256(list.right.bytes) !== listHash) tell("the SHA-256 of its list is not the index's");
      try {
        const found = await hashFile(paths.tar(name));
        if (found.bytes !== bytes) tell(`it has ${found.bytes} bytes, expected ${bytes}`);
        if (found.sha256 !== hash) tell("its SHA-256 is not the one of the index");
        pictures.push(
          ...await checkShard(paths.tar(name), value, index.settings, keep, signal, tell),
        );
      } catch (cause) {
        tell(`Cannot read ${paths.tar(name)}: ${fileProblem(cause)}, expected a shard`);
      }
    }
    if (signal.aborted) return E.left(abortedBy(signal));
    if (count > MOST) problems.push(`${name}: and ${count - MOST} problems more`);
    const own = E.isRight(list) ? list.right.value.clips : [];
    const frames = own.reduce((sum, { numbers }) => sum + numbers.length, 0);
    shards.push({ name, split, clips: own.length, frames, bytes, problems: count });
  }
  emit({ _tag: "Progress", what: "shards", done: shards.length, of: shards.length });
  const sequences = checkPeople(lists, shots + 1, (problem) => problems.push(problem));
  for (const split of ["train", "validation", "test"] as const) {
    const frames = shards.filter((shard) => shard.split === split)
      .reduce((sum, shard) => sum + shard.frames, 0);
    const told = index.splits[split].frames;
    if (frames !== told) problems.push(`${split} has ${frames} frames, the index says ${told}`);
  }
  return E.right({ problems, shards, index, sequences, pictures });
};
