/**
 * A folder of videos or photos to training shards: find, plan, do this machine's part on all
 * cores, merge.
 *
 * @module
 */
import { E, F, RTE, TE } from "../../pipeline/core/fp.ts";
import type { HasAbort, HasEvents } from "../../pipeline/core/env.ts";
import type { BadSample, Err } from "../../pipeline/core/errors.ts";
import { fromIterable, runForEach, throughConcurrently } from "../../pipeline/core/flow.ts";
import { findVideoTools } from "../video/tools.ts";
import { cannotWrite } from "./digest.ts";
import { findClips } from "./find_clips.ts";
import { mergeShards, type PreparedReport } from "./merge.ts";
import { type ClipJob, makePackPool, packClip } from "./pack_pool.ts";
import type { PackFigures } from "./pack_worker.ts";
import { makePlan, type Plan, type PlannedShard, workName } from "./plan.ts";
import { preparedPaths, readPreparedIndex } from "./record.ts";
import type { PreparedSettings } from "./types.ts";
import { type Share, WHOLE } from "./share.ts";
import { finishedClip, finishedShard, writeShard } from "./write_shard.ts";

/** What {@link prepareFolder} does. */
export interface PrepareOptions {
  /** The folder of videos or photos. */
  readonly path: string;
  /** The folder of the prepared dataset; made where it does not exist. */
  readonly out: string;
  /** Side of the square frames in pixels. */
  readonly size: number;
  /** Frames a second of clips of ten seconds and more; shorter ones give every frame. Default 5. */
  readonly fps?: number;
  /** At most so many frames a clip, spread evenly over it. Default 300. */
  readonly frames?: number;
  /** At least so many frames a sequence (eight sources and a target), and a clip. Default 9. */
  readonly minFrames?: number;
  /** How frames are stored. Default "jpeg". */
  readonly format?: PreparedSettings["format"];
  /** Quality of the stored frames, 1 to 100. Default 95. */
  readonly quality?: number;
  /** The part of the people to validate with. Default 0.1. */
  readonly validation?: number;
  /** The part of the people to test with. Default 0.1. */
  readonly test?: number;
  /** About so many clips a shard. Default 64. */
  readonly clipsPerShard?: number;
  /** A CSV file that says who is in which file. */
  readonly identities?: string;
  /** Ends the person's part of a file name in a flat folder. Default "_". */
  readonly separator?: string;
  /** The part of the shards that this machine makes. Default: all. */
  readonly share?: Share;
  /** Clips done at once. Default: one a core, at most 64. */
  readonly workers?: number;
  /** Keep the pieces of the shards: clips added later then cost no more than themselves. */
  readonly keep?: boolean;
  /** Make no shard, only merge those that are there. */
  readonly mergeOnly?: boolean;
}

/** What {@link prepareFolder} did. */
export interface PrepareOutcome {
  /** Clips of this machine's shards. */
  readonly clips: number;
  /** Of them those that were done in an earlier run. */
  readonly earlier: number;
  /** Frames with a face in the clips of this run. */
  readonly faces: number;
  /** Shards of this machine, of all that are done, and of all. */
  readonly shards: { readonly own: number; readonly ready: number; readonly of: number };
  /** The account of the whole folder, where all shards are done. */
  readonly report?: PreparedReport;
  /** Of the clips of this run, one each. */
  readonly figures: readonly PackFigures[];
  /** From the first look at the folder to the end. */
  readonly seconds: number;
}

/** What can go wrong. */
export type PrepareError = Err<"Data" | "ToolMissing" | "Aborted" | "Backend">;

/** A clip to do, and the shard that is complete with it. */
interface Job extends ClipJob {
  readonly completes?: PlannedShard;
}

const settingsOf = (options: PrepareOptions): PreparedSettings => ({
  size: options.size,
  fps: options.fps ?? 5,
  frames: options.frames ?? 300,
  minFrames: options.minFrames ?? 9,
  format: options.format ?? "jpeg",
  quality: options.quality ?? 95,
  validation: options.validation ?? 0.1,
  test: options.test ?? 0.1,
  clipsPerShard: options.clipsPerShard ?? 64,
});

/** A folder that holds a dataset prepared otherwise is not written over. */
const openOut = (out: string, settings: PreparedSettings): TE.TaskEither<Err<"Data">, void> => {
  const paths = preparedPaths(out);
  return F.pipe(
    TE.tryCatch(async () => {
      await Deno.mkdir(paths.shards, { recursive: true });
      await Deno.mkdir(paths.work, { recursive: true });
    }, (cause) => cannotWrite(out, cause)),
    TE.flatMap(() => async () => {
      const index = await readPreparedIndex(paths.index)();
      if (E.isLeft(index)) return E.right(undefined); // none, or one that is made again
      const { settings: before } = index.right.value;
      const other = Object.entries(before).find(([name, value]) =>
        settings[name as keyof PreparedSettings] !== value
      );
      if (other === undefined) return E.right(undefined);
      const [name, value] = other, asked = settings[name as keyof PreparedSettings];
      const message = `Cannot prepare into ${out}: it holds videos prepared with ${name} ` +
        `${value}, not ${asked}, expected another folder or the same settings`;
      return E.left<Err<"Data">>({ _tag: "Data", path: out, message });
    }),
  );
};

const jobsOf = ({ clips }: PlannedShard, shard: PlannedShard, plan: Plan, out: string) =>
  clips.map((clip, i): Job => ({
    clip,
    target: `${preparedPaths(out).work}/${workName(clip, plan.settings)}`,
    ...(i === clips.length - 1 ? { completes: shard } : {}),
  }));

/**
 * Prepares a folder: finds its clips, plans the shards (everything of a person in one, people
 * split by a hash of their names), makes those of this machine's share on all cores, and merges
 * the lists where all shards are done, by whichever machine that is. A run that was killed goes on
 * at the clip; what is done is not done again; however it was stopped, shared and repeated, the
 * bytes are the same. Emits `Progress` (clips, faces, rejects, time left) and `SampleSkipped`.
 *
 * Errors: `Data` (no clip, a disk that cannot be written, another dataset in `out`),
 * `ToolMissing`, `Backend` (the face networks), `Aborted`.
 *
 * @example
 * ```ts
 * import { prepareFolder } from "./prepare_folder.ts";
 * const run = prepareFolder({ path: "no-such-folder", out: "unused", size: 64 });
 * const done = await run({ emit: () => {}, signal: new AbortController().signal })();
 * if (done._tag !== "Left" || done.left._tag !== "Data") throw new Error("unexpected");
 * ```
 */
export const prepareFolder = (
  options: PrepareOptions,
): RTE.ReaderTaskEither<HasEvents & HasAbort, PrepareError, PrepareOutcome> =>
(r) =>
async (): Promise<E.Either<PrepareError, PrepareOutcome>> => {
  const { path, out, share = WHOLE, keep = false, mergeOnly = false } = options;
  const workers = options.workers ?? Math.min(64, navigator.hardwareConcurrency);
  const settings = settingsOf(options);
  const began = performance.now();
  const found = await findClips(path, options)();
  if (E.isLeft(found)) return found;
  const opened = await openOut(out, settings)();
  if (E.isLeft(opened)) return opened;
  const plan = await makePlan(found.right, settings);
  const own = mergeOnly ? [] : plan.shards.filter((_, i) => i % share.count === share.index);
  const unfinished: PlannedShard[] = [];
  for (const shard of own) {
    if (await finishedShard(out, shard) === undefined) unfinished.push(shard);
  }
  const jobs = unfinished.flatMap((shard) => jobsOf(shard, shard, plan, out));
  const clips = own.reduce((sum, shard) => sum + shard.clips.length, 0);
  const figures: PackFigures[] = [];
  let done = clips - jobs.length, earlier = done, faces = 0, rejects = 0;

  const settle = (reject?: BadSample): void => {
    done++;
    if (reject !== undefined) {
      rejects++;
      r.emit({ _tag: "SampleSkipped", error: reject });
    }
    const fresh = done - earlier, seconds = (performance.now() - began) / 1000;
    const left = fresh === 0 ? "" : `, ${Math.ceil(seconds / fresh * (clips - done))} s left`;
    const what = `clips (${faces} faces, ${rejects} rejects${left})`;
    r.emit({ _tag: "Progress", what, done, of: clips });
  };

  // Shards none of whose clips is tried still get a list of their rejects.
  for (const shard of unfinished.filter(({ clips }) => clips.length === 0)) {
    const written = await writeShard(out, plan, shard, keep)();
    if (E.isLeft(written)) return written;
  }
  if (jobs.length > 0) {
    const needTools = jobs.some(({ clip }) => clip.frames === undefined);
    const tools = needTools ? await findVideoTools()() : E.right(undefined);
    if (E.isLeft(tools)) return tools;
    const pool = makePackPool(Math.min(workers, jobs.length), r.signal);
    const doJob = (job: Job) => (): TE.TaskEither<PrepareError, Job> => async () => {
      const record = await finishedClip(job.target);
      if (record !== undefined) {
        earlier++;
        settle(
          record.format === "headshot-rejected-1"
            ? { _tag: "BadSample", ...record.reject }
            : undefined,
        );
        return E.right(job);
      }
      const packed = await packClip(pool, tools.right, settings, job)();
      if (E.isLeft(packed)) {
        const { left } = packed;
        if (left._tag !== "BadSample") return E.left(left);
        settle(left);
      } else {
        figures.push(packed.right);
        faces += packed.right.packed;
        settle();
      }
      return E.right(job);
    };
    try {
      const finished = await F.pipe(
        fromIterable(jobs),
        throughConcurrently(4 * workers)(doJob), // the pool limits what runs at once
        runForEach(({ completes }: Job): RTE.ReaderTaskEither<unknown, PrepareError, unknown> =>
          completes === undefined
            ? RTE.right(undefined)
            : () => writeShard(out, plan, completes, keep)
        ),
      )(r)();
      if (E.isLeft(finished)) return finished;
    } finally {
      pool.close();
    }
  }
  return await F.pipe(
    mergeShards(out, plan, keep),
    TE.map(({ ready, of, report }): PrepareOutcome => ({
      ...{ clips, earlier, faces, figures },
      shards: { own: own.length, ready, of },
      ...(report === undefined ? {} : { report }),
      seconds: (performance.now() - began) / 1000,
    })),
  )();
};
