/**
 * A film as a folder of PNG pictures.
 *
 * @module
 */
import { E, F, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem } from "../../pipeline/core/files.ts";
import { encodePng } from "../codec.ts";
import { labelPng } from "./label.ts";
import { badFilm, type FilmWriter, partialName, putInPlace, removeQuietly } from "./output.ts";

/**
 * Opens a folder of `000001.png`, `000002.png`, …; each carries `comment` as metadata where one is
 * given. Error: `BadFile`.
 */
export const openFolderWriter = (
  path: string,
  comment: string | undefined,
): TE.TaskEither<Err<"BadFile">, FilmWriter> => {
  const partial = partialName(path);
  const failed = (cause: unknown) =>
    badFilm(path, `${fileProblem(cause)}, expected a writable folder with space`);
  let count = 0;
  return F.pipe(
    TE.tryCatch(() => Deno.mkdir(partial), failed),
    TE.map((): FilmWriter => ({
      write: (image) => async () => {
        const png = await encodePng(image)();
        if (E.isLeft(png)) return png;
        const bytes = comment === undefined ? png.right : labelPng(png.right, comment);
        const name = `${partial}/${String(++count).padStart(6, "0")}.png`;
        return await TE.tryCatch(() => Deno.writeFile(name, bytes), failed)();
      },
      finish: putInPlace(partial, path),
      discard: () => removeQuietly(partial),
    })),
  );
};
