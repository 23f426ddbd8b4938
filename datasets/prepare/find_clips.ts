/**
 * Which clips there are to prepare: people in folders (VoxCeleb2 and VoxCeleb1 layout), a flat
 * folder of videos or photos whose names begin with the person's, or a table that says who is who.
 *
 * @module
 */
import { E, F, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem, readBounded } from "../../pipeline/core/files.ts";
import { isImageName } from "../codec.ts";
import { type Clip, discoverClips, listFolder, VIDEO } from "../video/discover.ts";
import { parseTable } from "./table.ts";

/** How clips are found and who is in them. */
export interface FindOptions {
  /** A CSV file with the columns `file` (inside the folder), `identity` and perhaps `video`. */
  readonly identities?: string;
  /** Ends the person's part of a file name in a flat folder; default "_". */
  readonly separator?: string;
}

/** All photos of a person in a flat folder are one sequence of this name. */
const PHOTOS = "photos";

/** A photo is a clip of one frame. */
export const isPhoto = (clip: Clip): boolean =>
  clip.frames?.length === 1 && clip.frames[0] === clip.path;

const withoutExtension = (name: string): string => name.replace(/(?<=.)\.[^.]*$/, "");

interface Found {
  readonly file: string;
  readonly path: string;
  readonly stamp: string;
  readonly identity: string;
  readonly video?: string;
}

const asClip = ({ file, path, stamp, identity, video }: Found): Clip => {
  const name = file.replace(/^.*\//, "");
  const photo = isImageName(name);
  const own = video ?? (photo ? PHOTOS : withoutExtension(name));
  const clip = { identity, video: own, key: `${identity}/${own}/${name}`, path, stamp };
  return photo ? { ...clip, frames: [path] } : clip;
};

const isMedia = (name: string): boolean => VIDEO.test(name) || isImageName(name);

const flatClips = async (root: string, separator: string): Promise<readonly Clip[]> =>
  (await listFolder(root)).filter(({ folder, name }) => !folder && isMedia(name)).map(
    ({ name, path, stamp }) => {
      const stem = withoutExtension(name), end = stem.indexOf(separator);
      const identity = end > 0 ? stem.slice(0, end) : stem;
      return asClip({ file: name, path, stamp, identity });
    },
  );

const data = (path: string, message: string): Err<"Data"> => ({ _tag: "Data", path, message });

/** A path inside of the folder and nothing else. */
const isInside = (file: string): boolean =>
  file !== "" && !/^([/\\]|[A-Za-z]:)|\0/.test(file) && !file.split(/[/\\]/).includes("..");

const MAX_TABLE = 1 << 28;
const SHOWN = 5;

const tableClips = (
  root: string,
  table: string,
): TE.TaskEither<Err<"Data">, readonly Clip[]> =>
  F.pipe(
    readBounded(table, MAX_TABLE),
    TE.mapLeft(({ path, message }) => data(path, message)),
    TE.flatMap((bytes) =>
      TE.fromEither(F.pipe(
        parseTable(new TextDecoder().decode(bytes), ["file", "identity"]),
        E.mapLeft((problem) => data(table, `Cannot read ${table}: ${problem}`)),
      ))
    ),
    TE.flatMap((rows) => async () => {
      const clips: Clip[] = [], problems: string[] = [], seen = new Set<string>();
      for (const { line, cells } of rows) {
        const { file = "", identity = "", video = "" } = cells;
        const refuse = (problem: string) => problems.push(`line ${line}: ${problem}`);
        const path = `${root}/${file}`;
        if (!isInside(file)) refuse(`"${file}" is no path inside of ${root}`);
        else if (identity.trim() === "") refuse(`${file} has no identity`);
        else if (seen.has(file)) refuse(`${file} is there twice`);
        else if (!isMedia(file)) refuse(`${file} is neither a video nor a picture`);
        else {
          seen.add(file);
          try {
            const { isFile, size, mtime } = await Deno.stat(path);
            const stamp = `${file}:${size}:${mtime?.getTime() ?? 0}`;
            // The folder is the video where the table does not say: VoxCeleb2 in a table works.
            const folder = file.includes("/") && VIDEO.test(file)
              ? { video: file.replace(/\/[^/]*$/, "") }
              : {};
            const own = video.trim() === "" ? folder : { video: video.trim() };
            if (!isFile) refuse(`${file} is not a file`);
            else clips.push(asClip({ file, path, stamp, identity: identity.trim(), ...own }));
          } catch (cause) {
            refuse(`${file}: ${fileProblem(cause)}`);
          }
        }
      }
      if (problems.length === 0 && clips.length > 0) return E.right(clips);
      const more = problems.length > SHOWN ? ` and ${problems.length - SHOWN} more` : "";
      const what = problems.length === 0
        ? "it names no file"
        : `${problems.slice(0, SHOWN).join("; ")}${more}`;
      const expected = "expected files of the folder with an identity each";
      return E.left(data(table, `Cannot use ${table}: ${what}, ${expected}`));
    }),
  );

const withUniqueKeys = (clips: readonly Clip[]): readonly Clip[] => {
  const seen = new Map<string, number>();
  return clips.map((clip) => {
    const before = seen.get(clip.key) ?? 0;
    seen.set(clip.key, before + 1);
    return before === 0 ? clip : { ...clip, key: `${clip.key}#${before + 1}` };
  });
};

/**
 * Finds the clips of a folder, in a fixed order by key: those of the table where there is one,
 * else people in folders, else the files that lie in the folder itself. Error: `Data`.
 */
export const findClips = (
  root: string,
  { identities, separator = "_" }: FindOptions = {},
): TE.TaskEither<Err<"Data">, readonly Clip[]> =>
  F.pipe(
    identities !== undefined ? tableClips(root, identities) : F.pipe(
      discoverClips(root),
      TE.orElse((error) =>
        F.pipe(
          TE.tryCatch(() => flatClips(root, separator), () => error),
          TE.filterOrElse((clips) => clips.length > 0, () => error),
        )
      ),
    ),
    TE.map((clips) =>
      withUniqueKeys(clips.toSorted((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    ),
  );
