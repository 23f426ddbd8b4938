/**
 * Where a film goes: an mp4, a gif or a folder of pictures, by its name. It appears under that name
 * when it is whole, and never in place of something else.
 *
 * @module
 */
import { E, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem } from "../../pipeline/core/files.ts";
import type { Image } from "../../pipeline/core/image.ts";

/** Forms of a film. */
export type FilmKind = "mp4" | "gif" | "folder";

/** Takes the pictures of a film, one after the other. */
export interface FilmWriter {
  /** Takes the next picture, all of one size; done when there is room for another. */
  readonly write: (image: Image) => TE.TaskEither<Err<"BadFile" | "Aborted">, void>;
  /** Puts the whole film under its name. */
  readonly finish: TE.TaskEither<Err<"BadFile" | "Aborted">, void>;
  /** Removes everything that was written. Harmless after {@link FilmWriter.finish}. */
  readonly discard: () => Promise<void>;
}

/** The error of a film that cannot be written. */
export const badFilm = (path: string, message: string): Err<"BadFile"> => ({
  _tag: "BadFile",
  path,
  message: `Cannot write ${path}: ${message}`,
});

/** Endings of other films and of single pictures: nobody means a folder by them. */
const OTHER = /\.(avi|mkv|mov|webm|m4v|mpe?g|wmv|flv|png|jpe?g|webp|json|safetensors)$/i;

/** The form that a name asks for. Error: `Config` for endings that are no form. */
export const filmKind = (path: string): E.Either<Err<"Config">, FilmKind> => {
  if (/\.mp4$/i.test(path)) return E.right("mp4");
  if (/\.gif$/i.test(path)) return E.right("gif");
  const other = OTHER.exec(path)?.[1];
  return other === undefined ? E.right("folder") : E.left({
    _tag: "Config",
    problems: [
      `Cannot write ${path}: films do not end in .${other}, expected .mp4, .gif or a new ` +
      "folder's name (for PNG pictures)",
    ],
  });
};

/** A path without separators at its end. */
const bare = (path: string): string => path.replace(/(?<=.)[/\\]+$/, "");

const parentOf = (path: string): string => {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return at < 0 ? "." : path.slice(0, at) || "/";
};

/**
 * Tells, before minutes of work, whether a film can get that name. Error: `Config` where it exists,
 * or where its folder does not.
 */
export const checkFilmPath = (path: string): TE.TaskEither<Err<"Config">, FilmKind> => async () => {
  const refuse = (problem: string) =>
    E.left<Err<"Config">>({ _tag: "Config", problems: [`Cannot write ${path}: ${problem}`] });
  const kind = filmKind(path);
  if (E.isLeft(kind)) return kind;
  if (await exists(path)) return refuse("it exists, expected a new name");
  const parent = parentOf(bare(path));
  const there = await Deno.stat(parent).catch(() => undefined);
  return there?.isDirectory
    ? kind
    : refuse(`its folder ${parent} does not exist, expected a name in a folder that does`);
};

/** True where something has that name. */
export const exists = (path: string): Promise<boolean> =>
  Deno.lstat(path).then(() => true, (cause) => !(cause instanceof Deno.errors.NotFound));

/** The name under which a film grows, beside its own. */
export const partialName = (path: string): string => `${bare(path)}.${crypto.randomUUID()}.partial`;

/** Gives a finished file or folder its name; one that exists by now is not replaced. */
export const putInPlace = (partial: string, name: string): TE.TaskEither<Err<"BadFile">, void> =>
  TE.tryCatch(async () => {
    const path = bare(name);
    const { isFile } = await Deno.lstat(partial);
    const linked = isFile && await Deno.link(partial, path).then(() => true, (cause) => {
      if (cause instanceof Deno.errors.AlreadyExists) throw cause;
      return false; // a file system without links
    });
    if (linked) return await Deno.remove(partial);
    if (await exists(path)) throw new Deno.errors.AlreadyExists("it exists by now");
    await Deno.rename(partial, path);
  }, (cause) =>
    badFilm(
      name,
      cause instanceof Deno.errors.AlreadyExists
        ? "it exists by now, expected a new name"
        : `${fileProblem(cause)}, expected a writable folder with space`,
    ));

/** Removes what is there, file or folder, if it is. */
export const removeQuietly = async (path: string): Promise<void> =>
  await Deno.remove(path, { recursive: true }).catch(() => {});
