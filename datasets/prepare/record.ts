/**
 * What is written beside the pictures of a prepared dataset: the record of a clip, the list of a
 * shard, the index of the whole. JSON, read back with every field checked.
 *
 * @module
 */
import { E, F, t, TE } from "../../pipeline/core/fp.ts";
import { oneOf } from "../../pipeline/core/config.ts";
import { type Err, rejectReasons } from "../../pipeline/core/errors.ts";
import { readBounded } from "../../pipeline/core/files.ts";
import type { IndexedShard, PreparedIndex, PreparedSettings, Rejected, Split } from "./types.ts";

/** A codec of `A`, whatever it is made of. */
type Codec<A> = t.Type<A, unknown, unknown>;

/** The parts of a prepared dataset, in order. */
export const SPLITS: readonly Split[] = ["train", "validation", "test"];

/** Pictures are stored as one of these. */
export type StoredFormat = PreparedSettings["format"];
/** The extension of each in a shard. */
export const EXTENSIONS: Readonly<Record<StoredFormat, string>> = { jpeg: "jpg", webp: "webp" };

const whole = t.refinement(t.number, (n) => Number.isSafeInteger(n) && n >= 0, "whole number");
const finite = t.refinement(t.number, Number.isFinite, "finite number");
const hex = t.refinement(t.string, (text) => /^[0-9a-f]{64}$/.test(text), "SHA-256");
/** Names of shards become file names: nothing else gets through. */
const shardName = t.refinement(
  t.string,
  (text) => /^(train|validation|test)-\d{5}$/.test(text),
  "name of a shard",
);
const clipId = t.refinement(t.string, (text) => /^[0-9a-f]{16}$/.test(text), "16 hex digits");
const split = t.keyof({ train: null, validation: null, test: null });
const format = t.keyof({ jpeg: null, webp: null });
const orNull = t.union([finite, t.null]);

const rejected: Codec<Rejected> = t.type({
  key: t.string,
  reason: oneOf(rejectReasons),
  message: t.string,
});

const Quality = t.type({
  /** Median side of the face in pixels of the video. */
  face: finite,
  /** Median sharpness of the face, see `sharpness`. */
  sharpness: finite,
  /** Median jitter of the landmarks in sides of the face as detected; null where it is unknown. */
  rawJitter: orNull,
  /** The same as stored, after smoothing. */
  jitter: orNull,
  /** Frames looked at. */
  decoded: whole,
  /** Of them without the face at its usual place. */
  lost: whole,
  /** Of them too blurred. */
  blurred: whole,
  /** Of them the same as the one before. */
  duplicate: whole,
});
/** How good a clip is. */
export type Quality = t.TypeOf<typeof Quality>;

const packed = {
  /** `<identity>/<video>/<clip>`. */
  key: t.string,
  identity: t.string,
  video: t.string,
  /** What its members in the shard are called: `<id>-<frame>.jpg` and `.json`. */
  id: clipId,
  /** Of each frame, its number in the video. */
  numbers: t.array(whole),
  /** Of each frame, seconds from the beginning of the video. */
  times: t.array(finite),
  /** Of each frame, bytes of its picture and of its JSON. */
  sizes: t.array(t.tuple([whole, whole])),
  /** All bytes in the shard, headers and padding included. */
  bytes: whole,
  quality: Quality,
};
const PackedClip = t.type(packed);
/** A clip as it lies in a shard. */
export type PackedClip = t.TypeOf<typeof PackedClip>;

const ClipRecord = t.union([
  t.type({ format: t.literal("headshot-packed-1"), sha256: hex, clip: PackedClip }),
  t.type({ format: t.literal("headshot-rejected-1"), reject: rejected }),
]);
/** What became of a clip: packed, or rejected. */
export type ClipRecord = t.TypeOf<typeof ClipRecord>;

const ShardClip = t.refinement(
  t.type({ ...packed, /** Where it begins in the shard. */ offset: whole }),
  ({ numbers, times, sizes }) => times.length === numbers.length && sizes.length === numbers.length,
  "a clip with a number, a time and sizes for each frame",
);
/** A clip and its place in a shard. */
export type ShardClip = t.TypeOf<typeof ShardClip>;

const ShardList = t.type({
  format: t.literal("headshot-shard-1"),
  name: shardName,
  split,
  /** Hash of the clips and of the settings that the shard was made from. */
  plan: hex,
  bytes: whole,
  sha256: hex,
  clips: t.array(ShardClip),
  rejects: t.array(rejected),
});
/** What a shard holds. */
export type ShardList = t.TypeOf<typeof ShardList>;

const settings: Codec<PreparedSettings> = t.type({
  size: whole,
  fps: finite,
  frames: whole,
  minFrames: whole,
  format,
  quality: whole,
  validation: finite,
  test: finite,
  clipsPerShard: whole,
});

const counts = t.type({ identities: whole, sequences: whole, clips: whole, frames: whole });

const indexedShard: Codec<IndexedShard> = t.type({
  name: shardName,
  split,
  clips: whole,
  frames: whole,
  bytes: whole,
  sha256: hex,
  list: hex,
});

const preparedIndex: Codec<PreparedIndex> = t.type({
  format: t.literal("headshot-prepared-1"),
  settings,
  splits: t.type({ train: counts, validation: counts, test: counts }),
  rejected: whole,
  shards: t.readonlyArray(indexedShard),
});

const Sample = t.type({
  identity: t.string,
  video: t.string,
  clip: t.string,
  frame: whole,
  time: finite,
  sharpness: finite,
  /** In pixels of the picture: x0, y0, x1, y1, … // [68, 2] */
  landmarks: t.refinement(t.array(finite), ({ length }) => length === 136, "68 points"),
});
/** The JSON beside each picture of a shard. */
export type Sample = t.TypeOf<typeof Sample>;

/** JSON of bytes, checked; the left says what is wrong with it. */
const parse = <A>(codec: Codec<A>) => (bytes: Uint8Array): E.Either<string, A> =>
  F.pipe(
    E.tryCatch(() => JSON.parse(new TextDecoder().decode(bytes)) as unknown, () => "it is no JSON"),
    E.flatMap((json) =>
      F.pipe(
        codec.decode(json),
        E.mapLeft((errors) => {
          const at = errors[0]?.context.map(({ key }) => key).filter((key) => key !== "").join(".");
          return `"${at}" is not what it should be`;
        }),
      )
    ),
  );

const reader = <A>(codec: Codec<A>, what: string, limit: number) =>
(
  path: string,
): TE.TaskEither<Err<"BadFile">, { readonly value: A; readonly bytes: Uint8Array }> =>
  F.pipe(
    readBounded(path, limit),
    TE.flatMap((bytes) =>
      TE.fromEither(F.pipe(
        parse(codec)(bytes),
        E.map((value) => ({ value, bytes })),
        E.mapLeft((problem): Err<"BadFile"> => ({
          _tag: "BadFile",
          path,
          message: `Cannot read ${path}: ${problem}, expected ${what}`,
        })),
      ))
    ),
  );

/** Reads the record of a clip. Error: `BadFile`. */
export const readClipRecord = reader(ClipRecord, "the record of a clip", 1 << 24);
/** Reads the list of a shard. Error: `BadFile`. */
export const readShardList = reader(ShardList, "the list of a shard", 1 << 28);
/** Reads the index of a prepared dataset. Error: `BadFile`. */
export const readPreparedIndex = reader(preparedIndex, "the index of prepared videos", 1 << 28);
/** Reads the JSON of a sample; the left says what is wrong with it. */
export const parseSample: (bytes: Uint8Array) => E.Either<string, Sample> = parse(Sample);

/** The files of a prepared dataset. */
export const preparedPaths = (out: string) => ({
  index: `${out}/index.json`,
  report: `${out}/report.json`,
  shards: `${out}/shards`,
  work: `${out}/work`,
  tar: (shard: string): string => `${out}/shards/${shard}.tar`,
  list: (shard: string): string => `${out}/shards/${shard}.json`,
});
