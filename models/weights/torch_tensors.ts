/**
 * What PyTorch puts into its pickles: storages (referred to by name, kept outside of the pickle)
 * and tensors as views of them, in containers.
 *
 * @module
 */
import {
  decodeElements,
  elementBytes,
  type HostTensor,
  type StoredType,
} from "../../pipeline/core/elements.ts";
import { E } from "../../pipeline/core/fp.ts";
import type { PickleRules, PickleValue } from "./pickle.ts";

/** Numbers that lie somewhere in the file. */
export interface TorchStorage {
  readonly what: "storage";
  /** Its name in the file. */
  readonly key: string;
  readonly type: StoredType;
  /** How many numbers it has. */
  readonly length: number;
}

/** A view of a storage. */
export interface TorchTensor {
  readonly what: "tensor";
  readonly storage: TorchStorage;
  /** The first number, counted in elements. */
  readonly offset: number;
  readonly shape: readonly number[];
  /** Steps of each side, in elements. */
  readonly strides: readonly number[];
}

/** What the allowed globals make. */
export type TorchMade = TorchStorage | TorchTensor;
type Value = PickleValue<TorchMade>;
type Made = E.Either<string, Value>;

const storageTypes: Readonly<Record<string, StoredType>> = {
  "torch.FloatStorage": "F32",
  "torch.DoubleStorage": "F64",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
  "torch.ShortStorage": "I16",
  "torch.CharStorage": "I8",
  "torch.ByteStorage": "U8",
  "torch.BoolStorage": "BOOL",
};

const maxSides = 16;

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const countsOf = (value: Value | undefined): readonly number[] | undefined => {
  if (typeof value !== "object" || value === null || value.kind !== "tuple") return undefined;
  const { items } = value;
  return items.length <= maxSides && items.every(isCount) ? items : undefined;
};

const storageOf = (value: Value | undefined): TorchStorage | undefined =>
  typeof value === "object" && value !== null && value.kind === "made" &&
    value.made.what === "storage"
    ? value.made
    : undefined;

/** The tensor (storage, offset, shape, strides, …); every number of it lies in the storage. */
const rebuildTensor = ([storing, offset, sides, steps]: readonly Value[]): Made => {
  const storage = storageOf(storing), shape = countsOf(sides), strides = countsOf(steps);
  if (!storage || !isCount(offset) || !shape || shape.length !== strides?.length) {
    return E.left("it makes a tensor of no storage, offset, shape and strides, expected these");
  }
  const length = shape.reduce((a, b) => a * b, 1);
  const end = shape.reduce((at, side, i) => at + (side - 1) * (strides[i] ?? 0), offset + 1);
  if (length > 0 && end > storage.length) {
    return E.left(
      `it makes a tensor [${shape.join(", ")}] that ends at ${end} in a storage of ` +
        `${storage.length}, expected one inside`,
    );
  }
  if (length > storage.length) {
    return E.left(
      `it makes a tensor [${shape.join(", ")}] that repeats its numbers, expected plain ones`,
    );
  }
  const made: TorchTensor = { what: "tensor", storage, offset, shape, strides };
  return E.right({ kind: "made", made });
};

const emptyDictionary = (args: readonly Value[]): Made => {
  const [first] = args;
  if (args.length === 0) return E.right({ kind: "dict", entries: [] });
  const isItems = args.length === 1 && typeof first === "object" && first?.kind === "list";
  if (!isItems) return E.left("it fills an OrderedDict strangely, expected an empty one");
  const entries: [Value, Value][] = [];
  for (const item of first.items) {
    if (
      typeof item !== "object" || item === null || !("items" in item) || item.items.length !== 2
    ) {
      return E.left("it fills an OrderedDict with no pairs, expected pairs");
    }
    entries.push([item.items[0] ?? null, item.items[1] ?? null]);
  }
  return E.right({ kind: "dict", entries });
};

const first = ([value]: readonly Value[]): Made => E.right(value ?? null);

/** ("storage", type, key, device, length[, view]): the last one must be empty. */
const persistent = (id: Value): Made => {
  const items = typeof id === "object" && id !== null && id.kind === "tuple" ? id.items : [];
  const [what, type, key, , length, view] = items;
  const stored = typeof type === "object" && type?.kind === "global"
    ? storageTypes[type.name]
    : undefined;
  if (what !== "storage" || !stored || typeof key !== "string" || !isCount(length)) {
    return E.left("it refers to something else than a storage of numbers, expected one");
  }
  if (view !== undefined && view !== null) {
    return E.left("it has a view of a storage as PyTorch 0.1 wrote it, expected whole storages");
  }
  const made: TorchStorage = { what: "storage", key, type: stored, length };
  return E.right({ kind: "made", made });
};

/** What a pickle of PyTorch may name: storage types, makers of tensors, dictionaries. */
export const torchRules: PickleRules<TorchMade> = {
  globals: new Map([
    ...Object.keys(storageTypes).map((name) => [name, undefined] as const),
    ["torch._utils._rebuild_tensor", rebuildTensor],
    ["torch._utils._rebuild_tensor_v2", rebuildTensor],
    ["torch._utils._rebuild_parameter", first],
    ["torch.Size", first],
    ["collections.OrderedDict", emptyDictionary],
  ]),
  persistent,
};

const MAX_DEPTH = 16;
const MAX_VISITS = 300_000;

/**
 * The tensors in nested containers, by the path of keys to each, with dots between. What is neither
 * tensor nor container is passed over. The problem in words where there is none, or no end.
 */
export const namedTensors = (
  root: Value,
): E.Either<string, ReadonlyMap<string, TorchTensor>> => {
  const found = new Map<string, TorchTensor>();
  let visits = 0, problem: string | undefined;
  const visit = (value: Value, path: string, depth: number): void => {
    if (problem !== undefined || typeof value !== "object" || value === null) return;
    if (visits > MAX_VISITS || depth > MAX_DEPTH) {
      problem = "its containers are nested too deep or too often, expected a dictionary of tensors";
    } else if (value.kind === "made") {
      if (value.made.what !== "tensor") return;
      if (found.has(path)) problem = `it has ${path} twice, expected once`;
      else found.set(path, value.made);
    } else if (value.kind === "dict" || value.kind === "list" || value.kind === "tuple") {
      const members: Iterable<readonly [Value, Value]> = value.kind === "dict"
        ? value.entries
        : value.items.entries();
      for (const [key, member] of members) {
        // All members count: a list of a million numbers may be referred to a million times.
        if (++visits > MAX_VISITS) break;
        if (typeof member !== "object") continue;
        const name = typeof key === "string" || typeof key === "number" ? String(key) : "?";
        const next = path === "" ? name : `${path}.${name}`;
        if (next.length > 200) problem = "it has endless names, expected those of layers";
        else visit(member, next, depth + 1);
        if (problem !== undefined) return;
      }
    }
  };
  visit(root, "", 0);
  if (visits > MAX_VISITS) problem ??= "it has too many members, expected a dictionary of tensors";
  if (problem !== undefined) return E.left(problem);
  return found.size > 0
    ? E.right(found)
    : E.left("it holds no tensor, expected a dictionary of them (a state_dict)");
};

const contiguous = ({ shape, strides }: TorchTensor): boolean => {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i] ?? 1;
  }
  return true;
};

/** The elements of a view with any strides, one after the other. */
const gathered = (
  { shape, strides, offset }: TorchTensor,
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): Uint8Array<ArrayBuffer> => {
  const length = shape.reduce((a, b) => a * b, 1);
  const packed = new Uint8Array(length * size), index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < length; to++) {
    for (let b = 0; b < size; b++) packed[to * size + b] = bytes[from * size + b] ?? 0;
    for (let i = shape.length - 1; i >= 0; i--) {
      const side = shape[i] ?? 1, stride = strides[i] ?? 0, at = (index[i] ?? 0) + 1;
      from += stride;
      index[i] = at;
      if (at < side) break;
      from -= side * stride;
      index[i] = 0;
    }
  }
  return packed;
};

/** A tensor's numbers out of the bytes of its storage. */
export const materialise = (
  tensor: TorchTensor,
  bytes: Uint8Array<ArrayBuffer>,
): E.Either<string, HostTensor> => {
  const { storage: { type }, shape, offset } = tensor, size = elementBytes(type);
  const length = shape.reduce((a, b) => a * b, 1);
  return decodeElements(
    type,
    shape,
    contiguous(tensor)
      ? bytes.subarray(offset * size, (offset + length) * size)
      : gathered(tensor, bytes, size),
  );
};
