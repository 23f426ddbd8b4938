/**
 * A shard of the pieces of its clips, and the pieces themselves while it is not there yet.
 *
 * @module
 */
import { E, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { cannotWrite, fileChunks, hashFile, writeJson, writeWhole } from "./digest.ts";
import { type Plan, type PlannedShard, workName } from "./plan.ts";
import {
  type ClipRecord,
  preparedPaths,
  readClipRecord,
  readShardList,
  type ShardClip,
  type ShardList,
} from "./record.ts";
import type { Rejected } from "./types.ts";
import { TAR_END } from "./tar.ts";

/** The list of a shard that is done according to its plan; `undefined` where it is to be made. */
export const finishedShard = async (
  out: string,
  { name, plan }: Pick<PlannedShard, "name" | "plan">,
): Promise<{ readonly list: ShardList; readonly bytes: Uint8Array } | undefined> => {
  const paths = preparedPaths(out);
  const list = await readShardList(paths.list(name))();
  if (E.isLeft(list) || list.right.value.plan !== plan) return undefined;
  const tar = await Deno.stat(paths.tar(name)).catch(() => undefined);
  const { value, bytes } = list.right;
  return tar?.isFile && tar.size === value.bytes ? { list: value, bytes } : undefined;
};

/** The record of a clip whose piece is whole; `undefined` where the clip is to be done. */
export const finishedClip = async (target: string): Promise<ClipRecord | undefined> => {
  const record = await readClipRecord(`${target}.json`)();
  if (E.isLeft(record)) return undefined;
  const { value } = record.right;
  if (value.format === "headshot-rejected-1") return value;
  const piece = await hashFile(`${target}.part`).catch(() => undefined);
  return piece?.sha256 === value.sha256 && piece.bytes === value.clip.bytes ? value : undefined;
};

/** Sequences with too few frames, their clips pooled, turn into rejects. */
const rejectShort = (
  clips: readonly (Extract<ClipRecord, { readonly clip: unknown }>["clip"])[],
  minFrames: number,
): readonly Rejected[] => {
  const sequences = Map.groupBy(clips, ({ identity, video }) => JSON.stringify([identity, video]));
  return [...sequences.values()].flatMap((pooled) => {
    const frames = pooled.reduce((sum, { numbers }) => sum + numbers.length, 0);
    if (frames >= minFrames) return [];
    return pooled.map(({ key, identity, video }): Rejected => ({
      key,
      reason: "too short",
      message: `all clips of ${identity}/${video} have ${frames} frames, expected ${minFrames}`,
    }));
  });
};

/**
 * Writes a shard and its list from the pieces of its clips, all of which are done; the pieces are
 * removed afterwards unless `keep`. The same pieces give the same bytes. Error: `Data`.
 */
export const writeShard = (
  out: string,
  { settings }: Plan,
  shard: PlannedShard,
  keep: boolean,
): TE.TaskEither<Err<"Data">, ShardList> =>
async () => {
  const paths = preparedPaths(out);
  const targets = shard.clips.map((clip) => `${paths.work}/${workName(clip, settings)}`);
  const packed: { readonly clip: Omit<ShardClip, "offset">; readonly target: string }[] = [];
  const rejects: Rejected[] = [...shard.rejects];
  for (const target of targets) {
    const record = await readClipRecord(`${target}.json`)();
    if (E.isLeft(record)) return E.left(cannotWrite(paths.tar(shard.name), record.left.message));
    const { value } = record.right;
    if (value.format === "headshot-rejected-1") rejects.push(value.reject);
    else packed.push({ clip: value.clip, target });
  }
  const short = rejectShort(packed.map(({ clip }) => clip), settings.minFrames);
  const tooShort = new Set(short.map(({ key }) => key));
  const kept = packed.filter(({ clip }) => !tooShort.has(clip.key));
  let offset = 0;
  const clips = kept.map(({ clip }): ShardClip => {
    const placed = { ...clip, offset };
    offset += clip.bytes;
    return placed;
  });
  const tar = await writeWhole(
    paths.tar(shard.name),
    (async function* () {
      for (const { target } of kept) yield* fileChunks(`${target}.part`);
      yield TAR_END;
    })(),
  )();
  if (E.isLeft(tar)) return tar;
  const byKey = (a: Rejected, b: Rejected): number => a.key < b.key ? -1 : 1;
  const list: ShardList = {
    format: "headshot-shard-1",
    name: shard.name,
    split: shard.split,
    plan: shard.plan,
    bytes: tar.right.bytes,
    sha256: tar.right.sha256,
    clips,
    rejects: [...rejects, ...short].sort(byKey),
  };
  const written = await writeJson(paths.list(shard.name), list)();
  if (E.isLeft(written)) return written;
  if (!keep) {
    for (const target of targets) {
      await Deno.remove(`${target}.json`).catch(() => {});
      await Deno.remove(`${target}.part`).catch(() => {});
    }
  }
  return E.right(list);
};
