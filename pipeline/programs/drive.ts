/**
 * Driving: a person, somebody's motion, a film (sections 3.3 and 4, puppeteering).
 *
 * @module
 */
import { needHalves } from "../../backends/ops.ts";
import { checkFilmPath, exists, type FilmWriter } from "../../datasets/film/output.ts";
import {
  holdLostFace,
  type LandmarkTrack,
  type WholeTrack,
  writeTrack,
} from "../../datasets/track/landmark_track.ts";
import { retarget } from "../../datasets/track/retarget.ts";
import { smoothTrack } from "../../datasets/track/smooth.ts";
import { findVideoTools } from "../../datasets/video/tools.ts";
import type { HasAbort, HasBackend, HasEvents } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { type Flow, prefetch, runForEach } from "../core/flow.ts";
import { E, F, RTE, type TaskEither, TE } from "../core/fp.ts";
import type { Image } from "../core/image.ts";
import { bracket, type Stage } from "../core/stage.ts";
import { filmOf, type FilmPlace, openWriter } from "./drive_film.ts";
import type { DriveError, DriveNeeds, DriveOptions, DriveResult } from "./drive_options.ts";
import { type Driver, driverKind, openDriver } from "./open_driver.ts";
import type { Person } from "./person.ts";
import { openPersonIn } from "./render.ts";

/** All that can be known to be wrong before minutes of work. */
const checkPlace = (
  { driver, out, saveTrack }: DriveOptions,
): TaskEither<Err<"Config" | "ToolMissing">, FilmPlace> =>
  F.pipe(
    checkFilmPath(out),
    TE.filterOrElseW(() => saveTrack !== out, () => taken(out)),
    TE.chainFirstW(() => async () =>
      saveTrack !== undefined && await exists(saveTrack)
        ? E.left(taken(saveTrack))
        : E.right(undefined)
    ),
    TE.flatMap((kind): TaskEither<Err<"Config" | "ToolMissing">, FilmPlace> =>
      kind === "folder" && driverKind(driver) !== "video"
        ? TE.right({ kind, tools: undefined })
        : F.pipe(
          findVideoTools(),
          TE.mapLeft((error) => driverKind(driver) === "video" ? error : notWritten(out, error)),
          TE.map((tools) => ({ kind, tools })),
        )
    ),
  );

/** The tools are missed for the film alone: then a folder of pictures does without them. */
const notWritten = (out: string, error: Err<"ToolMissing">): Err<"ToolMissing"> => ({
  ...error,
  message: error.message.replace(/^Cannot read video/, `Cannot write ${out}`) +
    "; a folder of pictures needs neither",
});

const taken = (path: string): Err<"Config"> => ({
  _tag: "Config",
  problems: [`Cannot write ${path}: it exists, expected a new name`],
});

/** The driver's motion as this person's landmarks: smoothed, held where lost, retargeted. */
export const motionFor = (
  person: Person,
  { driver, retarget: how = "relative", smooth = true, holdSeconds = 1 }: DriveOptions,
  track: LandmarkTrack,
): E.Either<Err<"BadSample">, WholeTrack> =>
  F.pipe(
    holdLostFace(smooth ? smoothTrack(track) : track, holdSeconds, driver),
    E.map((whole) => retarget(how, person.sources, whole)),
  );

/** Pulls the film through the writer, one picture ahead, and puts it in place. */
const writeFilm = (
  film: Flow<HasBackend & HasAbort, DriveError, Image>,
  count: number,
): Stage<HasBackend & HasAbort & HasEvents, DriveError, FilmWriter, number> =>
(writer) =>
(r) => {
  let done = 0;
  const write = (image: Image) => () =>
    TE.map(() => r.emit({ _tag: "Progress", what: "driving", done: ++done, of: count }))(
      writer.write(image),
    );
  return F.pipe(
    F.pipe(film, prefetch(2), runForEach(write))(r),
    TE.chainFirst((): TaskEither<DriveError, void> => writer.finish),
  );
};

/** The person on the device, the writer open, both closed in every case. */
const makeFilm = (
  person: Person,
  options: DriveOptions,
  place: FilmPlace,
  driver: Driver,
  motion: WholeTrack,
): RTE.ReaderTaskEither<DriveNeeds, DriveError, number> =>
  F.pipe(
    person,
    bracket(
      openPersonIn(options.storage ?? "f32"),
      (renderer) =>
        bracket(
          () => ({ signal }: DriveNeeds) =>
            openWriter(person, options, place, motion, driver.sound, signal),
          writeFilm(filmOf(person, renderer, motion, driver, options), motion.frames.length),
          (writer) => writer.discard(),
        )(person),
      (renderer) => renderer[Symbol.dispose](),
    ),
  );

/**
 * Drives a person by somebody's motion and writes the film. Embedded and fine-tuned persons alike;
 * photos are not a person. The film appears when it is whole; whatever goes wrong, nothing is left.
 * Errors: `Config` where a name is taken or is no film's, `BadSample` for a driver without a face
 * or whose face is lost for too long, `BadFile`, `ToolMissing` without ffmpeg, `Aborted`, and those
 * of the backend.
 *
 * @example
 * ```ts ignore
 * const film = await drive({ driver: "talk.mp4", out: "ada.mp4" })(ada)(makeEnv({ backend }))();
 * ```
 */
export const drive = (
  options: DriveOptions,
): Stage<DriveNeeds, DriveError, Person, DriveResult> =>
(person) =>
(r) =>
  F.pipe(
    TE.Do,
    TE.bindW("place", () => checkPlace(options)),
    TE.chainFirstW(() =>
      options.storage === "f16" ? r.backend.run("with f16", needHalves) : TE.right(undefined)
    ),
    TE.bindW("driver", ({ place }) => {
      const { size } = person.rasterizer, { frames } = options;
      return openDriver(options.driver, { size, frames }, place.tools)(r);
    }),
    TE.bindW("motion", ({ driver: { track } }) => TE.fromEither(motionFor(person, options, track))),
    TE.bindW("started", () => TE.fromIO(r.now)),
    TE.bindW("frames", ({ place, driver, motion }) =>
      makeFilm(person, options, place, driver, motion)(r)),
    TE.chainFirstW(({ driver: { track } }) =>
      options.saveTrack === undefined ? TE.right(undefined) : writeTrack(options.saveTrack, track)
    ),
    TE.map(({ place, driver, frames, started }): DriveResult => ({
      out: options.out,
      frames,
      framesPerSecond: driver.track.framesPerSecond,
      retarget: options.retarget ?? "relative",
      held: driver.track.frames.filter((points) =>
        points === null
      ).length,
      sound: driver.sound !== undefined && place.kind === "mp4",
      marked: options.mark ?? true,
      secondsPerFrame: (r.now() - started) / 1000 / Math.max(1, frames),
    })),
  );
