/**
 * The clips of a video pooled into one sequence: their frames numbered through.
 *
 * @module
 */
import { E, type TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import type { Frame } from "../../pipeline/core/image.ts";
import type { Sequence } from "../dataset.ts";
import { type ClipIndex, readClipFrames } from "./clip_file.ts";
import type { Clip } from "./discover.ts";

/** A sequence and the prepared clips that it consists of, in order. */
export interface Pool {
  readonly sequence: Sequence;
  readonly clips: readonly ClipIndex[];
}

/** Pools clips by `<identity>/<video>`, in the order in which they come. */
export const poolClips = (
  prepared: Iterable<readonly [Clip, ClipIndex]>,
): ReadonlyMap<string, Pool> => {
  const pools = new Map<string, Pool>();
  for (const [{ identity, video }, index] of prepared) {
    const key = `${identity}/${video}`;
    const pool = pools.get(key);
    const frames = (pool?.sequence.frames ?? 0) + index.offsets.length - 1;
    const clips = [...pool?.clips ?? [], index];
    pools.set(key, { sequence: { identity, video, frames }, clips });
  }
  return pools;
};

/** Reads pooled frames: each file once, in the order asked for. */
export const readPooled = (
  key: string,
  clips: readonly ClipIndex[],
  indices: readonly number[],
): TE.TaskEither<Err<"BadSample">, readonly Frame[]> =>
async () => {
  const frames: Frame[] = [];
  let first = 0;
  for (const clip of clips) {
    const count = clip.offsets.length - 1;
    const places = indices.flatMap((index, place) =>
      index >= first && index < first + count ? [place] : []
    );
    const own = places.map((place) => (indices[place] ?? 0) - first);
    first += count;
    if (places.length === 0) continue;
    const read = await readClipFrames(clip, key, own)();
    if (E.isLeft(read)) return read;
    places.forEach((place, i) => {
      const frame = read.right[i];
      if (frame !== undefined) frames[place] = frame;
    });
  }
  const wrong = indices.find((index) => !(index >= 0 && index < first));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot read frame ${wrong} of ${key}: it has ${first}`);
  }
  return E.right(frames);
};
