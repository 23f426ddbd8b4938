/**
 * The frames of a clip, whether it is a video file or a folder of pictures.
 *
 * @module
 */
import { E, F, TE } from "../../pipeline/core/fp.ts";
import type { HasAbort } from "../../pipeline/core/env.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import type { Flow } from "../../pipeline/core/flow.ts";
import type { Image } from "../../pipeline/core/image.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { readImage } from "../codec.ts";
import { decodedSize, decodeFrames, type DecodeOptions } from "./decode.ts";
import type { Clip } from "./discover.ts";
import { badClip, probeVideo, type VideoInfo } from "./probe.ts";
import type { VideoTools } from "./tools.ts";

/** A clip that can be read, from its beginning, as often as needed. */
export interface ClipSource {
  readonly info: VideoInfo;
  readonly frames: (options: DecodeOptions) => Flow<HasAbort, Err<"BadSample" | "Aborted">, Image>;
}

/** VoxCeleb1 stores one frame a second. */
const FOLDER_RATE = 1;

const readPicture = (clip: Clip, path: string): TE.TaskEither<Err<"BadSample">, Image> =>
  F.pipe(
    readImage(path),
    TE.mapLeft(({ message }) => badClip(clip.key, "unreadable", message)),
  );

const ofFolder = (clip: Clip, paths: readonly string[], info: VideoInfo): ClipSource => ({
  info,
  frames: (options) =>
    async function* (): AsyncGenerator<E.Either<Err<"BadSample">, Image>> {
      const wanted = Math.min(options.frames ?? paths.length, paths.length);
      const { region = { x: 0, y: 0, width: info.width, height: info.height } } = options;
      const { width, height } = decodedSize(info, options);
      for (let i = 0; i < wanted; i++) {
        const path = paths[Math.ceil(i * paths.length / wanted)];
        if (path === undefined) throw new RangeError(`Cannot find picture ${i} of ${wanted}`);
        const read = await readPicture(clip, path)();
        if (
          E.isRight(read) && (read.right.width !== info.width ||
            read.right.height !== info.height)
        ) {
          yield E.left(badClip(
            clip.key,
            "unreadable",
            `${path} is ${read.right.width}×${read.right.height}, expected ` +
              `${info.width}×${info.height} like the first`,
          ));
          return;
        }
        yield E.map((image: Image) => resample(image, region, width, height))(read);
        if (E.isLeft(read)) return;
      }
    },
});

/**
 * Opens a clip; the tools may be missing where it is a folder of pictures. Errors: `BadSample`
 * "unreadable" or "no video"; `Aborted`.
 */
export const openClip = (
  tools: VideoTools | undefined,
  clip: Clip,
  signal: AbortSignal,
): TE.TaskEither<Err<"BadSample" | "Aborted">, ClipSource> => {
  if (clip.frames !== undefined) {
    const paths = clip.frames;
    return F.pipe(
      readPicture(clip, paths[0] ?? clip.path),
      TE.map(({ width, height }) =>
        ofFolder(clip, paths, { width, height, frames: paths.length, framesPerSecond: FOLDER_RATE })
      ),
    );
  }
  if (tools === undefined) {
    throw new RangeError(
      `Cannot open ${clip.key}: a video file, but the tools were not looked for`,
    );
  }
  return F.pipe(
    probeVideo(tools, clip.path, clip.key, signal),
    TE.map((info): ClipSource => ({
      info,
      frames: (options) => decodeFrames(tools, clip.path, clip.key, info, options),
    })),
  );
};
