/**
 * How files store numbers, and what they become in host memory: the types of safetensors, which
 * PyTorch's storages share.
 *
 * @module
 */
import { E } from "./fp.ts";

/** A tensor in host memory, `data` in row order. */
export type HostTensor =
  | { readonly dtype: "F32"; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "F64"; readonly shape: readonly number[]; readonly data: Float64Array }
  | { readonly dtype: "I32"; readonly shape: readonly number[]; readonly data: Int32Array };

/** Named tensors, as in a file. */
export type HostTensors = Readonly<Record<string, HostTensor>>;

const ELEMENT_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

/**
 * Element types that are understood. F16 and BF16 are widened to F32 on reading, small integers and
 * truth values to I32, I64 to F64 (which holds whole numbers up to 2^53).
 */
export type StoredType = keyof typeof ELEMENT_BYTES;

/** All of them. */
export const storedTypes: readonly string[] = Object.keys(ELEMENT_BYTES);

/** Whether a text names an element type that is understood. */
export const isStoredType = (value: unknown): value is StoredType =>
  typeof value === "string" && Object.hasOwn(ELEMENT_BYTES, value);

/** Bytes of one element. */
export const elementBytes = (dtype: StoredType): number => ELEMENT_BYTES[dtype];

const widenBrain = (bits: Uint16Array): Float32Array => {
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = (bits[i] ?? 0) << 16;
  return new Float32Array(wide.buffer);
};

const exact = (values: BigInt64Array): E.Either<string, Float64Array> => {
  const data = Float64Array.from(values, Number);
  return data.every(Number.isSafeInteger)
    ? E.right(data)
    : E.left("it holds whole numbers beyond 2^53, expected smaller ones");
};

/**
 * Decodes little-endian elements; what they become may share memory with `bytes`, where those are
 * aligned. The problem in words where they are no whole elements or do not fit.
 */
export const decodeElements = (
  dtype: StoredType,
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): E.Either<string, HostTensor> => {
  const size = elementBytes(dtype);
  if (bytes.length !== shape.reduce((a, b) => a * b, 1) * size) {
    return E.left(`it has ${bytes.length} bytes, expected [${shape.join(", ")}] of ${size}`);
  }
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const length = bytes.length / size;
  const f32 = (data: Float32Array) => E.right({ dtype: "F32", shape, data } as const);
  const i32 = (data: Int32Array) => E.right({ dtype: "I32", shape, data } as const);
  switch (dtype) {
    case "F32":
      return f32(new Float32Array(buffer, byteOffset, length));
    case "F64":
      return E.right({ dtype, shape, data: new Float64Array(buffer, byteOffset, length) });
    case "F16":
      return f32(new Float32Array(new Float16Array(buffer, byteOffset, length)));
    case "BF16":
      return f32(widenBrain(new Uint16Array(buffer, byteOffset, length)));
    case "I64":
      return E.map((data: Float64Array): HostTensor => ({ dtype: "F64", shape, data }))(
        exact(new BigInt64Array(buffer, byteOffset, length)),
      );
    case "I32":
      return i32(new Int32Array(buffer, byteOffset, length));
    case "I16":
      return i32(new Int32Array(new Int16Array(buffer, byteOffset, length)));
    case "I8":
      return i32(new Int32Array(new Int8Array(buffer, byteOffset, length)));
    case "U8":
    case "BOOL":
      return i32(new Int32Array(new Uint8Array(buffer, byteOffset, length)));
  }
};
