/**
 * A folder of videos of people as a dataset: every clip becomes cropped frames with landmarks in
 * a cache on disk, once; later runs open the cache.
 *
 * @module
 */
import { E, F, RTE, TE } from "../pipeline/core/fp.ts";
import type { HasAbort, HasEvents } from "../pipeline/core/env.ts";
import type { BadSample, Err } from "../pipeline/core/errors.ts";
import { fileProblem } from "../pipeline/core/files.ts";
import { fromIterable, runForEach, throughConcurrently } from "../pipeline/core/flow.ts";
import type { Dataset } from "./dataset.ts";
import { describeReport, emptyReport, type FolderReport, noteClip } from "./video/report.ts";
import { cacheName, readReject } from "./video/cache_file.ts";
import { type ClipIndex, readClipIndex } from "./video/clip_file.ts";
import { type ClipPool, makeClipPool } from "./video/clip_pool.ts";
import { type Clip, discoverClips } from "./video/discover.ts";
import { poolClips, readPooled } from "./video/pooled.ts";
import type { PrepareSettings } from "./video/prepare_clip.ts";
import { splitIdentities } from "./video/split.ts";
import { findVideoTools, type VideoTools } from "./video/tools.ts";

/** What {@link videoFolder} reads and how. */
export interface VideoFolderOptions {
  /** The folder: VoxCeleb2 or VoxCeleb1 layout. */
  readonly path: string;
  /** Side of the square frames in pixels. */
  readonly size: number;
  /** The folder of prepared clips; made where it does not exist. */
  readonly cache: string;
  /** At most so many frames a clip, spread evenly over it. Default 48. */
  readonly framesPerClip?: number;
  /** A clip with fewer usable frames is rejected. Default 9 (eight sources and a target). */
  readonly minFrames?: number;
  /** The part of the identities that is kept for evaluation. Default 0.1. */
  readonly heldOutShare?: number;
  /** Clips prepared at once. Default: one a core, at most 16. */
  readonly workers?: number;
}

/** A dataset of real people, with the account of how its clips were prepared. */
export interface VideoFolder extends Dataset {
  /** What became of every clip, and how long it took. */
  readonly report: FolderReport;
}

type FolderError = Err<"Data" | "ToolMissing" | "Aborted" | "Backend">;

/** Changes when the same clip would give other frames; part of every cache name. */
const PREPARATION = "1";

interface Job {
  readonly clip: Clip;
  /** The cache file without its extension. */
  readonly target: string;
}

/** A clip in the cache: its frames, or why it has none. */
type Cached = E.Either<BadSample, ClipIndex>;

const lookUp = async ({ clip, target }: Job, size: number): Promise<Cached | undefined> => {
  const index = await readClipIndex(`${target}.safetensors`, size);
  if (index !== undefined) return E.right(index);
  const reject = await readReject(`${target}.json`, clip.key);
  return reject === undefined ? undefined : E.left(reject);
};

const STALE = 3_600_000;

/** Makes the cache folder and removes what writers that were killed left in it. */
const openCache = (path: string): TE.TaskEither<Err<"Data">, void> =>
  TE.tryCatch(async () => {
    await Deno.mkdir(path, { recursive: true });
    for await (const { name } of Deno.readDir(path)) {
      if (!name.endsWith(".partial")) continue;
      const left = await Deno.stat(`${path}/${name}`).catch(() => undefined);
      const age = Date.now() - (left?.mtime?.getTime() ?? Date.now());
      if (age > STALE) await Deno.remove(`${path}/${name}`).catch(() => {});
    }
  }, (cause) => ({
    _tag: "Data",
    path,
    message: `Cannot keep prepared clips in ${path}: ${fileProblem(cause)}, ` +
      "expected a folder that can be written",
  }));

const jobs = async (
  clips: readonly Clip[],
  cache: string,
  settings: PrepareSettings,
): Promise<readonly Job[]> =>
  await Promise.all(clips.map(async (clip) => {
    const name = await cacheName([PREPARATION, JSON.stringify(settings), clip.key, clip.stamp]);
    return { clip, target: `${cache}/${name}` };
  }));

/** Prepares a clip; the death of a worker is forgiven once. */
const prepareJob = (
  pool: ClipPool,
  tools: VideoTools | undefined,
  settings: PrepareSettings,
  { clip, target }: Job,
) => {
  const run = pool.prepare({ kind: "prepare", clip, tools, settings, target });
  return F.pipe(run, TE.orElse((error) => error._tag === "Backend" ? run : TE.left(error)));
};

/**
 * Opens a folder of videos: finds its clips, prepares those that the cache does not hold on all
 * cores (decode, detect and follow the face, crop; broken cache files are made again, a run that
 * was stopped goes on at the clip), and splits the people by a hash of their names. Emits
 * `Progress` ("clips") and `SampleSkipped` for each clip that cannot be used; needs ffmpeg only
 * where a video file is not in the cache.
 *
 * Errors: `Data` (no folder, no clip, no usable clip, a cache that cannot be written),
 * `ToolMissing`, `Backend` (the face networks), `Aborted`.
 *
 * @example
 * ```ts
 * import { videoFolder } from "./folder.ts";
 * const open = videoFolder({ path: "no-such-folder", size: 64, cache: "unused" });
 * const opened = await open({ emit: () => {}, signal: new AbortController().signal })();
 * if (opened._tag !== "Left" || opened.left._tag !== "Data") throw new Error("unexpected");
 * ```
 */
export const videoFolder = (
  options: VideoFolderOptions,
): RTE.ReaderTaskEither<HasEvents & HasAbort, FolderError, VideoFolder> =>
(r) =>
async (): Promise<E.Either<FolderError, VideoFolder>> => {
  const { path, size, cache, framesPerClip = 48, minFrames = 9, heldOutShare = 0.1 } = options;
  const workers = options.workers ?? Math.min(16, navigator.hardwareConcurrency);
  const settings: PrepareSettings = { size, framesPerClip, minFrames };
  const began = performance.now();
  const found = await discoverClips(path)();
  if (E.isLeft(found)) return found;
  const opened = await openCache(cache)();
  if (E.isLeft(opened)) return opened;

  const report = emptyReport(found.right.length);
  const usable = new Map<string, readonly [Clip, ClipIndex]>();
  const settle = (job: Job, cached: Cached): void => {
    noteClip(report, cached);
    if (E.isRight(cached)) usable.set(job.clip.key, [job.clip, cached.right]);
    else r.emit({ _tag: "SampleSkipped", error: cached.left });
    const { settled: done, clips: of } = report;
    r.emit({ _tag: "Progress", what: "clips", done, of });
  };
  const missing: Job[] = [];
  const all = await jobs(found.right, cache, settings);
  for (const job of all) {
    const cached = await lookUp(job, size);
    if (cached === undefined) missing.push(job);
    else settle(job, cached);
  }
  report.cached = report.settled;

  if (missing.length > 0) {
    const needTools = missing.some(({ clip }) => clip.frames === undefined);
    const tools = needTools ? await findVideoTools()() : E.right(undefined);
    if (E.isLeft(tools)) return tools;
    const pool = makeClipPool(Math.min(workers, missing.length), r.signal);
    const prepare = (job: Job) => () =>
      F.pipe(
        prepareJob(pool, tools.right, settings, job),
        TE.flatMap((figures) =>
          TE.tryCatch(async () => {
            report.figures.push(figures);
            const index = await readClipIndex(`${job.target}.safetensors`, size);
            if (index === undefined) throw new Error("it is not what was written");
            settle(job, E.right(index));
          }, (cause): FolderError => ({
            _tag: "Data",
            path: job.target,
            message: `Cannot read ${job.target}.safetensors back: ${fileProblem(cause)}`,
          }))
        ),
        TE.orElse((error) =>
          error._tag === "BadSample"
            ? TE.fromIO(() => settle(job, E.left(error)))
            : TE.left<FolderError, void>(error)
        ),
      );
    try {
      const prepared = await F.pipe(
        fromIterable(missing),
        throughConcurrently(4 * workers)(prepare), // the pool limits what runs at once
        runForEach(() => RTE.right(undefined)),
      )(r)();
      if (E.isLeft(prepared)) return prepared;
    } finally {
      pool.close();
    }
  }
  report.seconds = (performance.now() - began) / 1000;

  if (usable.size === 0) {
    const message = `Cannot use ${path}: none of its ${report.clips} clips shows a face to ` +
      `train on (${describeReport(report)}), expected at least one`;
    return E.left({ _tag: "Data", path, message });
  }
  // In the order of the folder, not of the workers: rows of W are counted by it.
  const pools = poolClips(all.flatMap(({ clip: { key } }) => {
    const prepared = usable.get(key);
    return prepared === undefined ? [] : [prepared];
  }));
  const sequences = [...pools.values()].map(({ sequence }) => sequence);
  const heldOut = await splitIdentities(sequences.map(({ identity }) => identity), heldOutShare);
  return E.right({
    name: path,
    size,
    train: sequences.filter(({ identity }) => !heldOut.has(identity)),
    heldOut: sequences.filter(({ identity }) => heldOut.has(identity)),
    read: ({ identity, video }, indices) => {
      const key = `${identity}/${video}`;
      return readPooled(key, pools.get(key)?.clips ?? [], indices);
    },
    report,
  });
};
