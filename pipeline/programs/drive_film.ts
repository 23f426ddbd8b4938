/**
 * The film of a driven person: frames rendered in batches, put together, marked, written.
 *
 * @module
 */
import { contactSheet } from "../../datasets/drawing.ts";
import { openFolderWriter } from "../../datasets/film/folder_writer.ts";
import { enlarge, markSynthetic } from "../../datasets/film/mark.ts";
import type { FilmKind, FilmWriter } from "../../datasets/film/output.ts";
import { makeVideoWriter } from "../../datasets/film/video_writer.ts";
import type { WholeTrack } from "../../datasets/track/landmark_track.ts";
import type { Sound } from "../../datasets/video/sound.ts";
import type { VideoTools } from "../../datasets/video/tools.ts";
import type { HasAbort, HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { batch, type Flow, fromIterable, through } from "../core/flow.ts";
import { flatten, zip } from "../core/flow_shape.ts";
import { F, RTE, type TaskEither, TE } from "../core/fp.ts";
import type { Image, Landmarks } from "../core/image.ts";
import type { Owned } from "../core/owned.ts";
import { fromFunction, type Stage } from "../core/stage.ts";
import { type DriveError, type DriveOptions, syntheticNotice } from "./drive_options.ts";
import type { Driver } from "./open_driver.ts";
import type { Person } from "./person.ts";
import { drawFor, type PersonRenderer, renderMaps } from "./render.ts";

/** Where a film goes, and the tools that it takes. */
export interface FilmPlace {
  readonly kind: FilmKind;
  /** Absent only where neither driver nor film is a video. */
  readonly tools: VideoTools | undefined;
}

/** A frame of the film before it is put together. */
interface Rendered {
  readonly map: Image;
  readonly image: Image;
}

const renderFrames = (
  person: Owned<PersonRenderer>,
): Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  readonly Landmarks[],
  readonly Rendered[]
> =>
(landmarks) => {
  const maps = landmarks.map((points) => drawFor(person.value.rasterizer, points));
  return F.pipe(
    renderMaps(person)(maps),
    RTE.map((images) =>
      images.flatMap((image, i) => maps[i] === undefined ? [] : [{ map: maps[i], image }])
    ),
  );
};

/** The pictures of the film, made as they are asked for: a batch of frames is in memory. */
export const filmOf = (
  { portrait }: Person,
  renderer: Owned<PersonRenderer>,
  { frames, size }: WholeTrack,
  { pictures }: Driver,
  options: DriveOptions,
): Flow<HasBackend & HasAbort, DriveError, Image> => {
  const { sideBySide = false, mark = true, enlarge: times = 1 } = options;
  const finish = (panels: readonly Image[]): Image => {
    const sheet = enlarge(contactSheet(panels, panels.length), times);
    const side = size * times;
    return mark ? markSynthetic(sheet, sheet.width - side, side) : sheet;
  };
  const rendered = F.pipe(
    fromIterable(frames),
    batch(options.batch ?? Math.max(1, Math.floor(512 / size))),
    through(renderFrames(renderer)),
    flatten,
  );
  if (!sideBySide) {
    return F.pipe(rendered, through(fromFunction(({ image }: Rendered) => finish([image]))));
  }
  if (pictures === undefined) {
    const panels = ({ map, image }: Rendered) => finish([portrait.image, map, image]);
    return F.pipe(rendered, through(fromFunction(panels)));
  }
  const panels = ([{ map, image }, seen]: readonly [Rendered, Image]) =>
    finish([portrait.image, map, seen, image]);
  return F.pipe(rendered, zip(pictures), through(fromFunction(panels)));
};

/** Opens what takes the film's pictures; `tools` are needed for all but a folder. */
export const openWriter = (
  person: Person,
  { out: path, metadata = true }: DriveOptions,
  { kind, tools }: FilmPlace,
  { framesPerSecond, frames }: WholeTrack,
  sound: Sound | undefined,
  signal: AbortSignal,
): TaskEither<Err<"BadFile">, FilmWriter> => {
  const comment = metadata ? syntheticNotice(person) : undefined;
  if (kind === "folder" || tools === undefined) return openFolderWriter(path, comment);
  const settings = { path, kind, comment, framesPerSecond, frames: frames.length, sound };
  return TE.right(makeVideoWriter(tools, settings, signal));
};
