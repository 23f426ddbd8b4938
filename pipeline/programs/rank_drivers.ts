/**
 * Which drivers of a folder suit a person: by the geometry of their landmarks, or by likeness in
 * the eyes of a face recogniser, as the paper chooses them (section 4, CSIM).
 *
 * @module
 */
import type { FaceAnalyzer } from "../../backends/face.ts";
import { geometryFit } from "../../datasets/track/fit.ts";
import { readTrack, resizeTrack } from "../../datasets/track/landmark_track.ts";
import { VIDEO } from "../../datasets/video/discover.ts";
import { prepareClip } from "../../datasets/video/prepare_clip.ts";
import { badClip } from "../../datasets/video/probe.ts";
import { findVideoTools, type VideoTools } from "../../datasets/video/tools.ts";
import type { HasAbort, HasEvents } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { fileProblem } from "../core/files.ts";
import { type Flow, fromIterable, runCollect, skipBadSamples, through } from "../core/flow.ts";
import { E, F, type ReaderTaskEither, RTE, type TaskEither, TE } from "../core/fp.ts";
import type { Frame, Landmarks } from "../core/image.ts";
import type { Stage } from "../core/stage.ts";
import { csim } from "../metrics/csim.ts";
import { withFaces } from "./open_driver.ts";
import type { Person } from "./person.ts";

/** What drivers are ranked by. */
export type Ranking = "geometry" | "csim";

/** All that drivers can be ranked by. */
export const rankings: readonly [Ranking, ...Ranking[]] = ["geometry", "csim"];

/** How drivers are compared. */
export interface RankOptions {
  /** A folder; videos and saved tracks (JSON) are looked for in all that is in it. */
  readonly drivers: string;
  /** Default "geometry". */
  readonly by?: Ranking;
  /** So many frames of a driver are looked at, spread evenly; default 24. */
  readonly frames?: number;
}

/** A driver and how well it fits. */
export interface RankedDriver {
  /** The file. */
  readonly path: string;
  /** How far its face is from the person's, in eye distances: 0 is the same face. */
  readonly geometry: number;
  /** Likeness to the person's portrait, −1 to 1; only where ranked by it. */
  readonly csim?: number;
}

/** What can go wrong while ranking. */
export type RankError = Err<"Data" | "Config" | "Aborted" | "Backend" | "ToolMissing">;

const DEPTH = 6;
/** A descriptor of so many frames is enough: it hardly changes within a clip. */
const DESCRIBED = 4;

/** `.ts` may be MPEG or a program: every packet of MPEG-TS begins with this byte. */
const PACKET = 0x47;

const mayBeVideo = async (path: string): Promise<boolean> => {
  if (!VIDEO.test(path)) return false;
  if (!/\.m?ts$/i.test(path)) return true;
  using file = await Deno.open(path);
  const first = new Uint8Array(1);
  return await file.read(first) === 1 && first[0] === PACKET;
};

const filesBelow = async (folder: string, depth: number): Promise<readonly string[]> => {
  const found: string[] = [], entries = await Array.fromAsync(Deno.readDir(folder));
  for (const { name } of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    if (name.startsWith(".")) continue;
    const path = `${folder.replace(/[/\\]+$/, "")}/${name}`;
    const stat = await Deno.stat(path).catch(() => undefined);
    if (stat?.isDirectory && depth > 0) found.push(...await filesBelow(path, depth - 1));
    else if (stat?.isFile && (/\.json$/i.test(name) || await mayBeVideo(path))) found.push(path);
  }
  return found;
};

const listDrivers = (folder: string, by: Ranking): TaskEither<Err<"Data">, readonly string[]> => {
  const refuse = (problem: string): Err<"Data"> => ({
    _tag: "Data",
    path: folder,
    message: `Cannot rank the drivers of ${folder}: ${problem}, expected a folder of videos` +
      (by === "geometry" ? " or landmark tracks" : ""),
  });
  return F.pipe(
    TE.tryCatch(() => filesBelow(folder, DEPTH), (cause) => refuse(fileProblem(cause))),
    TE.map((files) => by === "geometry" ? files : files.filter((path) => VIDEO.test(path))),
    TE.filterOrElse((files) => files.length > 0, () => refuse("it holds none")),
  );
};

type Faces = TaskEither<Err<"Backend">, FaceAnalyzer>;

const describe = (faces: Faces, { image, landmarks }: Frame) =>
  TE.flatMap((analyzer: FaceAnalyzer) => analyzer.descriptor(image, landmarks))(faces);

const spread = <A>(items: readonly A[], count: number): readonly A[] =>
  items.filter((_, i) => i % Math.ceil(items.length / count) === 0);

const likeness = (
  faces: Faces,
  portrait: ArrayLike<number>,
  frames: readonly Frame[],
): TaskEither<Err<"Backend">, number> =>
  F.pipe(
    spread(frames, DESCRIBED),
    TE.traverseSeqArray((frame) => describe(faces, frame)),
    TE.map((found) => found.reduce((sum, one) => sum + csim(portrait, one), 0) / found.length),
  );

type Measure = Stage<
  HasAbort,
  Err<"BadSample" | "Aborted" | "Backend">,
  string,
  RankedDriver
>;

const measureTrack = (person: Person, frames: number) => (path: string) =>
  F.pipe(
    readTrack(path),
    TE.mapLeft(({ message }): Err<"BadSample"> => badClip(path, "unreadable", message)),
    TE.flatMapEither((track) => {
      const seen = resizeTrack(track, person.rasterizer.size).frames
        .filter((points): points is Landmarks => points !== null);
      return seen.length === 0
        ? E.left(badClip(path, "no face", "none in any frame, expected one"))
        : E.right({ path, geometry: geometryFit(person.sources, spread(seen, frames)) });
    }),
  );

const measureVideo = (
  person: Person,
  faces: Faces,
  tools: VideoTools,
  frames: number,
  portrait: ArrayLike<number> | undefined,
): Measure =>
(path) =>
({ signal }) => {
  const clip = { identity: "", video: "", key: path, path, stamp: "" };
  const settings = { size: person.rasterizer.size, framesPerClip: frames, minFrames: 1 };
  return F.pipe(
    prepareClip(faces, tools, clip, settings, signal),
    TE.flatMap(({ frames }): TaskEither<Err<"Backend">, RankedDriver> => {
      const geometry = geometryFit(person.sources, frames.map(({ landmarks }) => landmarks));
      return portrait === undefined
        ? TE.right({ path, geometry })
        : TE.map((csim: number) => ({ path, geometry, csim }))(likeness(faces, portrait, frames));
    }),
  );
};

const best = (by: Ranking) => (all: readonly RankedDriver[]): readonly RankedDriver[] =>
  all.toSorted((a, b) => by === "csim" ? (b.csim ?? -1) - (a.csim ?? -1) : a.geometry - b.geometry);

/** Ranks with everything at hand. */
const rankFiles = (
  person: Person,
  { by = "geometry", frames = 24 }: RankOptions,
  files: readonly string[],
  faces: Faces,
  tools: VideoTools | undefined,
) =>
(r: HasAbort & HasEvents): TaskEither<RankError, readonly RankedDriver[]> => {
  const measure = (portrait: ArrayLike<number> | undefined): Measure => (path) =>
    VIDEO.test(path) && tools !== undefined
      ? measureVideo(person, faces, tools, frames, portrait)(path)
      : RTE.fromTaskEither(measureTrack(person, frames)(path));
  let done = 0;
  const told = (path: string): string => {
    r.emit({ _tag: "Progress", what: "comparing drivers", done: done++, of: files.length });
    return path;
  };
  const ranked = (portrait: ArrayLike<number> | undefined) => {
    const measured: Flow<
      HasAbort,
      Err<"BadSample" | "Aborted" | "Backend">,
      RankedDriver
    > = through(measure(portrait))(fromIterable(files.values().map(told)));
    return F.pipe(measured, skipBadSamples(files.length, "the drivers"), runCollect)(r);
  };
  const described: TaskEither<Err<"Backend">, Float32Array | undefined> = by === "csim"
    ? describe(faces, person.portrait)
    : TE.right(undefined);
  return F.pipe(
    described,
    TE.flatMap((portrait): TaskEither<RankError, readonly RankedDriver[]> => ranked(portrait)),
    TE.map(best(by)),
  );
};

/**
 * Ranks the drivers of a folder, the best first: videos and saved tracks whose face is most like
 * the person's. Those that cannot be used are told as events and left out. Errors: `Data` where
 * there is no driver, `ToolMissing`, `Backend`, `Aborted`.
 *
 * @example
 * ```ts ignore
 * const best = await rankDrivers({ drivers: "clips/" })(ada)(env)();
 * ```
 */
export const rankDrivers = (
  options: RankOptions,
): Stage<HasAbort & HasEvents, RankError, Person, readonly RankedDriver[]> =>
(person): ReaderTaskEither<HasAbort & HasEvents, RankError, readonly RankedDriver[]> =>
(r) =>
  F.pipe(
    TE.Do,
    TE.bindW("files", () => listDrivers(options.drivers, options.by ?? "geometry")),
    TE.bindW("tools", ({ files }): TaskEither<Err<"ToolMissing">, VideoTools | undefined> =>
      files.some((path) =>
          VIDEO.test(path)
        )
        ? findVideoTools()
        : TE.right(undefined)),
    TE.flatMap(({ files, tools }) =>
      withFaces((faces) => rankFiles(person, options, files, faces, tools)(r))
    ),
  );
