/**
 * People of a folder of whom nothing can be used: they are in no list of sequences, and an
 * evaluation must name them all the same.
 *
 * @module
 */
import type { BadSample } from "../../pipeline/core/errors.ts";
import type { LostPerson, Sequence } from "../dataset.ts";
import { splitIdentities } from "./split.ts";

/**
 * Who would be held out, were there a clip of theirs that can be used; with the reason of the first
 * one that cannot. Keys of clips are `<identity>/<video>/<clip>`.
 */
export const lostPeople = async (
  sequences: readonly Sequence[],
  rejected: readonly BadSample[],
  heldOutShare: number,
): Promise<readonly LostPerson[]> => {
  const known = new Set(sequences.map(({ identity }) => identity));
  const clips = Map.groupBy(rejected, ({ key }) => key.split("/")[0] ?? key);
  const lost = [...clips].filter(([identity]) => !known.has(identity));
  const everybody = [...known, ...lost.map(([identity]) => identity)];
  const heldOut = await splitIdentities(everybody, heldOutShare);
  return lost.filter(([identity]) => heldOut.has(identity)).map(([identity, all]) => ({
    identity,
    problem: `none of ${all.length} clips can be used (${all[0]?.message ?? ""})`,
  })).toSorted((a, b) => a.identity < b.identity ? -1 : 1);
};
