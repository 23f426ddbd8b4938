/**
 * What drives a person, by its name: a video, a saved landmark track, or a synthetic person.
 *
 * @module
 */
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import { type LandmarkTrack, readTrack, resizeTrack } from "../../datasets/track/landmark_track.ts";
import { syntheticPictures, syntheticTrack } from "../../datasets/track/synthetic_driver.ts";
import { openVideoDriver, type VideoDriverError } from "../../datasets/track/video_driver.ts";
import type { Sound } from "../../datasets/video/sound.ts";
import { findVideoTools, type VideoTools } from "../../datasets/video/tools.ts";
import type { HasAbort, HasEvents } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { type Flow, fromIterable } from "../core/flow.ts";
import { E, F, type ReaderTaskEither, type TaskEither, TE } from "../core/fp.ts";
import type { Image } from "../core/image.ts";

/** A driver, ready: its motion, and what there is of its pictures and sound. */
export interface Driver {
  /** Its motion; lost frames are `null`. */
  readonly track: LandmarkTrack;
  /** Its crops, one a frame, made as they are asked for. A saved track has none. */
  readonly pictures: Flow<HasAbort, VideoDriverError, Image> | undefined;
  /** A video's sound. */
  readonly sound: Sound | undefined;
}

/** What can go wrong with a driver. */
export type DriverError =
  | VideoDriverError
  | Err<"BadFile" | "Config" | "ToolMissing">;

/** How a driver is read. */
export interface DriverOptions {
  /** Side of the crops in pixels: the person's. */
  readonly size: number;
  /** Only so many frames from the beginning. Default: all; 100 of a synthetic person. */
  readonly frames?: number | undefined;
}

const SYNTHETIC = /^synthetic:(\d{1,9})(?:\/(\d{1,9}))?$/;

const synthetic = (
  name: string,
  { size, frames = 100 }: DriverOptions,
): E.Either<Err<"Config">, Driver> => {
  const [, identity, video] = SYNTHETIC.exec(name) ?? [];
  if (identity === undefined) {
    return E.left({
      _tag: "Config",
      problems: [
        `Cannot drive by ${name}: it names nobody, expected synthetic:PERSON or ` +
        "synthetic:PERSON/VIDEO with numbers",
      ],
    });
  }
  const film = { identity: Number(identity), video: Number(video ?? 0), size, frames };
  return E.right({
    track: syntheticTrack(film),
    pictures: (r) => fromIterable(syntheticPictures(film))(r),
    sound: undefined,
  });
};

const saved = (path: string, { size, frames }: DriverOptions): TaskEither<Err<"BadFile">, Driver> =>
  F.pipe(
    readTrack(path),
    TE.map((track) => ({
      track: resizeTrack({ ...track, frames: track.frames.slice(0, frames) }, size),
      pictures: undefined,
      sound: undefined,
    })),
  );

/** Runs with face networks that are loaded when first asked for, and closes them. */
export const withFaces =
  <Er, A>(use: (faces: TaskEither<Err<"Backend">, FaceAnalyzer>) => TaskEither<Er, A>) =>
  async (): Promise<E.Either<Er, A>> => {
    let made: E.Either<Err<"Backend">, FaceAnalyzer> | undefined;
    try {
      return await use(async () => made ??= await createFaceAnalyzer()())();
    } finally {
      if (made !== undefined && E.isRight(made)) await made.right.close();
    }
  };

const recorded =
  (path: string, options: DriverOptions, tools?: VideoTools) =>
  (r: HasAbort & HasEvents): TaskEither<DriverError, Driver> => {
    const { size, frames } = options;
    const wanted = frames === undefined ? { size } : { size, frames };
    return F.pipe(
      tools === undefined ? findVideoTools() : TE.right(tools),
      TE.flatMap((found): TaskEither<DriverError, Driver> =>
        withFaces((faces): TaskEither<DriverError, Driver> =>
          openVideoDriver(faces, found, path, wanted)(r)
        )
      ),
    );
  };

/** What kind of driver a name is. */
export const driverKind = (name: string): "synthetic" | "track" | "video" => {
  if (name.startsWith("synthetic:")) return "synthetic";
  return /\.json$/i.test(name) ? "track" : "video";
};

/**
 * Opens a driver: `synthetic:PERSON` or `synthetic:PERSON/VIDEO`, the JSON file of a saved track,
 * or a video, whose face is followed through every frame. Errors: `Config` for a synthetic person
 * that is none, `BadFile` for a broken track, `BadSample` for a video that cannot be read or shows
 * no face, `ToolMissing` without ffmpeg, `Backend`, `Aborted`.
 */
export const openDriver = (
  name: string,
  options: DriverOptions,
  tools?: VideoTools,
): ReaderTaskEither<HasAbort & HasEvents, DriverError, Driver> =>
(r) => {
  switch (driverKind(name)) {
    case "synthetic":
      return TE.fromEither(synthetic(name, options));
    case "track":
      return saved(name, options);
    case "video":
      return recorded(name, options, tools)(r);
  }
};
