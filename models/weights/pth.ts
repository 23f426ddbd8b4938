/**
 * Readers of what `torch.save` writes: since PyTorch 1.6 a zip archive with a pickle and a member
 * for each storage; before, pickles and storages one after the other. Nothing in them is executed.
 *
 * @module
 */
import { type FileEntry, Uint8ArrayReader, ZipReader } from "npm:@zip.js/zip.js@2.8.11";
import { elementBytes, type HostTensor, type HostTensors } from "../../pipeline/core/elements.ts";
import { E } from "../../pipeline/core/fp.ts";
import { type PickleValue, unpickle } from "./pickle.ts";
import {
  materialise,
  namedTensors,
  type TorchMade,
  torchRules,
  type TorchStorage,
  type TorchTensor,
} from "./torch_tensors.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Tensors = E.Either<string, HostTensors>;

const limits = { pickle: 64 * 2 ** 20, members: 100_000 };

/** All tensors, made of the bytes of their storages; together at most four times `fileBytes`. */
const materialiseAll = (
  tensors: ReadonlyMap<string, TorchTensor>,
  storages: ReadonlyMap<string, Bytes>,
  fileBytes: number,
): Tensors => {
  const made = new Map<string, HostTensor>();
  let total = 0;
  for (const [name, tensor] of tensors) {
    const { storage, shape } = tensor, bytes = storages.get(storage.key);
    if (bytes?.length !== storage.length * elementBytes(storage.type)) {
      return E.left(
        `the storage of ${name} has ${bytes?.length ?? "no"} bytes, expected ${
          storage.length * elementBytes(storage.type)
        }`,
      );
    }
    total += shape.reduce((a, b) => a * b, 4);
    if (total > 4 * fileBytes + 2 ** 20) {
      return E.left("its tensors share storages many times over, expected about one each");
    }
    const host = materialise(tensor, bytes);
    if (E.isLeft(host)) return E.left(`${name}: ${host.left}`);
    made.set(name, host.right);
  }
  return E.right(Object.fromEntries(made));
};

/** A member's bytes; never more than it says it has, nor much more than the archive takes. */
const member = async (
  entry: FileEntry,
  limit: number,
  fileBytes: number,
): Promise<E.Either<string, Bytes>> => {
  const { filename, uncompressedSize: size } = entry;
  const most = Math.min(limit, 16 * fileBytes + 2 ** 20);
  if (size > most) return E.left(`${filename} claims ${size} bytes, expected at most ${most}`);
  const bytes = new Uint8Array(size), stop = new AbortController();
  let filled = 0;
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => {
      if (chunk.length > size - filled) {
        stop.abort(); // nothing more is unpacked
        throw new RangeError("a member is longer than it says");
      }
      bytes.set(chunk, filled);
      filled += chunk.length;
    },
  });
  await entry.getData(writable, {
    checkSignature: true,
    useWebWorkers: false,
    signal: stop.signal,
  });
  return filled === size
    ? E.right(bytes)
    : E.left(`${filename} has ${filled} bytes, expected ${size}`);
};

const storageMembers = async (
  members: ReadonlyMap<string, FileEntry>,
  folder: string,
  tensors: ReadonlyMap<string, TorchTensor>,
  fileBytes: number,
): Promise<E.Either<string, ReadonlyMap<string, Bytes>>> => {
  const storages = new Map<string, Bytes>();
  for (const [name, { storage }] of tensors) {
    if (storages.has(storage.key)) continue;
    const entry = members.get(`${folder}data/${storage.key}`);
    if (!entry) {
      return E.left(`the storage of ${name} is missing, expected ${folder}data/${storage.key}`);
    }
    const bytes = await member(entry, storage.length * elementBytes(storage.type), fileBytes);
    if (E.isLeft(bytes)) return bytes;
    storages.set(storage.key, bytes.right);
  }
  return E.right(storages);
};

const readArchive = async (bytes: Bytes): Promise<Tensors> => {
  await using archive = {
    reader: new ZipReader(new Uint8ArrayReader(bytes), {
      useWebWorkers: false,
      checkOverlappingEntry: true,
    }),
    [Symbol.asyncDispose]: () => archive.reader.close(),
  };
  const members = new Map<string, FileEntry>();
  for await (const entry of archive.reader.getEntriesGenerator()) {
    if (members.has(entry.filename)) return E.left(`it has ${entry.filename} twice, expected once`);
    if (!entry.directory) members.set(entry.filename, entry);
    if (members.size > limits.members) return E.left("it has too many members, expected a .pth");
  }
  const pickle = [...members.keys()].find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  const found = pickle === undefined ? undefined : members.get(pickle);
  if (pickle === undefined || !found) {
    const isScript = [...members.keys()].some((name) => name.includes("code/"));
    return E.left(
      `it is a zip archive without data.pkl${
        isScript ? " (TorchScript)" : ""
      }, expected what torch.save writes`,
    );
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  const order = members.get(`${folder}byteorder`);
  const told = order ? await member(order, 16, bytes.length) : E.right(new Uint8Array());
  if (E.isLeft(told)) return told;
  if (new TextDecoder().decode(told.right).startsWith("big")) {
    return E.left("its numbers are big-endian, expected little-endian");
  }
  const data = await member(found, limits.pickle, bytes.length);
  if (E.isLeft(data)) return data;
  const read = unpickle(data.right, torchRules);
  if (E.isLeft(read)) return read;
  const tensors = namedTensors(read.right.value);
  if (E.isLeft(tensors)) return tensors;
  const storages = await storageMembers(members, folder, tensors.right, bytes.length);
  return E.isLeft(storages)
    ? storages
    : materialiseAll(tensors.right, storages.right, bytes.length);
};

/** Reads the zip form; the problem in words. */
export const readTorchZip = async (bytes: Bytes): Promise<Tensors> => {
  try {
    return await readArchive(bytes);
  } catch (cause) { // the zip package throws where an archive is damaged, not always in words
    const isTold = cause instanceof Error && !(cause instanceof TypeError);
    const why = isTold ? cause.message : "unreadable";
    return E.left(`it is a damaged zip archive (${why}), expected a .pth`);
  }
};

const MAGIC = BigInt("0x1950a86a20f9469cfc6c");
const PROTOCOL = 1001;

const isLittle = (info: PickleValue<TorchMade>): boolean =>
  typeof info !== "object" || info === null || info.kind !== "dict" ||
  !info.entries.some(([key, value]) => key === "little_endian" && value === false);

/** The storages after the pickles: for each key its length in 8 bytes, then its numbers. */
const trailingStorages = (
  bytes: Bytes,
  keys: readonly string[],
  known: ReadonlyMap<string, TorchStorage>,
): E.Either<string, ReadonlyMap<string, Bytes>> => {
  const storages = new Map<string, Bytes>();
  let at = 0;
  for (const key of keys) {
    const storage = known.get(key);
    if (!storage) return E.left(`it has a storage ${key} that nothing refers to, expected none`);
    if (bytes.length - at < 8) return E.left("it is cut short, expected more storages");
    const length = new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0, true);
    const size = storage.length * elementBytes(storage.type);
    if (length !== BigInt(storage.length)) {
      return E.left(`storage ${key} has ${length} numbers, expected ${storage.length}`);
    }
    if (size > bytes.length - at - 8) {
      return E.left(`it is cut short: storage ${key} takes ${size} bytes, expected that many`);
    }
    storages.set(key, bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return at === bytes.length
    ? E.right(storages)
    : E.left(`it has ${bytes.length - at} bytes after the last storage, expected none`);
};

/** Reads the form before PyTorch 1.6; the problem in words. */
export const readTorchLegacy = (bytes: Bytes): Tensors => {
  const known = new Map<string, TorchStorage>();
  const rules = {
    ...torchRules,
    persistent: (id: PickleValue<TorchMade>) => {
      const made = torchRules.persistent(id);
      if (E.isRight(made) && typeof made.right === "object" && made.right?.kind === "made") {
        const { made: storage } = made.right;
        if (storage.what === "storage") {
          const other = known.get(storage.key);
          if (other && (other.length !== storage.length || other.type !== storage.type)) {
            return E.left(`storage ${storage.key} is of two kinds, expected one`);
          }
          known.set(storage.key, storage);
        }
      }
      return made;
    },
  };
  const values: PickleValue<TorchMade>[] = [];
  let at = 0;
  for (let i = 0; i < 5; i++) {
    const read = unpickle(bytes.subarray(at, at + limits.pickle), rules);
    if (E.isLeft(read)) return read;
    values.push(read.right.value);
    at += read.right.length;
    if (i === 0 && values[0] !== MAGIC) {
      return E.left("it is a plain pickle, expected what torch.save writes");
    }
  }
  const [, protocol, info = null, root = null, list] = values;
  if (protocol !== PROTOCOL) {
    return E.left(`it has protocol ${String(protocol)}, expected ${PROTOCOL}`);
  }
  if (!isLittle(info)) return E.left("its numbers are big-endian, expected little-endian");
  const keys = typeof list === "object" && list?.kind === "list" ? list.items : [];
  const names = keys.filter((key) => typeof key === "string");
  if (names.length !== keys.length || new Set(names).size !== names.length) {
    return E.left("it lists its storages strangely, expected each name once");
  }
  const tensors = namedTensors(root);
  if (E.isLeft(tensors)) return tensors;
  const storages = trailingStorages(bytes.subarray(at), names, known);
  return E.isLeft(storages)
    ? storages
    : materialiseAll(tensors.right, storages.right, bytes.length);
};
