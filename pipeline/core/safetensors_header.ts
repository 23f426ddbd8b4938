/**
 * The header of a safetensors file: parsed with bounds, every claim checked before it is believed.
 * Layout: 8 bytes with the header's length, the header (JSON), then the tensors' bytes.
 *
 * @module
 */
import { E } from "./fp.ts";
import { decodeUtf8 } from "./config_file.ts";
import { elementBytes, isStoredType, type StoredType, storedTypes } from "./elements.ts";

/** Longest header that is read, in bytes: the format's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;
/** Most tensors that a file may name. */
export const MAX_TENSORS = 100_000;
const MAX_KEYS = 5 * MAX_TENSORS; // a name and its three members each, and metadata
/** Bytes before the header. */
export const PREFIX_BYTES = 8;

/** Where a tensor is, checked: `end - begin` is its size, in bytes from the end of the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A checked header. */
export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

const OPEN = 0x7b; // {

const startsWith = (bytes: Uint8Array, at: number, magic: string): boolean =>
  [...magic].every((character, i) => bytes[at + i] === character.charCodeAt(0));

const foreignFormats: readonly (readonly [name: string, at: number, magic: string])[] = [
  ["a zip archive (a PyTorch .pth or .npz file)", 0, "PK\x03\x04"],
  ["an HDF5 file (Keras weights)", 0, "\x89HDF\r\n\x1a\n"],
  ["a tar archive", 257, "ustar"],
  ["gzip data", 0, "\x1f\x8b"],
  ["a NumPy array", 0, "\x93NUMPY"],
  ...[2, 3, 4, 5].map((protocol) =>
    ["a Python pickle", 0, `\x80${String.fromCharCode(protocol)}`] as const
  ),
];

/**
 * Checks the first bytes of a file of `size` bytes and gives the header's length; the problem, in
 * words, where it is no safetensors file. Needs 512 bytes or the whole file.
 */
export const headerLength = (start: Uint8Array, size: number): E.Either<string, number> => {
  if (start[PREFIX_BYTES] !== OPEN) {
    const foreign = foreignFormats.find(([, at, magic]) => startsWith(start, at, magic));
    if (foreign !== undefined) {
      return E.left(
        `it is ${foreign[0]}, which can run code or needs converting, expected safetensors; ` +
          "convert it with: deno task weights convert IN OUT",
      );
    }
  }
  if (size < PREFIX_BYTES + 2 || start.length <= PREFIX_BYTES) {
    return E.left(`it has ${size} bytes, expected a header`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    return E.left(`its header claims ${length} bytes, expected at most ${MAX_HEADER_BYTES}`);
  }
  if (Number(length) > size - PREFIX_BYTES) {
    return E.left(
      `its header claims ${length} bytes, expected at most the ${size - PREFIX_BYTES} that follow`,
    );
  }
  if (start[PREFIX_BYTES] !== OPEN) return E.left("its header starts with no {, expected JSON");
  return E.right(Number(length));
};

// JSON.parse keeps the last of several equal keys and reads a million of them: so the keys are
// looked at first, in one pass over the text.
const keyProblem = (json: string): string | undefined => {
  const keys: Set<string>[] = [];
  let names = 0, all = 0;
  let text = "";
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === "{" || character === "[") {
      keys.push(new Set());
      if (keys.length > 3) {
        return "its header is nested deeper than 3, expected name → entry → list";
      }
    } else if (character === "}" || character === "]") {
      keys.pop();
    } else if (character === '"') {
      const from = i;
      do i = json.indexOf('"', i + 1); while (i > 0 && escaped(json, i));
      if (i < 0) return "its header ends inside a text, expected JSON";
      text = json.slice(from, i + 1);
    } else if (character === ":") {
      // As written, or unescaped: \u0061 and a are the same key.
      const key = text.includes("\\") ? unescaped(text) : text;
      if (keys.at(-1)?.has(key)) return `its header has the key ${key} twice, expected once`;
      keys.at(-1)?.add(key);
      if (keys.length === 1 && ++names > MAX_TENSORS + 1) {
        return `its header names more than ${MAX_TENSORS} tensors, expected at most that`;
      }
      if (++all > MAX_KEYS) {
        return `its header has more than ${MAX_KEYS} keys, expected at most that`;
      }
    }
  }
  return undefined;
};

const escaped = (json: string, quote: number): boolean => {
  let slashes = 0;
  while (json[quote - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
};

const parse = (json: string): E.Either<unknown, unknown> =>
  E.tryCatch((): unknown => JSON.parse(json), (cause) => cause);

const unescaped = (text: string): string => {
  const parsed = parse(text);
  return E.isRight(parsed) ? JSON.stringify(parsed.right) : text;
};

type Plain = Readonly<Record<string, unknown>>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isCounts = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every(isCount);

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "none";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

const checkEntry = (name: string, value: unknown): E.Either<string, Entry> => {
  const wrong = (what: string) => E.left(`tensor ${brief(name)} ${what}`);
  if (!isPlain(value)) return wrong(`is ${brief(value)}, expected an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStoredType(dtype)) {
    return wrong(`has dtype ${brief(dtype)}, expected ${storedTypes.join(", ")}`);
  }
  if (!isCounts(shape)) {
    return wrong(`has shape ${brief(shape)}, expected a list of sizes`);
  }
  const [begin, end] = isCounts(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || end < begin) {
    return wrong(`has offsets ${brief(offsets)}, expected [begin, end]`);
  }
  let bytes = elementBytes(dtype);
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) {
      return wrong(`has shape ${brief(shape)}, whose product is too large, expected < 2^53 bytes`);
    }
  }
  return bytes === end - begin
    ? E.right({ name, dtype, shape, begin, end })
    : wrong(`takes ${end - begin} bytes, expected ${bytes} for ${dtype} ${brief(shape)}`);
};

const checkMetadata = (value: unknown): E.Either<string, Readonly<Record<string, string>>> => {
  if (value === undefined) return E.right({});
  if (!isPlain(value)) return E.left(`its __metadata__ is ${brief(value)}, expected an object`);
  const wrong = Object.entries(value).find(([, text]) => typeof text !== "string");
  return wrong === undefined
    ? E.right(Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)])))
    : E.left(`its __metadata__ ${brief(wrong[0])} is ${brief(wrong[1])}, expected text`);
};

// The tensors must cover the data exactly: no gap, no overlap, nothing after the last one.
const checkCover = (entries: readonly Entry[], dataBytes: number): string | undefined => {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      return `tensor ${brief(name)} ${
        begin < covered ? "overlaps the one before it" : "leaves a gap"
      }` +
        `: it begins at byte ${begin}, expected ${covered}`;
    }
    covered = end;
  }
  if (covered === dataBytes) return undefined;
  return covered > dataBytes
    ? `it is cut short: ${dataBytes} bytes of data, expected ${covered}`
    : `it has ${dataBytes - covered} bytes after the last tensor, expected none`;
};

/** Parses and checks a header of a file with `dataBytes` bytes of data; the problem in words. */
export const parseHeader = (bytes: Uint8Array, dataBytes: number): E.Either<string, Header> => {
  const json = decodeUtf8(bytes);
  if (json === undefined) return E.left("its header is not UTF-8, expected JSON");
  const keys = keyProblem(json);
  if (keys !== undefined) return E.left(keys);
  const parsed = parse(json);
  if (E.isLeft(parsed) || !isPlain(parsed.right)) {
    return E.left("its header is not JSON, expected an object of tensors");
  }
  const metadata = checkMetadata(
    Object.hasOwn(parsed.right, "__metadata__") ? parsed.right["__metadata__"] : undefined,
  );
  if (E.isLeft(metadata)) return metadata;
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(parsed.right)) {
    if (name === "__metadata__") continue;
    const entry = checkEntry(name, value);
    if (E.isLeft(entry)) return entry;
    entries.push(entry.right);
  }
  // Empty tensors first where several begin at the same byte.
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const uncovered = checkCover(entries, dataBytes);
  return uncovered === undefined
    ? E.right({ entries, metadata: metadata.right })
    : E.left(uncovered);
};
