/**
 * Reader of the weights that networks are loaded from: a TensorFlow.js manifest and its shards, or
 * a safetensors file. Nothing is allocated before the sizes
 * of the files agree with the manifest, and SHA-256 sums are checked where they are known.
 *
 * @module
 */
import type { Err } from "../../pipeline/core/errors.ts";
import { fileProblem, readBounded } from "../../pipeline/core/files.ts";
import { E, F, TE } from "../../pipeline/core/fp.ts";
import { readSafetensorsFile, type Safetensors } from "../../pipeline/core/safetensors.ts";
import { decodeArray, type ManifestGroup, parseManifest, type WeightArray } from "./manifest.ts";

/** The arrays that were read, by name. */
export type WeightArrays = ReadonlyMap<string, WeightArray>;

/** What a weights file holds and the arrays that were wanted. */
export interface WeightFile {
  /** The manifest. */
  readonly path: string;
  /** Shapes of everything in the file, read or not, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** What was wanted and read. */
  readonly arrays: WeightArrays;
  /** Texts about them; none in a manifest. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What to read and what it must be. */
export interface ReadOptions {
  /** Which arrays are wanted; shards that hold none of them are not read. Default: all. */
  readonly wanted?: (name: string) => boolean;
  /** SHA-256 in lower-case hex by file name. Default: `SHA256SUMS` beside the manifest, if any. */
  readonly sha256?: Sums;
}

/** SHA-256 in hex by file name. */
export type Sums = Readonly<Record<string, string>>;
type Read<A> = TE.TaskEither<Err<"BadFile">, A>;

const manifestLimit = 16 * 2 ** 20;

/** The error of a weights file: `message` goes on after "Cannot read weights from PATH: ". */
export const weightsRefusal = (path: string, message: string): Err<"BadFile"> => ({
  _tag: "BadFile",
  path,
  message: `Cannot read weights from ${path}: ${message}`,
});

/** The folder of a path, with its last slash. */
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/") + 1);

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const parseSums = (text: string): Sums =>
  Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const [, sum, name] = /^([0-9a-fA-F]{64}) [ *](.+?)\s*$/.exec(line) ?? [];
      return sum && name ? [[name, sum.toLowerCase()]] : [];
    }),
  );

/** The sums beside the manifest; none where there is no such file. */
const sumsBeside = async (folder: string): Promise<Sums> => {
  const bytes = await readBounded(`${folder}SHA256SUMS`, 2 ** 20)();
  return E.isLeft(bytes) ? {} : parseSums(new TextDecoder().decode(bytes.right));
};

const readChecked =
  (path: string, limit: number, sum: string | undefined): Read<Uint8Array<ArrayBuffer>> =>
  async () => {
    const read = await readBounded(path, limit)();
    if (E.isLeft(read) || sum === undefined) return read;
    const found = hex(await crypto.subtle.digest("SHA-256", read.right));
    return found === sum
      ? read
      : E.left(weightsRefusal(path, `its SHA-256 is ${found.slice(0, 12)}…, expected ${sum}`));
  };

const fileSize = (path: string): Read<number> => async () => {
  try {
    return E.right((await Deno.stat(path)).size);
  } catch (cause) {
    return E.left(weightsRefusal(path, `${fileProblem(cause)}, expected a shard of weights`));
  }
};

const readGroup = (
  folder: string,
  group: ManifestGroup,
  sums: Sums,
): Read<Uint8Array> =>
  F.pipe(
    TE.traverseSeqArray((name: string) => fileSize(folder + name))(group.paths),
    TE.filterOrElse(
      (sizes) => sizes.reduce((sum, size) => sum + size, 0) === group.bytes,
      (sizes) =>
        weightsRefusal(
          folder + group.paths.join(", "),
          `it has ${sizes.reduce((sum, size) => sum + size, 0)} bytes, expected ${group.bytes}`,
        ),
    ),
    TE.flatMap((sizes) =>
      TE.traverseSeqArray(([i, name]: readonly [number, string]) =>
        readChecked(folder + name, sizes[i] ?? 0, sums[name])
      )([...group.paths.entries()])
    ),
    TE.map((parts) => {
      const [first] = parts;
      if (first !== undefined && parts.length === 1) return first;
      const all = new Uint8Array(group.bytes);
      let at = 0;
      for (const part of parts) {
        all.set(part.subarray(0, group.bytes - at), at);
        at += part.length;
      }
      return all;
    }),
  );

/** A folder's manifest: by its usual names, or the only JSON file there. */
const manifestPath = async (path: string): Promise<string> => {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(path)) if (name.endsWith(".json")) names.push(name);
  } catch {
    return path; // no folder
  }
  const usual = ["weights_manifest.json", "model.json"];
  const found = usual.find((name) => names.includes(name)) ??
    (names.length === 1 ? names[0] : usual[0]);
  return `${path.replace(/\/+$/, "")}/${found}`;
};

const readArrays = (
  folder: string,
  groups: readonly ManifestGroup[],
  sums: Sums,
  wanted: (name: string) => boolean,
): Read<WeightArrays> =>
  F.pipe(
    groups.filter(({ weights }) => weights.some(({ name }) => wanted(name))),
    TE.traverseSeqArray((group) =>
      TE.map((data: Uint8Array) =>
        group.weights.filter(({ name }) => wanted(name))
          .map((weight) => [weight.name, decodeArray(weight, data)] as const)
      )(readGroup(folder, group, sums))
    ),
    TE.map((entries) => new Map(entries.flat())),
  );

const readManifested =
  (file: string, { wanted = () => true, sha256 }: ReadOptions): Read<WeightFile> => async () => {
    const folder = folderOf(file);
    const sums = sha256 ?? await sumsBeside(folder);
    const bytes = await readChecked(file, manifestLimit, sums[file.slice(folder.length)])();
    if (E.isLeft(bytes)) return bytes;
    const groups = parseManifest(new TextDecoder().decode(bytes.right));
    if (E.isLeft(groups)) return E.left(weightsRefusal(file, groups.left));
    const arrays = await readArrays(folder, groups.right, sums, wanted)();
    if (E.isLeft(arrays)) return arrays;
    const shapes = groups.right.flatMap(({ weights }) =>
      weights.map(({ name, shape }) => [name, shape] as const)
    );
    return E.right({
      path: file,
      shapes: new Map(shapes),
      arrays: arrays.right,
      metadata: {},
    });
  };

const readSafetensorsWeights = (
  path: string,
  { wanted = () => true }: ReadOptions,
): Read<WeightFile> =>
  TE.map(({ tensors, metadata }: Safetensors): WeightFile => {
    const entries = Object.entries(tensors);
    return {
      path,
      shapes: new Map(entries.map(([name, { shape }]) => [name, shape])),
      arrays: new Map(
        entries.filter(([name]) => wanted(name)).map(([name, { shape, data }]) => [
          name,
          { shape, values: data instanceof Float32Array ? data : Float32Array.from(data) },
        ]),
      ),
      metadata,
    };
  })(readSafetensorsFile(path));

/**
 * Reads a weights file: safetensors, the path of a manifest, or the folder that holds it. Half-precision
 * and integer arrays become float32. Fails with `BadFile` where a file is missing, short or long,
 * where a SHA-256 differs, or where the manifest is not one.
 */
export const readWeightFile =
  (path: string, options: ReadOptions = {}): Read<WeightFile> => async () => {
    const file = await manifestPath(path);
    return file.endsWith(".json")
      ? readManifested(file, options)()
      : readSafetensorsWeights(file, options)();
  };
