/**
 * What a TensorFlow.js weights manifest says (`weights_manifest.json`, or the `weightsManifest` of
 * a `model.json`): which arrays lie where in which shards.
 *
 * @module
 */
import { E, t } from "../../pipeline/core/fp.ts";

/** A named array of a weights file. */
export interface WeightArray {
  /** Sides; their product is the number of values. */
  readonly shape: readonly number[];
  /** Values in row order. */
  readonly values: Float32Array;
}

/** More bytes than this no network of ours has: 4 GiB. */
const weightsLimit = 4 * 2 ** 30;

/** No array has a longer name; it is shown to people. */
const longestName = 200;

const bytesOf = { float32: 4, float16: 2, int32: 4 } as const;
/** How numbers are stored. */
export type ElementType = keyof typeof bytesOf;

const weightCodec = t.intersection([
  t.type({ name: t.string, shape: t.array(t.number), dtype: t.string }),
  t.partial({ quantization: t.type({ dtype: t.string }) }),
]);
const groupsCodec = t.array(t.type({ paths: t.array(t.string), weights: t.array(weightCodec) }));
const modelCodec = t.type({ weightsManifest: groupsCodec });

/** One array: its element type and where it lies in the bytes of its group. */
export interface ManifestArray {
  /** Its name, once in a manifest. */
  readonly name: string;
  /** Its sides. */
  readonly shape: readonly number[];
  /** How its numbers are stored. */
  readonly type: ElementType;
  /** Where it starts, in bytes of the group. */
  readonly offset: number;
  /** How many numbers it has. */
  readonly length: number;
}
/** Arrays that lie one after the other in the concatenation of some shards. */
export interface ManifestGroup {
  /** Plain file names beside the manifest. */
  readonly paths: readonly string[];
  /** The arrays in the order of their bytes. */
  readonly weights: readonly ManifestArray[];
  /** The length of all shards together. */
  readonly bytes: number;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, side) => size * side, 1);

const isElementType = (name: string): name is ElementType => Object.hasOwn(bytesOf, name);

const describeGroup = (
  { paths, weights }: t.TypeOf<typeof groupsCodec>[number],
): E.Either<string, ManifestGroup> => {
  const badPath = paths.find((name) => !/^[\w.-]{1,200}$/.test(name) || name.startsWith("."));
  if (badPath !== undefined || paths.length === 0) {
    const shown = JSON.stringify(badPath?.slice(0, 60) ?? "");
    return E.left(`its shard is ${shown}, expected a plain file name`);
  }
  let offset = 0;
  const described: ManifestArray[] = [];
  for (const { name, shape, dtype, quantization } of weights) {
    const type = quantization?.dtype ?? dtype;
    if (name.length > longestName) {
      return E.left(`it has a name of ${name.length} letters, expected at most ${longestName}`);
    }
    if (!isElementType(type)) {
      return E.left(`${name} is ${type.slice(0, 60)}, expected ${Object.keys(bytesOf).join(", ")}`);
    }
    const length = sizeOf(shape);
    if (!shape.every((side) => Number.isSafeInteger(side) && side >= 0) || length > weightsLimit) {
      const shown = shape.slice(0, 8).join();
      return E.left(`${name} is [${shown}], expected a shape of sensible size`);
    }
    described.push({ name, shape, type, offset, length });
    offset += length * bytesOf[type];
  }
  return offset <= weightsLimit
    ? E.right({ paths, weights: described, bytes: offset })
    : E.left(`its weights take ${offset} bytes, expected at most ${weightsLimit}`);
};

/** The groups of a manifest, or in words why it is not one. Every name stands once. */
export const parseManifest = (text: string): E.Either<string, readonly ManifestGroup[]> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return E.left("it is not JSON, expected a weights manifest");
  }
  const decoded = Array.isArray(json)
    ? groupsCodec.decode(json)
    : E.map((model: t.TypeOf<typeof modelCodec>) => model.weightsManifest)(modelCodec.decode(json));
  if (E.isLeft(decoded)) {
    const where = decoded.left[0]?.context.map(({ key }) => key).filter(Boolean).join(".");
    return E.left(`it has no valid ${where || "list of groups"}, expected a weights manifest`);
  }
  const groups: ManifestGroup[] = [], names = new Set<string>();
  for (const raw of decoded.right) {
    const group = describeGroup(raw);
    if (E.isLeft(group)) return group;
    for (const { name } of group.right.weights) {
      if (names.has(name)) return E.left(`${name} is there twice, expected once`);
      names.add(name);
    }
    groups.push(group.right);
  }
  return E.right(groups);
};

/** Decodes one array of a group; half-precision and integer numbers become float32. */
export const decodeArray = (
  { type, offset, length, shape }: ManifestArray,
  bytes: Uint8Array,
): WeightArray => {
  const own = bytes.slice(offset, offset + length * bytesOf[type]).buffer; // aligned
  const values = type === "float32"
    ? new Float32Array(own)
    : new Float32Array(type === "float16" ? new Float16Array(own) : new Int32Array(own));
  return { shape, values };
};
