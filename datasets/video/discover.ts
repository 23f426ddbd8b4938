/**
 * Which clips a folder holds: VoxCeleb2 layout (`mp4/<identity>/<video>/<clip>.mp4`, any video
 * container; the identities may also lie directly in the folder) and VoxCeleb1-style folders of
 * frames (`<identity>/<video>/0000025.jpg …`).
 *
 * @module
 */
import { TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem } from "../../pipeline/core/files.ts";
import { isImageName } from "../codec.ts";

/** One clip, a video file or a folder of frames. Plain data: it crosses to workers. */
export interface Clip {
  readonly identity: string;
  readonly video: string;
  /** `<identity>/<video>/<clip>`, for people and for the cache. */
  readonly key: string;
  readonly path: string;
  /** The pictures of a folder of frames, in order; absent for a video file. */
  readonly frames?: readonly string[];
  /** Changes when the files do. */
  readonly stamp: string;
}

/** What ends like a video file that ffmpeg is asked to read. */
export const VIDEO =
  /\.(mp4|m4v|mov|mkv|webm|avi|mpg|mpeg|ts|mts|m2ts|wmv|asf|flv|3gp|ogv|gif|mxf|vob)$/i;

/** Folders below an identity are searched so deep (VoxCeleb1 has `<identity>/1.6/<video>`). */
const DEPTH = 4;

/** An entry of a folder. */
export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly folder: boolean;
  /** Its name, size and time of change. */
  readonly stamp: string;
}

/** A folder's entries by name, links followed; hidden ones and broken links are left out. */
export const listFolder = async (folder: string): Promise<readonly Entry[]> => {
  const entries: Entry[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(".")) continue;
    const path = `${folder}/${name}`;
    try {
      const { isDirectory, isFile, size, mtime } = await Deno.stat(path);
      if (!isDirectory && !isFile) continue; // a pipe would block, a device never end
      const stamp = `${name}:${size}:${mtime?.getTime() ?? 0}`;
      entries.push({ name, path, folder: isDirectory, stamp });
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    }
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
};

const clipsBelow = async (
  folder: string,
  identity: string,
  below: readonly string[],
): Promise<readonly Clip[]> => {
  const entries = await listFolder(folder);
  const files = entries.filter((entry) => !entry.folder);
  const video = below.join("/");
  const clips: Clip[] = files.filter(({ name }) => VIDEO.test(name)).map(
    ({ name, path, stamp }) => {
      const own = video === "" ? name.replace(VIDEO, "") : video; // a video right below its identity
      return { identity, video: own, key: [identity, ...below, name].join("/"), path, stamp };
    },
  );
  const pictures = files.filter(({ name }) => isImageName(name));
  if (pictures.length > 0 && video !== "") {
    clips.push({
      identity,
      video,
      key: [identity, ...below].join("/"),
      path: folder,
      frames: pictures.map(({ path }) => path),
      stamp: pictures.map(({ stamp }) => stamp).join("|"),
    });
  }
  if (below.length < DEPTH) {
    for (const { name, path } of entries.filter((entry) => entry.folder)) {
      clips.push(...await clipsBelow(path, identity, [...below, name]));
    }
  }
  return clips;
};

/**
 * Finds all clips of a folder, in a fixed order. Error: `Data` where the folder cannot be read or
 * holds no clip.
 */
export const discoverClips = (root: string): TE.TaskEither<Err<"Data">, readonly Clip[]> => {
  const expected =
    "expected <identity>/<video>/<clip>.mp4 (or another video, or a folder of frames) in it " +
    "or in its folder mp4";
  return TE.tryCatch(async () => {
    const top = await listFolder(root);
    const base = top.find(({ name, folder }) => folder && name === "mp4");
    const identities = (base === undefined ? top : await listFolder(base.path))
      .filter((entry) => entry.folder);
    const clips: Clip[] = [];
    for (const { name, path } of identities) clips.push(...await clipsBelow(path, name, []));
    if (clips.length === 0) throw new RangeError("it holds no clip");
    return clips;
  }, (cause) => ({
    _tag: "Data",
    path: root,
    message: `Cannot read videos from ${root}: ${
      cause instanceof RangeError ? cause.message : fileProblem(cause)
    }, ${expected}`,
  }));
};
