/**
 * Who goes where, decided from the names alone before anything is decoded: every machine that
 * looks at the same folder makes the same plan.
 *
 * @module
 */
import type { Clip } from "../video/discover.ts";
import { findDuplicates } from "./duplicates.ts";
import { placeOf, sha256 } from "./digest.ts";
import type { PreparedSettings, Rejected, Split } from "./types.ts";

/** Changes when the same clip would give other bytes. */
const PREPARATION = "1";

/** A shard to be made. */
export interface PlannedShard {
  readonly name: string;
  readonly split: Split;
  /** Ordered by key; everything of a person is in one shard. */
  readonly clips: readonly Clip[];
  /** Clips of these people that are not even tried. */
  readonly rejects: readonly Rejected[];
  /** Hash of all that its bytes depend on: settings, names and sizes of files. */
  readonly plan: string;
}

/** All shards to be made. */
export interface Plan {
  readonly settings: PreparedSettings;
  readonly shards: readonly PlannedShard[];
  /** Clips found, duplicates among them. */
  readonly clips: number;
}

/**
 * Splits people by a hash of their names: who is in does not depend on who else is there. Only
 * where the hash would leave a part empty that could have somebody, the next by hash move over:
 * two people are one to train on and one to validate with, three have one to test with too.
 */
export const splitPeople = (
  names: readonly string[],
  { validation, test }: Pick<PreparedSettings, "validation" | "test">,
): ReadonlyMap<string, Split> => {
  const ordered = [...new Set(names)].map((name) => ({ name, at: placeOf(name, 0) }))
    .sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  const upTo = (share: number): number => ordered.filter(({ at }) => at < share).length;
  const count = ordered.length;
  const least = (share: number, people: number): number => share > 0 && count >= people ? 1 : 0;
  const most = Math.max(0, count - 1); // one stays to train on
  const wantedTest = test > 0 ? Math.max(upTo(test), least(test, 3)) : 0;
  const wantedValidation = validation > 0
    ? Math.max(upTo(test + validation) - upTo(test), least(validation, 2))
    : 0;
  const tested = Math.min(wantedTest, Math.max(0, most - Math.min(1, wantedValidation)));
  const validated = Math.min(wantedValidation, most - tested);
  return new Map(ordered.map(({ name }, i) => [
    name,
    i < tested ? "test" : i < tested + validated ? "validation" : "train",
  ]));
};

/** A file's name and size, without its time of change: a copy of a folder makes the same plan. */
const timeless = ({ stamp }: Clip): string => stamp.replaceAll(/:\d+(?=\||$)/g, "");

/** Makes the plan of a folder's clips, which are ordered by key. */
export const makePlan = async (
  clips: readonly Clip[],
  settings: PreparedSettings,
): Promise<Plan> => {
  const duplicates = await findDuplicates(clips);
  const splits = splitPeople(clips.map(({ identity }) => identity), settings);
  const bySplit = Map.groupBy(clips, ({ identity }) => splits.get(identity) ?? "train");
  const shards: PlannedShard[] = [];
  for (const [split, own] of [...bySplit].sort()) {
    // A power of two, so that a folder that grows leaves most people where they are.
    const buckets = 2 ** Math.ceil(Math.log2(Math.max(1, own.length / settings.clipsPerShard)));
    const byBucket = Map.groupBy(own, ({ identity }) => Math.floor(placeOf(identity, 1) * buckets));
    for (const [bucket, all] of [...byBucket].sort(([a], [b]) => a - b)) {
      const name = `${split}-${String(bucket).padStart(5, "0")}`;
      const rejects = all.flatMap(({ key }): readonly Rejected[] => {
        const found = duplicates.get(key);
        return found === undefined ? [] : [{ key, reason: found.reason, message: found.message }];
      });
      const listed = all.map((clip) => [clip.key, clip.identity, clip.video, timeless(clip)]);
      const plan = sha256(JSON.stringify([PREPARATION, name, settings, listed, rejects]));
      const tried = all.filter(({ key }) => !duplicates.has(key));
      shards.push({ name, split, clips: tried, rejects, plan });
    }
  }
  return { settings, shards, clips: clips.length };
};

/** The name of a clip's files while its shard is being made: another for another file. */
export const workName = (clip: Clip, settings: PreparedSettings): string => {
  const { key, identity, video, stamp } = clip;
  const parts = [PREPARATION, settings, key, identity, video, stamp];
  return sha256(JSON.stringify(parts)).slice(0, 32);
};
