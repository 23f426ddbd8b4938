/**
 * Driving end to end: from somebody's motion to a film on the disk, and what its stages take.
 *
 * @module
 */
import { markSynthetic } from "../datasets/film/mark.ts";
import type { FilmKind } from "../datasets/film/output.ts";
import { findVideoTools } from "../datasets/video/tools.ts";
import type { PresetName } from "../models/presets.ts";
import type { Env } from "../pipeline/core/env.ts";
import { TE } from "../pipeline/core/fp.ts";
import type { Image } from "../pipeline/core/image.ts";
import { type Effort, median, seconds } from "../pipeline/core/timing.ts";
import { drive, motionFor } from "../pipeline/programs/drive.ts";
import { type FilmPlace, openWriter } from "../pipeline/programs/drive_film.ts";
import { driverKind, openDriver } from "../pipeline/programs/open_driver.ts";
import type { Person } from "../pipeline/programs/person.ts";
import { drawFor, openPerson, renderMaps } from "../pipeline/programs/render.ts";
import { framesOf, need, personOf, untrained } from "./untrained.ts";

/** Forms of the film. */
export const filmForms = ["png", "mp4", "gif"] as const;

/** What drives, and what comes out. */
export interface DriveBench {
  /** A video, a saved track (JSON) or `synthetic:PERSON`. */
  readonly driver: string;
  /** The form of the film; a folder of PNG pictures needs no ffmpeg. */
  readonly film: typeof filmForms[number];
  /** Frames of the driver, at most. */
  readonly frames: number;
}

/** Parts of driving. */
export const drivePartNames = ["whole", "landmarks", "generator", "encode"] as const;

/**
 * Seconds a frame. `whole`: the command, from opening the driver to the finished film. Its stages
 * alone, which the command runs side by side: `landmarks` are read, smoothed, brought onto the
 * person's face and drawn; `generator` makes frames of them in batches, read; `encode` marks,
 * encodes and writes.
 */
export type DriveTimes = Readonly<Record<typeof drivePartNames[number], number>>;

/** Runs the stages one after the other, each on all that the one before gave. */
const stages = async (
  env: Env,
  person: Person,
  place: FilmPlace,
  options: { readonly driver: string; readonly out: string; readonly frames: number },
): Promise<readonly number[]> => {
  const { size } = person.rasterizer, times = [env.now()];
  const lap = (): number => times.push(env.now());

  const { frames } = options;
  const driver = await need(openDriver(options.driver, { size, frames }, place.tools)(env));
  const motion = await need(TE.fromEither(motionFor(person, options, driver.track)));
  const maps = motion.frames.map((points) => drawFor(person.rasterizer, points));
  lap();
  using renderer = await need(openPerson(person)(env));
  const each = Math.max(1, Math.floor(512 / size)), images: Image[] = []; // as `drive` does
  for (let i = 0; i < maps.length; i += each) {
    images.push(...await need(renderMaps(renderer)(maps.slice(i, i + each))(env)));
  }
  lap();
  const writer = await need(openWriter(person, options, place, motion, undefined, env.signal));
  for (const image of images) await need(writer.write(markSynthetic(image)));
  await need(writer.finish);
  lap();
  return times.slice(1).map((time, i) => (time - (times[i] ?? NaN)) / 1000 / images.length);
};

/** Drives an untrained preset's person again and again; medians. */
export const driveSeconds = async (
  env: Env,
  preset: PresetName,
  { driver, film, frames }: DriveBench,
  { runs, mostSeconds }: Effort,
): Promise<DriveTimes> => {
  const trained = await untrained(env, preset);
  const person = await personOf(env, trained, await framesOf(trained, 8));
  const kind: FilmKind = film === "png" ? "folder" : film;
  const needless = kind === "folder" && driverKind(driver) !== "video";
  const place = { kind, tools: needless ? undefined : await need(findVideoTools()) };
  const folder = await Deno.makeTempDir(), end = performance.now() + 1000 * mostSeconds;
  const rounds: (readonly number[])[] = [];
  const name = (what: string): string =>
    `${folder}/${what}${rounds.length}${kind === "folder" ? "" : `.${kind}`}`;
  try {
    // The first round is a warm-up.
    while (rounds.length < 2 || (rounds.length <= runs && performance.now() < end)) {
      const options = { driver, frames }, parts = { ...options, out: name("parts") };
      let made = 1;
      const whole = await seconds(async () => {
        const driven = await need(drive({ ...options, out: name("whole") })(person)(env));
        made = driven.frames;
      }, env.now);
      rounds.push([whole / made, ...await stages(env, person, place, parts)]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const of = (part: typeof drivePartNames[number]): number =>
    median(rounds.slice(1).map((round) => round[drivePartNames.indexOf(part)] ?? NaN));
  return {
    whole: of("whole"),
    landmarks: of("landmarks"),
    generator: of("generator"),
    encode: of("encode"),
  };
};
