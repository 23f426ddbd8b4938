/** Files of tensors, right and wrong, for tests. */
import assert from "node:assert/strict";
import { E } from "../../../pipeline/core/fp.ts";
import { type HostTensor, readSafetensors } from "../../../pipeline/core/safetensors.ts";
/** A vector. */
export const f32 = (...values: readonly number[]): HostTensor => ({
  dtype: "F32",
  shape: [values.length],
  data: Float32Array.from(values),
});

/** A file with any header, right or wrong. */
export const fileOf = (
  header: unknown,
  dataBytes: number,
  claimed?: bigint,
): Uint8Array<ArrayBuffer> => {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
};

/** Why a file is refused, or "accepted". */
export const refusal = (bytes: Uint8Array<ArrayBuffer>): string => {
  const read = readSafetensors(bytes, "x.safetensors");
  if (E.isRight(read)) return "accepted";
  assert.equal(read.left._tag, "BadFile");
  assert.equal(read.left.path, "x.safetensors");
  return read.left.message;
};
