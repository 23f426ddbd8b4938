/**
 * Reading and writing of safetensors: the only format of weights that is read back, because it
 * holds numbers and nothing that runs.
 *
 * @example
 * ```ts
 * import { E } from "./fp.ts";
 * import { readSafetensors, writeSafetensors } from "./safetensors.ts";
 *
 * const bytes = writeSafetensors({
 *   "P/bias": { dtype: "F32", shape: [2], data: new Float32Array([1, 2]) },
 * }, { preset: "toy-64" });
 * const read = readSafetensors(bytes, "weights.safetensors");
 * if (E.isLeft(read) || read.right.tensors["P/bias"]?.data[1] !== 2) throw new Error("unexpected");
 * ```
 *
 * @module
 */
import { E, type Either, type TaskEither } from "./fp.ts";
import type { Err } from "./errors.ts";
import { fileProblem, openFile, readBounded, readFully } from "./files.ts";
import { decodeElements, elementBytes, type HostTensor, type HostTensors } from "./elements.ts";
import {
  headerLength,
  MAX_HEADER_BYTES,
  MAX_TENSORS,
  parseHeader,
  PREFIX_BYTES,
} from "./safetensors_header.ts";

export type { HostTensor, HostTensors } from "./elements.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  /** By name. */
  readonly tensors: HostTensors;
  /** Texts about them, for people and for readers. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Largest file that is read, in bytes: twice what paper-256 with all its moments takes. */
export const MAX_FILE_BYTES = 4 * 2 ** 30;

/**
 * The bytes of a file in pieces: its header, then each tensor's memory, not copied. Tensors are
 * ordered by element size, then name, so that each is aligned and equal content gives equal bytes.
 * A shape that does not fit its data, or more than 100,000 tensors, is a bug and throws.
 */
export const safetensorsChunks = (
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] => {
  const entries = Object.entries(tensors).sort(([a, x], [b, y]) =>
    elementBytes(y.dtype) - elementBytes(x.dtype) || (a < b ? -1 : 1)
  );
  if (entries.length > MAX_TENSORS) {
    throw new RangeError(`Cannot write ${entries.length} tensors: expected at most ${MAX_TENSORS}`);
  }
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(["__metadata__", metadata]);
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    if (name === "__metadata__" || shape.reduce((a, b) => a * b, 1) !== data.length) {
      throw new RangeError(
        `Cannot write tensor ${name}: ${data.length} elements, expected shape [${
          shape.join(", ")
        }]`,
      );
    }
    header.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }]);
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(json.length / 8) * 8; // so that the data is aligned for 8-byte elements
  if (padded > MAX_HEADER_BYTES) {
    throw new RangeError(`Cannot write a header of ${padded} bytes: at most ${MAX_HEADER_BYTES}`);
  }
  const start = new Uint8Array(PREFIX_BYTES + padded).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.set(json, PREFIX_BYTES);
  return [start, ...chunks];
};

/** The bytes of a file with these tensors; see {@link safetensorsChunks}. */
export const writeSafetensors = (
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> => {
  const chunks = safetensorsChunks(tensors, metadata);
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
};

/**
 * Reads the bytes of a safetensors file; its tensors may share memory with `bytes`. Everything that
 * does not hold exactly is a `BadFile` that names it; `path` is for the message.
 */
export const readSafetensors = (
  bytes: Uint8Array<ArrayBuffer>,
  path: string,
): Either<Err<"BadFile">, Safetensors> => {
  const refuse = (problem: string) =>
    E.left<Err<"BadFile">>({ _tag: "BadFile", path, message: `Cannot read ${path}: ${problem}` });
  const length = headerLength(bytes, bytes.length);
  if (E.isLeft(length)) return refuse(length.left);
  const data = bytes.subarray(PREFIX_BYTES + length.right);
  const header = parseHeader(
    bytes.subarray(PREFIX_BYTES, data.byteOffset - bytes.byteOffset),
    data.length,
  );
  if (E.isLeft(header)) return refuse(header.left);
  const { entries, metadata } = header.right;
  const tensors: [string, HostTensor][] = [];
  for (const { name, dtype, shape, begin, end } of entries) {
    const tensor = decodeElements(dtype, shape, data.subarray(begin, end));
    if (E.isLeft(tensor)) return refuse(`tensor ${name}: ${tensor.left}`);
    tensors.push([name, tensor.right]);
  }
  return E.right({ tensors: Object.fromEntries(tensors), metadata });
};

/** Reads a safetensors file; its first bytes are checked before the rest is read. */
export const readSafetensorsFile =
  (path: string): TaskEither<Err<"BadFile">, Safetensors> => async () => {
    const refuse = (problem: string) =>
      E.left<Err<"BadFile">>({ _tag: "BadFile", path, message: `Cannot read ${path}: ${problem}` });
    try {
      using file = await openFile(path);
      const { size } = await file.stat();
      const start = headerLength(await readFully(file, new Uint8Array(512)), size);
      if (E.isLeft(start)) return refuse(start.left);
    } catch (cause) {
      return refuse(`${fileProblem(cause)}, expected a safetensors file`);
    }
    const bytes = await readBounded(path, MAX_FILE_BYTES)();
    return E.isLeft(bytes) ? bytes : readSafetensors(bytes.right, path);
  };

/** What a safetensors file says of itself, and its tensors' names and shapes: its numbers are not read. */
export interface SafetensorsHeader {
  /** Sides of the tensors by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Texts about them. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads only the header of a safetensors file; `BadFile` as {@link readSafetensorsFile}. */
export const readSafetensorsHeader =
  (path: string): TaskEither<Err<"BadFile">, SafetensorsHeader> => async () => {
    const refuse = (problem: string) =>
      E.left<Err<"BadFile">>({ _tag: "BadFile", path, message: `Cannot read ${path}: ${problem}` });
    try {
      using file = await openFile(path);
      const { size } = await file.stat();
      const length = headerLength(await readFully(file, new Uint8Array(512)), size);
      if (E.isLeft(length)) return refuse(length.left);
      await file.seek(PREFIX_BYTES, Deno.SeekMode.Start);
      const bytes = await readFully(file, new Uint8Array(length.right));
      const header = parseHeader(bytes, size - PREFIX_BYTES - length.right);
      if (E.isLeft(header)) return refuse(header.left);
      const { entries, metadata } = header.right;
      return E.right({
        shapes: Object.fromEntries(entries.map(({ name, shape }) => [name, shape])),
        metadata,
      });
    } catch (cause) {
      return refuse(`${fileProblem(cause)}, expected a safetensors file`);
    }
  };
