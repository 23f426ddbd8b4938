/**
 * Reader of Caffe's `.caffemodel`: a protobuf message of layers, each with blobs of numbers. Only
 * the fields that hold weights are looked at.
 *
 * @module
 */
import { BinaryReader, WireType } from "npm:@bufbuild/protobuf@2.10.1/wire";
import { E } from "../../pipeline/core/fp.ts";
import type { HostTensor, HostTensors } from "../../pipeline/core/elements.ts";

/** Field numbers of `caffe.proto`: layers since 2014, and the older ones before them. */
const net = { name: 1, oldLayers: 2, layers: 100 };
const layerFields = { name: 1, blobs: 7 };
const oldLayerFields = { nested: 1, name: 4, blobs: 6 };
const blobFields = { sides: [1, 2, 3, 4], data: 5, shape: 7, doubles: 8 };

const limits = { layers: 10_000, blobs: 16, sides: 8, letters: 200 };

interface Field {
  readonly number: number;
  readonly type: WireType;
}

/** Walks the fields of a message; `visit` reads a field it knows and says so. */
const walk = (
  bytes: Uint8Array,
  visit: (field: Field, reader: BinaryReader) => boolean,
): void => {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (visit({ number, type }, reader)) continue;
    // Caffe has no groups; a nest of them would only keep the reader busy.
    if (type === WireType.StartGroup || type === WireType.EndGroup) throw new Error("a group");
    reader.skip(type, number);
  }
  if (reader.pos > reader.len) throw new Error("a field is longer than its message");
};

const isBytes = ({ type }: Field): boolean => type === WireType.LengthDelimited;

/** The packed or single numbers of a repeated field, 4 or 8 bytes each. */
const numbers = (pieces: readonly Uint8Array[], wide: boolean): Float32Array | undefined => {
  const size = wide ? 8 : 4;
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (pieces.some((piece) => piece.length % size !== 0)) return undefined;
  const joined = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return wide ? new Float32Array(new Float64Array(joined.buffer)) : new Float32Array(joined.buffer);
};

const readShape = (bytes: Uint8Array): readonly bigint[] => {
  const sides: bigint[] = [];
  const add = (reader: BinaryReader): void => {
    if (sides.push(BigInt(reader.int64())) > limits.sides) throw new Error("a blob of many sides");
  };
  walk(bytes, (field, reader) => {
    if (field.number !== 1) return false;
    if (!isBytes(field)) add(reader);
    else for (const end = reader.uint32() + reader.pos; reader.pos < end;) add(reader);
    return true;
  });
  return sides;
};

/** One blob; the problem in words where its sides are not those of its data. */
const readBlob = (bytes: Uint8Array): E.Either<string, HostTensor> => {
  const old = [1n, 1n, 1n, 1n];
  let shape: readonly bigint[] | undefined, isOld = false;
  const single: Uint8Array[] = [], double: Uint8Array[] = [];
  walk(bytes, (field, reader) => {
    const { number } = field;
    if (number === blobFields.shape && isBytes(field)) shape = readShape(reader.bytes());
    else if (number === blobFields.data && isBytes(field)) single.push(reader.bytes());
    else if (number === blobFields.doubles && isBytes(field)) double.push(reader.bytes());
    else if (blobFields.sides.includes(number) && field.type === WireType.Varint) {
      old[number - 1] = BigInt(reader.int64());
      isOld = true;
    } else return false;
    return true;
  });
  const data = numbers(double.length > 0 ? double : single, double.length > 0);
  if (!data) return E.left("has a piece of a number, expected whole ones");
  const sides = shape ?? (isOld ? old : [BigInt(data.length)]);
  const product = sides.reduce((a, b) => a * b, 1n);
  return sides.every((side) => side >= 0n) && product === BigInt(data.length)
    ? E.right({ dtype: "F32", shape: sides.map(Number), data })
    : E.left(
      `is [${sides.join(", ").slice(0, 100)}] with ${data.length} numbers, expected as many`,
    );
};

interface Layer {
  readonly name: string;
  readonly blobs: readonly Uint8Array[];
}

const readLayer = (
  bytes: Uint8Array,
  fields: typeof oldLayerFields | typeof layerFields,
): Layer => {
  let name = "", nested: Layer | undefined;
  const blobs: Uint8Array[] = [];
  walk(bytes, (field, reader) => {
    if (!isBytes(field)) return false;
    if (field.number === fields.name) name = reader.string();
    else if (field.number === fields.blobs) {
      if (blobs.push(reader.bytes()) > limits.blobs) throw new Error("a layer of many blobs");
    } else if ("nested" in fields && field.number === fields.nested) {
      nested = readOldest(reader.bytes());
    } else return false;
    return true;
  });
  return {
    name: name || (nested?.name ?? ""),
    blobs: blobs.length > 0 ? blobs : nested?.blobs ?? [],
  };
};

/** The oldest layers hold another message with name 1 and blobs 50. */
const readOldest = (bytes: Uint8Array): Layer => {
  let name = "";
  const blobs: Uint8Array[] = [];
  walk(bytes, (field, reader) => {
    if (!isBytes(field)) return false;
    if (field.number === 1) name = reader.string();
    else if (field.number === 50) {
      if (blobs.push(reader.bytes()) > limits.blobs) throw new Error("a layer of many blobs");
    } else return false;
    return true;
  });
  return { name, blobs };
};

const readLayers = (bytes: Uint8Array): readonly Layer[] => {
  const layers: Layer[] = [];
  walk(bytes, (field, reader) => {
    if (!isBytes(field)) return false;
    if (field.number === net.layers) layers.push(readLayer(reader.bytes(), layerFields));
    else if (field.number === net.oldLayers) layers.push(readLayer(reader.bytes(), oldLayerFields));
    else return false;
    if (layers.length > limits.layers) throw new Error("more layers than any network has");
    return true;
  });
  return layers;
};

/**
 * Reads the blobs of a `.caffemodel` as `LAYER/0`, `LAYER/1` … (filters [out, in, height, width],
 * then biases). The problem in words where it is cut, is no protobuf, or where sides do not fit.
 */
export const readCaffemodel = (bytes: Uint8Array): E.Either<string, HostTensors> => {
  const parsed = E.tryCatch(
    (): E.Either<string, HostTensors> => {
      const tensors = new Map<string, HostTensor>();
      for (const { name, blobs } of readLayers(bytes)) {
        for (const [i, blob] of blobs.entries()) {
          const tensor = readBlob(blob), key = `${name}/${i}`;
          if (name.length > limits.letters) {
            const expected = `expected at most ${limits.letters}`;
            return E.left(`it has a layer's name of ${name.length} letters, ${expected}`);
          }
          if (E.isLeft(tensor)) return E.left(`blob ${i} of layer ${name} ${tensor.left}`);
          if (tensors.has(key)) return E.left(`layer ${name} is there twice, expected once`);
          tensors.set(key, tensor.right);
        }
      }
      return tensors.size > 0
        ? E.right(Object.fromEntries(tensors))
        : E.left("it has no layer with weights, expected a .caffemodel");
    },
    (cause) =>
      `it is no whole protobuf message (${
        cause instanceof Error ? cause.message : "unreadable"
      }), expected a .caffemodel`,
  );
  return E.isLeft(parsed) ? parsed : parsed.right;
};
