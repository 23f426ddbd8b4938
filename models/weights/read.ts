/**
 * Reads weights of any format that is understood into one form: named tensors in host memory. The
 * format is told by the first bytes, never by the name of the file.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { HostTensor, HostTensors } from "../../pipeline/core/elements.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { readBounded } from "../../pipeline/core/files.ts";
import { E, type TaskEither } from "../../pipeline/core/fp.ts";
import { MAX_FILE_BYTES, readSafetensors } from "../../pipeline/core/safetensors.ts";
import { readWeightFile, weightsRefusal } from "../perceptual/weight_file.ts";
import { readCaffemodel } from "./caffemodel.ts";
import { readTorchLegacy, readTorchZip } from "./pth.ts";

/** A format of weights. */
export type WeightFormat =
  | "safetensors"
  | "caffemodel"
  | "PyTorch zip"
  | "PyTorch before 1.6"
  | "TensorFlow.js";

/** What a file of weights holds. */
export interface NamedWeights {
  /** How it was written. */
  readonly format: WeightFormat;
  /** Its tensors under the names in the file, in the file's own layout. */
  readonly tensors: HostTensors;
  /** Texts of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** SHA-256 of the file in hex; of a manifest with shards, of the manifest. */
  readonly sha256: string;
}

type Bytes = Uint8Array<ArrayBuffer>;
type Parsed = E.Either<string, HostTensors>;

const starts = (bytes: Bytes, magic: string): boolean =>
  [...magic].every((character, i) => bytes[i] === character.charCodeAt(0));

const foreign: readonly (readonly [magic: string, name: string])[] = [
  ["\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)"],
  ["\x1f\x8b", "gzip data"],
  ["\x93NUMPY", "a NumPy array"],
  ["BZh", "bzip2 data"],
  ["\x89PNG", "a picture"],
  ["\xff\xd8\xff", "a picture"],
  ["<", "a web page"],
];

/** Every format but TensorFlow.js, whose numbers lie in other files. */
const parse = (bytes: Bytes): readonly [WeightFormat, Parsed | Promise<Parsed>] | string => {
  if (starts(bytes, "PK\x03\x04")) return ["PyTorch zip", readTorchZip(bytes)];
  if (bytes[0] === 0x80 && (bytes[1] ?? 0) <= 5) {
    return ["PyTorch before 1.6", readTorchLegacy(bytes)];
  }
  const other = foreign.find(([magic]) => starts(bytes, magic));
  if (other) return `it is ${other[1]}, expected weights`;
  return ["caffemodel", readCaffemodel(bytes)];
};

const ofManifest = async (
  path: string,
): Promise<E.Either<Err<"BadFile">, NamedWeights>> => {
  const read = await readWeightFile(path)();
  if (E.isLeft(read)) return read;
  const manifest = await readBounded(read.right.path, MAX_FILE_BYTES)();
  if (E.isLeft(manifest)) return manifest;
  const tensors = [...read.right.arrays].map(([name, { shape, values }]) =>
    [name, { dtype: "F32", shape, data: values }] as const satisfies readonly [string, HostTensor]
  );
  return E.right({
    format: "TensorFlow.js",
    tensors: Object.fromEntries(tensors),
    metadata: {},
    sha256: digest(manifest.right),
  });
};

const digest = (bytes: Bytes): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Reads weights: a `.caffemodel`, a `.pth` of PyTorch (both forms), safetensors, or a TensorFlow.js
 * manifest (its path, or its folder). Half precision becomes float32. `BadFile` in one sentence for
 * everything that does not hold exactly; nothing in a file is executed.
 */
export const readWeights = (path: string): TaskEither<Err<"BadFile">, NamedWeights> => async () => {
  const isFolder = await Deno.stat(path).then((stat) => stat.isDirectory, () => false);
  if (isFolder) return ofManifest(path);
  const read = await readBounded(path, MAX_FILE_BYTES)();
  if (E.isLeft(read)) return read;
  const bytes = read.right;
  if (bytes[0] === 0x5b || bytes[0] === 0x7b) return ofManifest(path); // [ or {
  if (bytes[8] === 0x7b) { // a header of safetensors after its length
    const file = readSafetensors(bytes, path);
    return E.isLeft(file)
      ? file
      : E.right({ format: "safetensors", ...file.right, sha256: digest(bytes) });
  }
  const parsed = parse(bytes);
  if (typeof parsed === "string") return E.left(weightsRefusal(path, parsed));
  const [format, result] = parsed, tensors = await result;
  return E.isLeft(tensors)
    ? E.left(weightsRefusal(path, tensors.left))
    : E.right({ format, tensors: tensors.right, metadata: {}, sha256: digest(bytes) });
};
