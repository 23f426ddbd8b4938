/**
 * The lists of all shards merged into one index: the last step, done by whoever finds all of them
 * there.
 *
 * @module
 */
import { E, TE } from "../../pipeline/core/fp.ts";
import type { Err, RejectReason } from "../../pipeline/core/errors.ts";
import { fileProblem } from "../../pipeline/core/files.ts";
import { median } from "../crop.ts";
import { cannotWrite, PARTIAL, sha256, writeJson, writeWhole } from "./digest.ts";
import type { Plan } from "./plan.ts";
import { preparedPaths, type ShardList, SPLITS } from "./record.ts";
import type { Counts, PreparedIndex, Rejected } from "./types.ts";
import { finishedShard } from "./write_shard.ts";

/** What became of all clips: `report.json`. */
export interface PreparedReport {
  /** Clips found. */
  readonly clips: number;
  /** Clips with frames. */
  readonly usable: number;
  /** Frames in the shards. */
  readonly frames: number;
  /** Clips that are not in the shards, counted by reason. */
  readonly rejects: Readonly<Partial<Record<RejectReason, number>>>;
  /** Medians over the usable clips; null where there are none. */
  readonly medians: {
    /** Side of the face in pixels of the video. */
    readonly face: number | null;
    /** Of the face: 0.9 and more where a clip has the detail of its size. */
    readonly sharpness: number | null;
    /** Frame-to-frame jitter of landmarks in sides of the face, as detected. */
    readonly rawJitter: number | null;
    /** The same as stored. */
    readonly jitter: number | null;
  };
  /** Frames that were looked at and left out of usable clips, by reason. */
  readonly dropped: {
    /** Without the face at its usual place. */
    readonly lost: number;
    /** Out of focus. */
    readonly blurred: number;
    /** The same as the frame before. */
    readonly duplicate: number;
  };
  /** Each clip that is not in the shards. */
  readonly rejected: readonly Rejected[];
}

/** How far a folder is. */
export interface Merged {
  /** Shards that are done. */
  readonly ready: number;
  /** Shards of the plan. */
  readonly of: number;
  /** The account of all clips, where all shards are done: the index is written. */
  readonly report?: PreparedReport;
}

const countSplit = (lists: readonly ShardList[]): Counts => {
  const clips = lists.flatMap((list) => list.clips);
  return {
    identities: new Set(clips.map(({ identity }) => identity)).size,
    sequences: new Set(clips.map(({ identity, video }) => JSON.stringify([identity, video]))).size,
    clips: clips.length,
    frames: clips.reduce((sum, { numbers }) => sum + numbers.length, 0),
  };
};

const middle = (values: readonly (number | null)[]): number | null => {
  const value = median(values.filter((each) => each !== null));
  return Number.isFinite(value) ? Number(value.toFixed(5)) : null;
};

const reportOf = (found: number, lists: readonly ShardList[]): PreparedReport => {
  const clips = lists.flatMap((list) => list.clips);
  const rejected = lists.flatMap((list) => list.rejects)
    .sort((a, b) => a.key < b.key ? -1 : 1);
  const rejects: Partial<Record<RejectReason, number>> = {};
  for (const { reason } of rejected) rejects[reason] = (rejects[reason] ?? 0) + 1;
  const total = (name: "lost" | "blurred" | "duplicate"): number =>
    clips.reduce((sum, { quality }) => sum + quality[name], 0);
  return {
    clips: found,
    usable: clips.length,
    frames: clips.reduce((sum, { numbers }) => sum + numbers.length, 0),
    rejects: Object.fromEntries(Object.entries(rejects).sort()),
    medians: {
      face: middle(clips.map(({ quality }) => quality.face)),
      sharpness: middle(clips.map(({ quality }) => quality.sharpness)),
      rawJitter: middle(clips.map(({ quality }) => quality.rawJitter)),
      jitter: middle(clips.map(({ quality }) => quality.jitter)),
    },
    dropped: { lost: total("lost"), blurred: total("blurred"), duplicate: total("duplicate") },
    rejected,
  };
};

/** Removes shards of an earlier plan and what killed writers left. */
const clean = async (out: string, plan: Plan, keep: boolean): Promise<void> => {
  const paths = preparedPaths(out);
  const own = new Set(plan.shards.flatMap(({ name }) => [`${name}.tar`, `${name}.json`]));
  for await (const { name } of Deno.readDir(paths.shards)) {
    const ours = name.endsWith(PARTIAL) || /^(train|validation|test)-\d{5}\.(tar|json)$/.test(name);
    if (ours && !own.has(name)) await Deno.remove(`${paths.shards}/${name}`).catch(() => {});
  }
  for await (const { name } of Deno.readDir(out)) {
    if (name.endsWith(PARTIAL)) await Deno.remove(`${out}/${name}`).catch(() => {});
  }
  if (!keep) await Deno.remove(paths.work, { recursive: true }).catch(() => {});
};

/**
 * Merges the shards of a plan: where all are done, writes `index.json` and `report.json` and
 * removes the pieces (`keep`: leaves them); where some are missing, only says how many. May be
 * done by any machine, and by several at once: the bytes are the same. Error: `Data`.
 */
export const mergeShards = (
  out: string,
  plan: Plan,
  keep: boolean,
): TE.TaskEither<Err<"Data">, Merged> =>
async () => {
  const paths = preparedPaths(out);
  const lists: ShardList[] = [], hashes: string[] = [];
  for (const shard of plan.shards) {
    const found = await finishedShard(out, shard);
    if (found === undefined) continue;
    lists.push(found.list);
    hashes.push(sha256(found.bytes));
  }
  const of = plan.shards.length, ready = lists.length;
  if (ready < of) return E.right({ ready, of });
  const report = reportOf(plan.clips, lists);
  const [train, validation, test] = SPLITS.map((split) =>
    countSplit(lists.filter((list) => list.split === split))
  ) as [Counts, Counts, Counts];
  const index: PreparedIndex = {
    format: "headshot-prepared-1",
    settings: plan.settings,
    splits: { train, validation, test },
    rejected: report.rejected.length,
    shards: lists.map(({ name, split, clips, bytes, sha256 }, i) => ({
      ...{ name, split, clips: clips.length },
      frames: clips.reduce((sum, { numbers }) => sum + numbers.length, 0),
      ...{ bytes, sha256, list: hashes[i] ?? "" },
    })),
  };
  const text = new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`);
  const reported = await writeWhole(paths.report, [text])();
  if (E.isLeft(reported)) return reported;
  const written = await writeJson(paths.index, index)();
  if (E.isLeft(written)) return written;
  try {
    await clean(out, plan, keep);
  } catch (cause) {
    return E.left(cannotWrite(out, fileProblem(cause)));
  }
  return E.right({ ready, of, report });
};
