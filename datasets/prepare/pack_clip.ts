/**
 * One clip from file to a piece of a shard: cropped frames are smoothed, what is blurred or stands
 * still is left out, the rest is encoded and packed.
 *
 * @module
 */
import { E, F, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import type { Frame } from "../../pipeline/core/image.ts";
import { encodeJpeg, encodeWebp } from "../codec.ts";
import { faceSide, median } from "../crop.ts";
import type { Clip } from "../video/discover.ts";
import type { PreparedClip } from "../video/prepare_clip.ts";
import { badClip } from "../video/probe.ts";
import { sha256, writeJson, writeWhole } from "./digest.ts";
import {
  type ClipRecord,
  EXTENSIONS,
  type PackedClip,
  type Quality,
  type Sample,
  type StoredFormat,
} from "./record.ts";
import { difference, sharpness } from "./sharpness.ts";
import { jitter, smoothLandmarks } from "./smooth.ts";
import { type Member, packMembers } from "./tar.ts";

/** Below this a face is out of focus or enlarged three times (measured: real ones 0.9 and more). */
const SHARP = 0.4;
/** Crops that differ by fewer grey levels are one picture shown twice. */
const REPEATED = 0.1;

/** How frames are stored, and how few are too few. */
export interface PackSettings {
  readonly format: StoredFormat;
  /** 1 to 100. */
  readonly quality: number;
  /** A clip with fewer frames is rejected. */
  readonly minFrames: number;
}

/** A frame that goes into a shard. */
export interface PolishedFrame {
  readonly frame: Frame;
  /** Its number in the video. */
  readonly number: number;
  /** Seconds from the beginning of the video. */
  readonly time: number;
  readonly sharpness: number;
}

/** The frames of a clip that go into a shard. */
export interface PolishedClip {
  readonly frames: readonly PolishedFrame[];
  readonly quality: Quality;
}

/** What of a clip's name and place is stored. */
export type ClipName = Pick<Clip, "key" | "identity" | "video">;

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const orNull = (value: number): number | null => Number.isFinite(value) ? rounded(value, 5) : null;

/**
 * Smooths the landmarks of a cropped clip and leaves out frames that are blurred or repeat the one
 * before. Error: `BadSample` "blurred" or "duplicate" where fewer than `minFrames` are left.
 */
export const polishClip = (
  key: string,
  { frames, numbers, info, square, figures }: PreparedClip,
  minFrames: number,
): E.Either<Err<"BadSample">, PolishedClip> => {
  const rate = info.framesPerSecond > 0 ? info.framesPerSecond : 25;
  const times = numbers.map((number) => rounded(number / rate, 3));
  const tracks = frames.map(({ landmarks }) => landmarks);
  const smooth = smoothLandmarks(tracks.map((landmarks, i) => ({ landmarks, time: times[i]! })));
  const kept: PolishedFrame[] = [];
  const sharpnesses: number[] = [];
  let blurred = 0, duplicate = 0;
  for (const [i, { image }] of frames.entries()) {
    const frame = { image, landmarks: smooth[i]! };
    const sharp = sharpness(frame), before = kept.at(-1);
    sharpnesses.push(sharp);
    if (sharp < SHARP) blurred++;
    else if (before !== undefined && difference(before.frame.image, image) < REPEATED) duplicate++;
    else kept.push({ frame, number: numbers[i]!, time: times[i]!, sharpness: rounded(sharp, 3) });
  }
  if (kept.length < minFrames) {
    return E.left(
      blurred >= duplicate
        ? badClip(
          key,
          "blurred",
          `${blurred} of ${frames.length} frames are out of focus or enlarged too much, ` +
            `${kept.length} are left, expected ${minFrames}`,
        )
        : badClip(
          key,
          "duplicate",
          `${duplicate} of ${frames.length} frames repeat the one before, ${kept.length} are ` +
            `left, expected ${minFrames}`,
        ),
    );
  }
  const scale = square.side / (frames[0]?.image.width ?? 1);
  const quality: Quality = {
    face: rounded(median(tracks.map(faceSide)) * scale, 1),
    sharpness: rounded(median(sharpnesses), 3),
    rawJitter: orNull(jitter(tracks, numbers)),
    jitter: orNull(jitter(smooth, numbers)),
    decoded: figures.decoded,
    lost: figures.decoded - frames.length,
    blurred,
    duplicate,
  };
  return E.right({ frames: kept, quality });
};

const encodeFrame = async (
  { frame, number, time, sharpness }: PolishedFrame,
  { key, identity, video }: ClipName,
  { format, quality }: PackSettings,
): Promise<readonly [Uint8Array, Uint8Array]> => {
  const encode = format === "jpeg" ? encodeJpeg : encodeWebp;
  const picture = await encode(frame.image, quality, { quick: true })();
  if (E.isLeft(picture)) throw new Error(picture.left.message); // an empty crop: a bug
  const landmarks = Array.from(frame.landmarks, (v) => rounded(v, 2));
  const sample: Sample = { identity, video, clip: key, frame: number, time, sharpness, landmarks };
  return [picture.right, new TextEncoder().encode(JSON.stringify(sample))];
};

/** The name of a sample in a shard, without its extension. */
export const sampleName = (id: string, number: number): string =>
  `${id}-${String(number).padStart(6, "0")}`;

/**
 * Writes a polished clip as a piece of a shard (`target` + ".part") and then its record
 * (`target` + ".json"): a clip is done where the record is there. The same frames give the same
 * bytes. Error: `Data` (the disk).
 */
export const writePacked = (
  target: string,
  name: ClipName,
  { frames, quality }: PolishedClip,
  settings: PackSettings,
): TE.TaskEither<Err<"Data">, PackedClip> =>
async () => {
  const id = sha256(name.key).slice(0, 16);
  const members: Member[] = [], sizes: [number, number][] = [];
  for (const frame of frames) {
    const [picture, json] = await encodeFrame(frame, name, settings);
    const sample = sampleName(id, frame.number);
    members.push({ name: `${sample}.${EXTENSIONS[settings.format]}`, data: picture });
    members.push({ name: `${sample}.json`, data: json });
    sizes.push([picture.length, json.length]);
  }
  const part = await packMembers(members);
  const { key, identity, video } = name;
  const clip: PackedClip = {
    ...{ key, identity, video, id },
    numbers: frames.map(({ number }) => number),
    times: frames.map(({ time }) => time),
    ...{ sizes, bytes: part.length, quality },
  };
  return await F.pipe(
    writeWhole(`${target}.part`, [part]),
    TE.flatMap(({ sha256 }) => {
      const record: ClipRecord = { format: "headshot-packed-1", sha256, clip };
      return writeJson(`${target}.json`, record);
    }),
    TE.map(() => clip),
  )();
};

/** Notes why a clip was rejected. Error: `Data`. */
export const writeRejected = (
  target: string,
  { key, reason, message }: Err<"BadSample">,
): TE.TaskEither<Err<"Data">, unknown> => {
  const record: ClipRecord = {
    format: "headshot-rejected-1",
    reject: { key, reason, message },
  };
  return writeJson(`${target}.json`, record);
};
