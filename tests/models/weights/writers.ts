/** Writers of the foreign formats of weights, for tests: small, and only what the readers need. */
import { BinaryWriter, WireType } from "npm:@bufbuild/protobuf@2.10.1/wire";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "npm:@zip.js/zip.js@2.8.11";
import type { HostTensors } from "../../../pipeline/core/elements.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Tensors of float32 by name. */
export type Floats = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
>;

export const join = (...parts: readonly Uint8Array[]): Bytes => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

export const bytesOf = (data: Float32Array): Bytes =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

const message = (write: (writer: BinaryWriter) => void): Uint8Array => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};
const put = (writer: BinaryWriter, field: number, bytes: Uint8Array): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).bytes(bytes);

/** How a caffemodel is written: today's layers, or those of 2013; sides can be faked. */
export interface CaffeOptions {
  readonly old?: boolean;
  readonly sides?: (name: string, shape: readonly number[]) => readonly (number | bigint)[];
}

/** A caffemodel with layers of blobs: tensors are named LAYER/0, LAYER/1. */
export const writeCaffemodel = (
  tensors: Floats,
  { old = false, sides = (_, shape) => shape }: CaffeOptions = {},
): Bytes => {
  const blob = (name: string): Uint8Array =>
    message((writer) => {
      const { shape, data } = tensors[name] ?? { shape: [], data: new Float32Array() };
      const told = sides(name, shape);
      if (old) {
        [...Array(4 - told.length).fill(1), ...told].forEach((side, i) =>
          writer.tag(i + 1, WireType.Varint).int64(side)
        );
      } else {
        put(
          writer,
          7,
          message((shaped) =>
            put(
              shaped,
              1,
              message((list) => {
                told.forEach((side) => list.int64(side));
              }),
            )
          ),
        );
      }
      put(writer, 5, bytesOf(data));
    });
  const layers = new Map<string, Uint8Array[]>();
  for (const name of Object.keys(tensors)) {
    const layer = name.slice(0, name.lastIndexOf("/"));
    layers.set(layer, [...layers.get(layer) ?? [], blob(name)]);
  }
  const bytes = message((net) => {
    put(net, 1, new TextEncoder().encode("tiny"));
    for (const [name, blobs] of layers) {
      put(
        net,
        old ? 2 : 100,
        message((layer) => {
          put(layer, old ? 4 : 1, new TextEncoder().encode(name));
          if (old) layer.tag(5, WireType.Varint).int32(4);
          else put(layer, 2, new TextEncoder().encode("Convolution"));
          blobs.forEach((each) => put(layer, old ? 6 : 7, each));
        }),
      );
    }
  });
  return join(bytes);
};

/** Pieces of a pickle. */
export const pickle = {
  start: Uint8Array.of(0x80, 2),
  stop: Uint8Array.of(0x2e),
  ops: (...codes: readonly (number | string)[]): Uint8Array =>
    Uint8Array.from(codes.map((code) => typeof code === "string" ? code.charCodeAt(0) : code)),
  int: (value: number): Uint8Array =>
    join(pickle.ops("J"), new Uint8Array(Int32Array.of(value).buffer)),
  /** A number of 8 bytes. */
  long: (value: bigint): Uint8Array =>
    join(pickle.ops(0x8a, 8), new Uint8Array(BigInt64Array.of(value).buffer)),
  text: (value: string): Uint8Array => {
    const bytes = new TextEncoder().encode(value);
    return join(pickle.ops("X"), new Uint8Array(Uint32Array.of(bytes.length).buffer), bytes);
  },
  global: (module: string, name: string): Uint8Array =>
    new TextEncoder().encode(`c${module}\n${name}\n`),
  tuple: (...items: readonly Uint8Array[]): Uint8Array =>
    join(pickle.ops("("), ...items, pickle.ops("t")),
  number: (value: number | bigint): Uint8Array =>
    typeof value === "bigint" ? pickle.long(value) : pickle.int(value),
  call: (callee: Uint8Array, ...args: readonly Uint8Array[]): Uint8Array =>
    join(callee, pickle.tuple(...args), pickle.ops("R")),
};

/** Sides as a pickle tells them; they can be faked. */
export type Sides = (name: string, shape: readonly number[]) => readonly (number | bigint)[];

const stateDict = (tensors: Floats, legacy: boolean, sides: Sides): Bytes => {
  const { ops, call, global, tuple, text, int, number } = pickle;
  const entries = Object.entries(tensors).flatMap(([name, { shape, data }], i) => {
    const told = sides(name, shape);
    const storage = join(
      tuple(
        text("storage"),
        global("torch", "FloatStorage"),
        text(String(i)),
        text("cpu"),
        int(data.length),
        ...(legacy ? [ops("N")] : []),
      ),
      ops("Q"),
    );
    const strides = shape.map((_, j) => shape.slice(j + 1).reduce((a, b) => a * b, 1));
    return [
      text(name),
      call(
        global("torch._utils", "_rebuild_tensor_v2"),
        storage,
        int(0),
        tuple(...told.map(number)),
        tuple(...strides.map(int)),
        ops(0x89),
        call(global("collections", "OrderedDict")),
      ),
    ];
  });
  return join(pickle.start, ops("}", "("), ...entries, ops("u"), pickle.stop);
};

/** What torch.save writes since 1.6. */
export const writeTorchZip = async (
  tensors: Floats,
  sides: Sides = (_, shape) => shape,
): Promise<Bytes> => {
  const zip = new ZipWriter(new Uint8ArrayWriter(), { level: 0, useWebWorkers: false });
  const add = (name: string, bytes: Uint8Array) =>
    zip.add(`tiny/${name}`, new Uint8ArrayReader(bytes));
  await add("data.pkl", stateDict(tensors, false, sides));
  await add("byteorder", new TextEncoder().encode("little"));
  for (const [i, { data }] of Object.values(tensors).entries()) {
    await add(`data/${i}`, bytesOf(data));
  }
  return join(await zip.close());
};

/** A zip archive with that pickle and nothing else. */
export const zipOfPickle = async (bytes: Uint8Array, level = 0): Promise<Bytes> => {
  const zip = new ZipWriter(new Uint8ArrayWriter(), { level, useWebWorkers: false });
  await zip.add("tiny/data.pkl", new Uint8ArrayReader(bytes));
  return join(await zip.close());
};

/** The four pickles in front of storages: magic, protocol, system, and the tensors. */
export const legacyHead = (state: Uint8Array): Bytes => {
  const magic = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  const { start, stop, ops, int, text } = pickle;
  return join(
    ...[start, ops(...magic), stop, start, int(1001), stop, start],
    ...[ops("}", "("), text("little_endian"), ops(0x88, "u"), stop, state],
  );
};

/** What torch.save wrote before 1.6. */
export const writeTorchLegacy = (
  tensors: Floats,
  sides: Sides = (_, shape) => shape,
): Bytes => {
  const { start, stop, ops, text } = pickle;
  const names = Object.keys(tensors).map((_, i) => text(String(i)));
  return join(
    legacyHead(stateDict(tensors, true, sides)),
    ...[start, ops("]", "("), ...names, ops("e"), stop],
    ...Object.values(tensors).flatMap(({ data }) => [
      new Uint8Array(BigInt64Array.of(BigInt(data.length)).buffer),
      bytesOf(data),
    ]),
  );
};

/** A TensorFlow.js manifest and its shard, in a folder. */
export const writeTensorflow = async (folder: string, tensors: Floats): Promise<void> => {
  const weights = Object.entries(tensors).map(([name, { shape }]) => ({
    name,
    shape,
    dtype: "float32",
  }));
  await Deno.writeFile(
    `${folder}/weights.bin`,
    join(...Object.values(tensors).map(({ data }) => bytesOf(data))),
  );
  await Deno.writeTextFile(
    `${folder}/weights_manifest.json`,
    JSON.stringify([{ paths: ["weights.bin"], weights }]),
  );
};

/** As the readers give them. */
export const asHost = (tensors: Floats): HostTensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, { dtype: "F32", ...tensor }]),
  );
