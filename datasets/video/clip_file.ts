/**
 * A prepared clip on disk: one file in the safetensors layout (any safetensors reader opens it).
 * Written under another name and renamed, so a file that has its name is whole; what reads back
 * wrong is made again.
 *
 * @module
 */
import { E, t, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem, openFile, readBounded, readFully } from "../../pipeline/core/files.ts";
import type { Frame } from "../../pipeline/core/image.ts";
import { decodeImage, encodeJpeg } from "../codec.ts";
import { cannotWrite, sha256, writeWhole } from "./cache_file.ts";

/** Frames up to this side are stored raw; larger ones as JPEG of {@link QUALITY}. */
const RAW_SIDE = 128;

const QUALITY = 95;

const MAX_HEADER = 1 << 20;

/** No clip is larger: 48 frames of 1024 pixels take some 20 MB. */
const MAX_CLIP = 2 ** 31 - 1;

const POINTS = 136;

const Header = t.type({
  __metadata__: t.type({ format: t.literal("headshot-clip-1"), size: t.string, sha256: t.string }),
  landmarks: t.type({ shape: t.tuple([t.number, t.number, t.number]) }),
  /** Where each frame begins, from the start of the frames, and where the last one ends. */
  offsets: t.type({ shape: t.tuple([t.number]) }),
  frames: t.type({ data_offsets: t.tuple([t.number, t.number]) }),
});

/** What is known of a clip without reading its frames. */
export interface ClipIndex {
  readonly path: string;
  readonly size: number;
  /** Where the frames begin in the file. */
  readonly start: number;
  readonly offsets: Uint32Array;
  /** All landmarks in pixels of the crops. // [frames, 68, 2] */
  readonly landmarks: Float32Array;
}

const bytesOf = (array: Float32Array | Uint32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const encodeFrame = async ({ image }: Frame): Promise<Uint8Array> => {
  if (image.width <= RAW_SIDE) return image.data;
  const encoded = await encodeJpeg(image, QUALITY)();
  if (E.isLeft(encoded)) throw new Error(encoded.left.message);
  return encoded.right;
};

/** Writes a prepared clip. The same frames give the same bytes. Error: `Data`. */
export const writeClip = (
  path: string,
  size: number,
  frames: readonly Frame[],
): TE.TaskEither<Err<"Data">, void> =>
  TE.tryCatch(async () => {
    const landmarks = new Float32Array(frames.length * POINTS);
    frames.forEach((frame, i) => landmarks.set(frame.landmarks, i * POINTS));
    const blobs: Uint8Array[] = [];
    const offsets = new Uint32Array(frames.length + 1);
    for (const [i, frame] of frames.entries()) {
      const blob = await encodeFrame(frame);
      blobs.push(blob);
      offsets[i + 1] = offsets[i]! + blob.length;
    }
    const body = [bytesOf(landmarks), bytesOf(offsets), ...blobs];
    const afterLandmarks = landmarks.byteLength;
    const afterOffsets = afterLandmarks + offsets.byteLength;
    const length = offsets[frames.length]!;
    const header = {
      __metadata__: {
        format: "headshot-clip-1",
        size: String(size),
        sha256: await sha256(...body),
      },
      landmarks: {
        dtype: "F32",
        shape: [frames.length, 68, 2],
        data_offsets: [0, afterLandmarks],
      },
      offsets: {
        dtype: "U32",
        shape: [frames.length + 1],
        data_offsets: [afterLandmarks, afterOffsets],
      },
      frames: {
        dtype: "U8",
        shape: size <= RAW_SIDE ? [frames.length, size, size, 3] : [length],
        data_offsets: [afterOffsets, afterOffsets + length],
      },
    };
    const text = JSON.stringify(header);
    const padded = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
    const prefix = new Uint8Array(8);
    new DataView(prefix.buffer).setBigUint64(0, BigInt(padded.length), true);
    await writeWhole(path, [prefix, padded, ...body]);
  }, cannotWrite(path));

/** Whether offsets begin at 0, end within so many bytes, and are a frame apart, or never fall. */
const areOffsets = (offsets: Uint32Array, size: number, bytes: number): boolean =>
  offsets[0] === 0 && (offsets.at(-1) ?? Infinity) <= bytes &&
  offsets.subarray(1).every((offset, i) => {
    const length = offset - (offsets[i] ?? 0);
    return size <= RAW_SIDE ? length === 3 * size * size : length >= 0;
  });

/**
 * The clip of that file, its hash checked; `undefined` where it is missing, broken or other. The
 * hash is of the frames: what the header says of them is checked against them.
 */
export const readClipIndex = async (
  path: string,
  size: number,
): Promise<ClipIndex | undefined> => {
  try {
    const read = await readBounded(path, MAX_CLIP)();
    if (E.isLeft(read)) return undefined;
    const bytes = read.right;
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    if (length > MAX_HEADER) return undefined;
    const header = Header.decode(
      JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))),
    );
    if (E.isLeft(header)) return undefined;
    const { __metadata__: metadata, landmarks, frames } = header.right;
    const body = bytes.subarray(8 + length);
    if (metadata.size !== String(size) || await sha256(body) !== metadata.sha256) return undefined;
    const [count] = landmarks.shape;
    const afterLandmarks = count * POINTS * 4;
    const [begin] = frames.data_offsets;
    const index = {
      path,
      size,
      start: 8 + length + begin,
      landmarks: new Float32Array(body.slice(0, afterLandmarks).buffer),
      offsets: new Uint32Array(body.slice(afterLandmarks, begin).buffer),
    };
    return index.landmarks.length === count * POINTS && index.offsets.length === count + 1 &&
        areOffsets(index.offsets, size, body.length - begin)
      ? index
      : undefined;
  } catch {
    return undefined; // whatever is wrong with it, it is made again
  }
};

/** Reads frames of a clip by index. Error: `BadSample` "unreadable". */
export const readClipFrames = (
  clip: ClipIndex,
  key: string,
  indices: readonly number[],
): TE.TaskEither<Err<"BadSample">, readonly Frame[]> => {
  const unreadable = (message: string): Err<"BadSample"> => ({
    _tag: "BadSample",
    key,
    reason: "unreadable",
    message: `${clip.path}: ${message}`,
  });
  return async () => {
    const frames: Frame[] = [];
    try {
      using file = await openFile(clip.path);
      for (const index of indices) {
        const [from, to] = [clip.offsets[index], clip.offsets[index + 1]];
        if (from === undefined || to === undefined) {
          throw new RangeError(`Cannot read frame ${index}: there are ${clip.offsets.length - 1}`);
        }
        await file.seek(clip.start + from, Deno.SeekMode.Start);
        const bytes = await readFully(file, new Uint8Array(to - from));
        if (bytes.length < to - from) return E.left(unreadable("it was cut off"));
        const { size } = clip;
        const image = size <= RAW_SIDE
          ? E.right({ width: size, height: size, channels: 3 as const, data: bytes })
          : await decodeImage(bytes, clip.path)();
        if (E.isLeft(image)) return E.left(unreadable(image.left.message));
        const landmarks = clip.landmarks.slice(index * POINTS, (index + 1) * POINTS);
        frames.push({ image: image.right, landmarks });
      }
      return E.right(frames);
    } catch (cause) {
      if (cause instanceof RangeError) throw cause;
      return E.left(unreadable(fileProblem(cause)));
    }
  };
};
