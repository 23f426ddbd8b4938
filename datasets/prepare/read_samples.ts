/**
 * Frames out of shards, by their place.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import { fileProblem, openFile, readFully } from "../../pipeline/core/files.ts";
import type { Frame } from "../../pipeline/core/image.ts";
import { decodeImage } from "../codec.ts";
import { parseSample } from "./record.ts";
import { BLOCK, MAX_MEMBER, memberBytes } from "./tar.ts";

/** Where a sample lies in its shard. Plain data: it crosses to workers. */
export interface SamplePlace {
  /** The shard's path. */
  readonly tar: string;
  /** Where the header of its picture begins. */
  readonly begin: number;
  /** Bytes of the picture and of the JSON that follows it. */
  readonly bytes: readonly [picture: number, json: number];
}

/** Frames of the size asked for, in the order asked for; the left says what is wrong. */
export type ReadSamples = (
  places: readonly SamplePlace[],
  size: number,
) => Promise<E.Either<string, readonly Frame[]>>;

const readSample = async (
  file: Deno.FsFile,
  { tar, begin, bytes: [picture, json] }: SamplePlace,
  size: number,
): Promise<E.Either<string, Frame>> => {
  // One read for both members: the picture, its padding, a header, the JSON.
  const length = memberBytes(picture) + json;
  if (picture > MAX_MEMBER || json > MAX_MEMBER) {
    return E.left(`${tar}: a frame of ${length} bytes, expected at most ${MAX_MEMBER}`);
  }
  await file.seek(begin + BLOCK, Deno.SeekMode.Start);
  const bytes = await readFully(file, new Uint8Array(length));
  if (bytes.length < length) return E.left(`${tar} was cut off`);
  const image = await decodeImage(bytes.subarray(0, picture), tar)();
  if (E.isLeft(image)) return E.left(image.left.message);
  if (image.right.width !== size || image.right.height !== size) {
    return E.left(`${tar}: a frame is ${image.right.width}×${image.right.height} pixels`);
  }
  const sample = parseSample(bytes.subarray(length - json));
  if (E.isLeft(sample)) return E.left(`${tar}: the JSON of a frame: ${sample.left}`);
  return E.right({ image: image.right, landmarks: Float32Array.from(sample.right.landmarks) });
};

/** Reads and decodes here; each shard is opened once. */
export const readSamples: ReadSamples = async (places, size) => {
  const frames: Frame[] = [];
  for (const [tar, own] of Map.groupBy(places.entries(), ([, { tar }]) => tar)) {
    try {
      using file = await openFile(tar);
      for (const [i, place] of own) {
        const frame = await readSample(file, place, size);
        if (E.isLeft(frame)) return frame;
        frames[i] = frame.right;
      }
    } catch (cause) {
      return E.left(`${tar}: ${fileProblem(cause)}`);
    }
  }
  return E.right(frames);
};

/** What the worker is asked. */
export interface ReadRequest {
  readonly id: number;
  readonly places: readonly SamplePlace[];
  readonly size: number;
}

/** What the worker answers. */
export interface ReadReply {
  readonly id: number;
  readonly read: E.Either<string, readonly Frame[]>;
}
