/**
 * Clips that are in a folder twice: the same bytes under another name.
 *
 * @module
 */
import type { Err } from "../../pipeline/core/errors.ts";
import type { Clip } from "../video/discover.ts";
import { badClip } from "../video/probe.ts";
import { hashFile, sha256 } from "./digest.ts";

/** The sizes of a clip's files, of its stamp; names and times left out. */
const sizesOf = ({ stamp }: Clip): string =>
  stamp.split("|").map((file) => file.split(":").at(-2) ?? "").join("|");

const filesOf = ({ frames, path }: Clip): readonly string[] => frames ?? [path];

/** How much of each end of a file is looked at before all of it. */
const END = 1 << 16;

const fingerprint = (length: number) => async (clip: Clip): Promise<string | undefined> => {
  try {
    const hashes: string[] = [];
    for (const path of filesOf(clip)) {
      const { size } = await Deno.stat(path);
      hashes.push((await hashFile(path, 0, length)).sha256);
      if (size > length) {
        hashes.push((await hashFile(path, Math.max(length, size - length))).sha256);
      }
    }
    return sha256(...hashes);
  } catch {
    return undefined; // it cannot be read: not a duplicate, the decoder will say what it is
  }
};

const groupBy = async (
  clips: readonly Clip[],
  name: (clip: Clip) => string | undefined | Promise<string | undefined>,
): Promise<readonly (readonly Clip[])[]> => {
  const groups = new Map<string, Clip[]>();
  for (const clip of clips) {
    const key = await name(clip);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [clip]);
    else group.push(clip);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
};

/**
 * Finds clips with the same bytes as an earlier one, in the order of the list. Only files of equal
 * size are opened, all of a file is read only where both its ends agree too: a folder of a million
 * clips takes minutes.
 */
export const findDuplicates = async (
  clips: readonly Clip[],
): Promise<ReadonlyMap<string, Err<"BadSample">>> => {
  const duplicates = new Map<string, Err<"BadSample">>();
  const isEmpty = (clip: Clip): boolean => /^[0|]*$/.test(sizesOf(clip));
  const sameSize = await groupBy(clips.filter((clip) => !isEmpty(clip)), sizesOf);
  for (const group of sameSize) {
    for (const alike of await groupBy(group, fingerprint(END))) {
      for (const [first, ...others] of await groupBy(alike, fingerprint(Infinity))) {
        for (const { key } of others) {
          duplicates.set(
            key,
            badClip(key, "duplicate", `it is the same file as ${first?.key}, expected another one`),
          );
        }
      }
    }
  }
  return duplicates;
};
