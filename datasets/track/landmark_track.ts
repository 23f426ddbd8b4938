/**
 * A landmark track: the motion of one face, frame by frame, in pixels of one square crop. What
 * drives a person, and all that driving needs to know of the driver.
 *
 * @module
 */
import { E, F, t, TE } from "../../pipeline/core/fp.ts";
import { type Codec, decodeConfig, listOf, refined, strict } from "../../pipeline/core/config.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { decodeUtf8 } from "../../pipeline/core/config_file.ts";
import { fileProblem, readBounded } from "../../pipeline/core/files.ts";
import type { Landmarks } from "../../pipeline/core/image.ts";

/** A face in motion. */
export interface LandmarkTrack {
  /** How many frames a second has, above 0. */
  readonly framesPerSecond: number;
  /** Side of the square crop that the landmarks are in pixels of. */
  readonly size: number;
  /** One entry a frame; `null` where the face was lost. // [frames][68, 2] */
  readonly frames: readonly (Landmarks | null)[];
}

/** A track whose face is known in every frame. */
export interface WholeTrack extends LandmarkTrack {
  /** One entry a frame. // [frames][68, 2] */
  readonly frames: readonly Landmarks[];
}

/** An hour at 30 frames a second takes about 90 MB. */
const MAX_BYTES = 256 * 2 ** 20;
const MAX_FRAMES = 1_000_000;
const FORMAT = "headshot-track-1";
const POINTS = 68;

const between = (name: string, low: number, high: number): Codec<number> =>
  refined(
    name,
    (value): value is number => typeof value === "number" && value >= low && value <= high,
  );

type Points = readonly number[] | null;

const Points: Codec<Points> = refined(
  `null or ${2 * POINTS} finite numbers (x0, y0, x1, …)`,
  (value): value is Points =>
    value === null ||
    (Array.isArray(value) && value.length === 2 * POINTS && value.every(Number.isFinite)),
);

const Stored = strict({
  format: refined(`"${FORMAT}"`, (value): value is typeof FORMAT => value === FORMAT),
  framesPerSecond: between("a number from 0.1 to 1000", 0.1, 1000),
  size: between("a number of pixels from 1 to 16384", 1, 16384),
  frames: listOf(Points, 1),
});
type Stored = t.TypeOf<typeof Stored>;

const badTrack = (path: string, message: string): Err<"BadFile"> => ({
  _tag: "BadFile",
  path,
  message,
});

const fromStored = ({ framesPerSecond, size, frames }: Stored): LandmarkTrack => ({
  framesPerSecond,
  size,
  frames: frames.map((points) => points === null ? null : Float32Array.from(points)),
});

/** A track out of the text of its file; `path` is what errors call it. Error: `BadFile`. */
export const parseTrack = (
  bytes: Uint8Array,
  path: string,
): E.Either<Err<"BadFile">, LandmarkTrack> => {
  const text = decodeUtf8(bytes);
  const refuse = (message: string) => E.left(badTrack(path, message));
  if (text === undefined) {
    return refuse(`Cannot read ${path}: it is not UTF-8 text, expected a landmark track in JSON`);
  }
  const parsed = E.tryCatch((): unknown => JSON.parse(text), () => undefined);
  if (E.isLeft(parsed)) {
    return refuse(`Cannot read ${path}: it is no whole JSON, expected a landmark track`);
  }
  const decoded = decodeConfig(Stored, path)(parsed.right);
  if (E.isLeft(decoded)) {
    const [first = "", ...more] = decoded.left.problems;
    return refuse(first + (more.length > 0 ? ` (and ${more.length} more problems)` : ""));
  }
  return decoded.right.frames.length > MAX_FRAMES
    ? refuse(`Cannot read ${path}: it has more than ${MAX_FRAMES} frames, expected fewer`)
    : E.right(fromStored(decoded.right));
};

/**
 * Reads a track: `{"format": "headshot-track-1", "framesPerSecond": 25, "size": 256, "frames":
 * [[x0, y0, x1, …] | null, …]}`, at most 256 MiB. Error: `BadFile`, with the path and the place.
 */
export const readTrack = (path: string): TE.TaskEither<Err<"BadFile">, LandmarkTrack> =>
  F.pipe(
    readBounded(path, MAX_BYTES),
    TE.flatMapEither((bytes) => parseTrack(bytes, path)),
  );

/** The text of a track's file; hundredths of a pixel are kept. */
export const trackText = ({ framesPerSecond, size, frames }: LandmarkTrack): string => {
  const rounded = (points: Landmarks | null): Points =>
    points && Array.from(points, (v) => Math.round(v * 100) / 100);
  const head = JSON.stringify({ format: FORMAT, framesPerSecond, size }).slice(0, -1);
  const rows = frames.map((points) => JSON.stringify(rounded(points)));
  return `${head},"frames":[\n${rows.join(",\n")}\n]}\n`;
};

/** Writes a track to a file that does not exist yet. Error: `BadFile`. */
export const writeTrack = (
  path: string,
  track: LandmarkTrack,
): TE.TaskEither<Err<"BadFile">, void> =>
  TE.tryCatch(
    () => Deno.writeTextFile(path, trackText(track), { createNew: true }),
    (cause) =>
      badTrack(path, `Cannot write ${path}: ${fileProblem(cause)}, expected a new file's name`),
  );

/** The same track in pixels of a crop of another size. */
export const resizeTrack = <Track extends LandmarkTrack>(track: Track, size: number): Track => {
  const scale = size / track.size;
  const frames = track.frames.map((points) => points && points.map((v) => v * scale));
  return { ...track, size, frames };
};

/**
 * Repeats the last good frame where the face was lost, for at most `seconds` (at the beginning:
 * the first good frame). Error: `BadSample` "no face" where there is none in the whole track,
 * "face lost" where a gap is longer, with its times.
 */
export const holdLostFace = (
  track: LandmarkTrack,
  seconds: number,
  key: string,
): E.Either<Err<"BadSample">, WholeTrack> => {
  const { frames, framesPerSecond } = track;
  const refuse = (reason: "no face" | "face lost", message: string) =>
    E.left<Err<"BadSample">>({ _tag: "BadSample", key, reason, message });
  let last = frames.find((points) => points !== null);
  if (last === undefined || last === null) {
    return refuse("no face", `none in any of ${frames.length} frames, expected one face to follow`);
  }
  const whole: Landmarks[] = [];
  const at = (frame: number): string => (frame / framesPerSecond).toFixed(2);
  for (let i = 0; i < frames.length;) {
    let end = i;
    while (end < frames.length && frames[end] === null) end++;
    if ((end - i) / framesPerSecond > seconds) {
      return refuse(
        "face lost",
        `the face is not seen from ${at(i)} s to ${at(end)} s, expected gaps of at most ` +
          `${seconds} s (the time for which the last good frame is repeated)`,
      );
    }
    for (; i < end; i++) whole.push(last);
    const seen = frames[i];
    if (seen) whole.push(last = seen);
    i++;
  }
  return E.right({ ...track, frames: whole.slice(0, frames.length) });
};
