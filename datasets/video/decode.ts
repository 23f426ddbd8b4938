/**
 * Video files to raw pictures, one at a time, through a pipe from ffmpeg.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import { abortedBy } from "../../pipeline/core/abort.ts";
import type { HasAbort } from "../../pipeline/core/env.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import type { Flow } from "../../pipeline/core/flow.ts";
import type { Image } from "../../pipeline/core/image.ts";
import type { Rect } from "../../pipeline/core/resample.ts";
import { asInput, badClip, SAFE_INPUT, type VideoInfo } from "./probe.ts";
import { start } from "./process.ts";
import type { VideoTools } from "./tools.ts";

/** Which pictures of a video, and which part of them. */
export interface DecodeOptions {
  /** So many frames, spread evenly over the clip; all where it has fewer. Default: all. */
  readonly frames?: number;
  /** The part of the upright picture, in whole pixels inside it. Default: all of it. */
  readonly region?: Rect;
  /** The longer side of what comes is reduced to at most this. Default: no limit. */
  readonly longest?: number;
}

/** The size of the pictures that come. */
export const decodedSize = (
  info: VideoInfo,
  { region, longest = Infinity }: DecodeOptions,
): { readonly width: number; readonly height: number } => {
  const { width, height } = region ?? info;
  const scale = Math.min(1, longest / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
};

const filters = (info: VideoInfo, options: DecodeOptions, wanted: number): string => {
  const { region } = options;
  const { width, height } = decodedSize(info, options);
  return [
    // Frame n is the s-th chosen one where it is the first with n / frames >= s / wanted.
    wanted < info.frames ? `select='gte(n*${wanted},selected_n*${info.frames})'` : [],
    // The size as probed, so that the region means the same whatever the file does in between.
    `scale=${info.width}:${info.height}`,
    region === undefined
      ? []
      : `crop=${region.width}:${region.height}:${region.x}:${region.y}:exact=1`,
    // First smaller, in the video's own format with its coarse colours; then red, green and blue.
    `scale=${width}:${height}:flags=area+accurate_rnd`,
    `scale=${width}:${height}:flags=area+accurate_rnd+full_chroma_int`,
  ].flat().join(",");
};

/** A part of the frames may fail to decode at the ends of a clip; fewer than this is damage. */
const ENOUGH = 0.9;

/**
 * Decodes frames of a probed video in order, upright, each once whatever the frame rate does.
 * Holds one picture at a time; closing the stream ends ffmpeg. Errors, as the last element:
 * `BadSample` "unreadable" where decoding fails or gives fewer frames than the file holds;
 * `Aborted`.
 */
export const decodeFrames = (
  tools: VideoTools,
  path: string,
  key: string,
  info: VideoInfo,
  options: DecodeOptions = {},
): Flow<HasAbort, Err<"BadSample" | "Aborted">, Image> =>
  async function* ({ signal }): AsyncGenerator<E.Either<Err<"BadSample" | "Aborted">, Image>> {
    const wanted = Math.min(options.frames ?? info.frames, info.frames);
    const { width, height } = decodedSize(info, options);
    const running = start(tools.ffmpeg, [
      ...["-v", "error", "-nostdin", "-xerror", "-threads", "1", ...SAFE_INPUT],
      ...["-i", asInput(path), "-map", "0:V:0", "-vf", filters(info, options, wanted)],
      ...[...tools.everyFrame, "-frames:v", String(wanted)],
      ...["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
    ], signal);
    let ending: Awaited<ReturnType<typeof running.end>> | undefined;
    let frames = 0;
    try {
      let data = new Uint8Array(width * height * 3), filled = 0;
      for (let chunk = await running.pull(); chunk !== undefined; chunk = await running.pull()) {
        for (let used = 0; used < chunk.length;) {
          const part = chunk.subarray(used, used + data.length - filled);
          data.set(part, filled);
          filled += part.length;
          used += part.length;
          if (filled < data.length) continue;
          frames++;
          yield E.right({ width, height, channels: 3, data });
          data = new Uint8Array(width * height * 3);
          filled = 0;
        }
      }
      ending = await running.end();
    } finally {
      ending ??= await running.end();
    }
    if (signal.aborted) {
      yield E.left(abortedBy(signal));
    } else if (ending.stalled) {
      yield E.left(badClip(key, "unreadable", "ffmpeg gave no frame for a minute"));
    } else if (!ending.success) {
      yield E.left(badClip(key, "unreadable", `ffmpeg says "${ending.complaint}"`));
    } else if (frames < Math.floor(wanted * ENOUGH)) {
      const message = `${frames} of ${wanted} frames could be decoded`;
      yield E.left(badClip(key, "unreadable", message));
    }
  };
