/**
 * A film as an mp4 (H.264, 4:2:0) or a gif, through a pipe to ffmpeg.
 *
 * @module
 */
import { E, TE } from "../../pipeline/core/fp.ts";
import { abortedBy } from "../../pipeline/core/abort.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem, readFully } from "../../pipeline/core/files.ts";
import type { Image } from "../../pipeline/core/image.ts";
import { type Fed, feed } from "../video/feed.ts";
import { asInput, SAFE_INPUT } from "../video/probe.ts";
import type { Ending } from "../video/process.ts";
import type { Sound } from "../video/sound.ts";
import type { VideoTools } from "../video/tools.ts";
import { gifComment, gifHeadLength } from "./label.ts";
import { badFilm, type FilmWriter, partialName, putInPlace, removeQuietly } from "./output.ts";

/** What a film is besides its pictures. */
export interface FilmSettings {
  readonly path: string;
  readonly kind: "mp4" | "gif";
  readonly framesPerSecond: number;
  /** How many pictures will come: sound is cut off there. */
  readonly frames: number;
  /** Sound that goes with the pictures; mp4 only. */
  readonly sound?: Sound | undefined;
  /** Metadata: the comment of the file. */
  readonly comment?: string | undefined;
}

/** Players show gifs that are quicker than this slowly. */
const GIF_RATE = 50;

/** The sound's part of the command: from where the pictures begin to where they end. */
const soundInput = ({ sound, frames, framesPerSecond }: FilmSettings): readonly string[] =>
  sound === undefined ? [] : [
    ...SAFE_INPUT,
    ...(sound.skip > 0.001 ? ["-ss", sound.skip.toFixed(6)] : []),
    ...["-t", (frames / framesPerSecond).toFixed(6)],
    ...["-i", asInput(sound.path)],
  ];

const mp4Arguments = (settings: FilmSettings): readonly string[] => [
  ...["-map", "0:v:0", ...(settings.sound === undefined ? [] : ["-map", "1:a:0"])],
  // Sides must be even; the colours are tagged as what they are, or players guess.
  ...["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"],
  ...["-pix_fmt", "yuv420p", "-color_range", "tv", "-colorspace", "bt709"],
  ...["-color_primaries", "bt709", "-color_trc", "bt709"],
  ...["-c:v", "libx264", "-preset", "medium", "-crf", "16"],
  ...["-c:a", "aac", "-b:a", "160k"],
  ...(settings.comment === undefined ? [] : ["-metadata", `comment=${settings.comment}`]),
  ...["-movflags", "+faststart", "-f", "mp4"],
];

/** A palette for every picture: the memory of one picture, however long the film. */
const gifArguments = ({ framesPerSecond }: FilmSettings): readonly string[] => [
  "-vf",
  (framesPerSecond > GIF_RATE ? `fps=${GIF_RATE},` : "") +
  "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=sierra2_4a",
  ...["-loop", "0", "-f", "gif"],
];

const startEncoder = (
  tools: VideoTools,
  settings: FilmSettings,
  { width, height }: Image,
  partial: string,
  signal: AbortSignal,
): Fed =>
  feed(tools.ffmpeg, [
    ...["-v", "error", "-nostdin", "-f", "rawvideo", "-pixel_format", "rgb24"],
    ...["-video_size", `${width}x${height}`, "-framerate", String(settings.framesPerSecond)],
    ...["-i", "pipe:0", ...(settings.kind === "mp4" ? soundInput(settings) : [])],
    ...(settings.kind === "mp4" ? mp4Arguments(settings) : gifArguments(settings)),
    asInput(partial),
  ], signal);

/** A copy of a gif with a comment; ffmpeg writes none. */
const commentGif = async (from: string, to: string, comment: string): Promise<void> => {
  using source = await Deno.open(from);
  using target = await Deno.open(to, { write: true, createNew: true });
  const start = await readFully(source, new Uint8Array(13));
  const rest = await readFully(source, new Uint8Array(gifHeadLength(start) - 13));
  for (const part of [start, rest, gifComment(comment)]) {
    for (let done = 0; done < part.length;) done += await target.write(part.subarray(done));
  }
  const buffer = new Uint8Array(1 << 16);
  for (let part = await readFully(source, buffer); part.length > 0;) {
    for (let done = 0; done < part.length;) done += await target.write(part.subarray(done));
    part = await readFully(source, buffer);
  }
};

const finishGif = (
  path: string,
  partial: string,
  comment: string,
): TE.TaskEither<Err<"BadFile">, string> => {
  const commented = partialName(path);
  return TE.tryCatch(async () => {
    try {
      await commentGif(partial, commented, comment);
      await Deno.remove(partial);
      return commented;
    } catch (cause) {
      await removeQuietly(commented);
      throw cause;
    }
  }, (cause) => badFilm(path, `${fileProblem(cause)}, expected a writable folder with space`));
};

/**
 * Makes a writer; ffmpeg starts with the first picture. Errors of its parts: `BadFile` where ffmpeg
 * fails, `Aborted`.
 */
export const makeVideoWriter = (
  tools: VideoTools,
  settings: FilmSettings,
  signal: AbortSignal,
): FilmWriter => {
  const { path, kind, comment } = settings, partial = partialName(path);
  let encoder: Fed | undefined;
  const failed = ({ complaint, stalled }: Ending) =>
    signal.aborted
      ? abortedBy(signal)
      : badFilm(path, stalled ? "ffmpeg hangs" : `ffmpeg says "${complaint}"`);
  return {
    write: (image) => async () => {
      encoder ??= startEncoder(tools, settings, image, partial, signal);
      if (await encoder.push(image.data)) return E.right(undefined);
      const ending = await encoder.end();
      encoder = undefined;
      return E.left(failed(ending));
    },
    finish: async () => {
      const ending = await encoder?.end();
      encoder = undefined;
      if (ending === undefined) return E.left(badFilm(path, "there is no picture, expected one"));
      if (!ending.success || signal.aborted) return E.left(failed(ending));
      const whole = kind === "gif" && comment !== undefined
        ? await finishGif(path, partial, comment)()
        : E.right(partial);
      if (E.isLeft(whole)) return whole;
      const placed = await putInPlace(whole.right, path)();
      if (E.isLeft(placed)) await removeQuietly(whole.right);
      return placed;
    },
    discard: async () => {
      await encoder?.kill();
      encoder = undefined;
      await removeQuietly(partial);
    },
  };
};
