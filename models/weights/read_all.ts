/**
 * Weights of one network that is published in several files.
 *
 * @module
 */
import type { Err } from "../../pipeline/core/errors.ts";
import { E, type TaskEither } from "../../pipeline/core/fp.ts";
import { weightsRefusal } from "../perceptual/weight_file.ts";
import { type NamedWeights, readWeights } from "./read.ts";

/** What some files hold together. */
export interface ManyWeights extends Omit<NamedWeights, "format" | "sha256"> {
  /** How they were written. */
  readonly format: string;
  /** Their SHA-256 sums in hex, with commas between. */
  readonly sha256: string;
}

/**
 * Reads files of weights as if they were one. `BadFile` where one of them cannot be read, or holds a
 * tensor that an earlier one holds.
 */
export const readAllWeights = (
  paths: readonly string[],
): TaskEither<Err<"BadFile">, ManyWeights> =>
async () => {
  const files: NamedWeights[] = [];
  for (const path of paths) {
    const read = await readWeights(path)();
    if (E.isLeft(read)) return read;
    const twice = Object.keys(read.right.tensors).find((name) =>
      files.some(({ tensors }) => Object.hasOwn(tensors, name))
    );
    if (twice !== undefined) {
      return E.left(
        weightsRefusal(path, `another file holds ${twice} too, expected other parts of a network`),
      );
    }
    files.push(read.right);
  }
  return E.right({
    format: [...new Set(files.map(({ format }) => format))].join(" and "),
    tensors: Object.assign({}, ...files.map(({ tensors }) => tensors)) as NamedWeights["tensors"],
    metadata: Object.assign({}, ...files.map(({ metadata }) => metadata)) as NamedWeights[
      "metadata"
    ],
    sha256: files.map(({ sha256 }) => sha256).join(),
  });
};
