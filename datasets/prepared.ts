/**
 * Prepared videos as a dataset: frames are read out of the shards where they lie, nothing is
 * unpacked.
 *
 * @module
 */
import { E, F, type TE } from "../pipeline/core/fp.ts";
import type { Err } from "../pipeline/core/errors.ts";
import type { Frame } from "../pipeline/core/image.ts";
import type { Dataset, Sequence } from "./dataset.ts";
import { sha256 } from "./prepare/digest.ts";
import { readBeside } from "./prepare/read_beside.ts";
import { type ReadSamples, readSamples, type SamplePlace } from "./prepare/read_samples.ts";
import {
  preparedPaths,
  readPreparedIndex,
  readShardList,
  type ShardClip,
} from "./prepare/record.ts";
import type { PreparedIndex, PreparedSettings, Split } from "./prepare/types.ts";
import { memberBytes } from "./prepare/tar.ts";

/** What {@link preparedVideos} opens. */
export interface PreparedVideosOptions {
  /** The folder that `prepare` made. */
  readonly path: string;
  /** Side of the frames in pixels that the network needs. */
  readonly size: number;
  /**
   * Who the held-out people are: those to validate with while training, or those to test with at
   * the very end. Default "validation"; where that part is empty, the other one.
   */
  readonly heldOut?: Exclude<Split, "train">;
  /**
   * Where frames are decoded: on this thread, or on a worker beside it. Default: beside, where
   * frames have 128 pixels and more (smaller ones take less time than a message).
   */
  readonly decode?: "here" | "beside";
}

/** A dataset of prepared videos, with how they were prepared. */
export interface PreparedVideos extends Dataset {
  /** What the bytes depend on. */
  readonly settings: PreparedSettings;
  /** What the shards hold. */
  readonly index: PreparedIndex;
}

/** Frames of so many pixels a side are decoded on a worker. */
const BESIDE = 128;

/** Where the frames of a sequence lie. */
interface Piece {
  readonly tar: string;
  readonly clip: ShardClip;
}

interface Pool {
  readonly sequence: Sequence;
  readonly pieces: readonly Piece[];
}

const data = (path: string, message: string): Err<"Data"> => ({ _tag: "Data", path, message });

/** True where a folder holds an index of prepared videos, whether or not it can be used. */
export const isPrepared = async (path: string): Promise<boolean> => {
  const { index, shards } = preparedPaths(path);
  const [file, folder] = await Promise.all(
    [index, shards].map((each) => Deno.stat(each).catch(() => undefined)),
  );
  return file?.isFile === true && folder?.isDirectory === true;
};

const sequenceKey = ({ identity, video }: Pick<Sequence, "identity" | "video">): string =>
  JSON.stringify([identity, video]);

const poolPieces = (pieces: readonly Piece[]): ReadonlyMap<string, Pool> => {
  const pools = new Map<string, Pool>();
  for (const piece of pieces) {
    const { identity, video, numbers } = piece.clip, key = sequenceKey(piece.clip);
    const before = pools.get(key);
    const frames = (before?.sequence.frames ?? 0) + numbers.length;
    const all = [...before?.pieces ?? [], piece];
    pools.set(key, { sequence: { identity, video, frames }, pieces: all });
  }
  return pools;
};

/** Where each sample of a clip begins in its shard, and where the last one ends. */
export const sampleOffsets = ({ offset, sizes }: ShardClip): readonly number[] => {
  let at = offset;
  return [
    ...sizes.map(([picture, json]) => {
      const begin = at;
      at += memberBytes(picture) + memberBytes(json);
      return begin;
    }),
    at,
  ];
};

const readPieces = (
  pool: Pool | undefined,
  { identity, video }: Sequence,
  indices: readonly number[],
  size: number,
  read: ReadSamples,
): TE.TaskEither<Err<"BadSample">, readonly Frame[]> =>
async () => {
  const key = `${identity}/${video}`, wanted: SamplePlace[] = [];
  let first = 0;
  for (const { tar, clip } of pool?.pieces ?? []) {
    const from = first;
    first += clip.numbers.length;
    const begins = sampleOffsets(clip);
    indices.forEach((index, place) => {
      const begin = begins[index - from], bytes = clip.sizes[index - from];
      if (begin !== undefined && bytes !== undefined) wanted[place] = { tar, begin, bytes };
    });
  }
  const wrong = indices.find((index) => !(index >= 0 && index < first));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot read frame ${wrong} of ${key}: it has ${first}`);
  }
  return F.pipe(
    await read(wanted, size),
    E.mapLeft((message): Err<"BadSample"> => ({
      ...{ _tag: "BadSample", key, reason: "unreadable", message },
    })),
  );
};

/**
 * Opens a folder that `prepare` made: reads its index and the lists of its shards, whose hashes
 * must be those of the index; the shards themselves are opened as frames are asked for (`verify`
 * reads all of them). Error: `Data`: no index, one that does not fit its lists, or frames of
 * another size than asked for.
 *
 * @example
 * ```ts
 * import { preparedVideos } from "./prepared.ts";
 * const opened = await preparedVideos({ path: "no-such-folder", size: 64 })();
 * if (opened._tag !== "Left" || opened.left._tag !== "Data") throw new Error("unexpected");
 * ```
 */
export const preparedVideos = (
  { path, size, heldOut = "validation", decode }: PreparedVideosOptions,
): TE.TaskEither<Err<"Data">, PreparedVideos> =>
async () => {
  const paths = preparedPaths(path);
  const read = await readPreparedIndex(paths.index)();
  if (E.isLeft(read)) return E.left(data(path, read.left.message));
  const { value: index } = read.right;
  const { settings } = index;
  if (settings.size !== size) {
    return E.left(data(
      path,
      `Cannot use ${path} at ${size} pixels: its frames were prepared with --size ` +
        `${settings.size}, expected a preset of ${settings.size} pixels, or the videos prepared ` +
        `again with --size ${size}`,
    ));
  }
  const pieces: Record<Split, Piece[]> = { train: [], validation: [], test: [] };
  for (const { name, split, list: hash } of index.shards) {
    const list = await readShardList(paths.list(name))();
    if (E.isLeft(list)) return E.left(data(path, list.left.message));
    if (sha256(list.right.bytes) !== hash) {
      const message = `Cannot use ${path}: ${paths.list(name)} is not what the index was made ` +
        "of, expected the same SHA-256 (prepare the folder again: what is whole is kept)";
      return E.left(data(path, message));
    }
    const tar = paths.tar(name);
    pieces[split].push(...list.right.value.clips.map((clip): Piece => ({ tar, clip })));
  }
  const other = heldOut === "validation" ? "test" : "validation";
  const kept = pieces[heldOut].length > 0 ? pieces[heldOut] : pieces[other];
  const [train, held] = [poolPieces(pieces.train), poolPieces(kept)];
  const sequences = (pools: ReadonlyMap<string, Pool>): readonly Sequence[] =>
    [...pools.values()].map(({ sequence }) => sequence);
  const beside = (decode ?? (size < BESIDE ? "here" : "beside")) === "beside";
  const readPlaces = beside ? readBeside() : readSamples;
  return E.right({
    ...{ name: path, size, settings, index },
    train: sequences(train),
    heldOut: sequences(held),
    read: (sequence, indices) => {
      const key = sequenceKey(sequence);
      return readPieces(train.get(key) ?? held.get(key), sequence, indices, size, readPlaces);
    },
  });
};
