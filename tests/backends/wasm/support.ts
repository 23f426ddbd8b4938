/** What the tests of the wasm backend share. */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../../backends/tf.ts";
import { createWasmBackend, type WasmOptions } from "../../../backends/wasm.ts";
import type { Backend } from "../../../pipeline/core/env.ts";

/** Runs `f` on a fresh wasm backend, closes it, and fails where tensors are left. */
export const withWasm = async <A>(
  f: (backend: Backend) => Promise<A>,
  options: WasmOptions = {},
): Promise<A> => {
  const started = await createWasmBackend(options)();
  if (started._tag === "Left") throw new Error(started.left.message);
  const backend = started.right, before = backend.tensors();
  try {
    const result = await f(backend);
    assert.equal(backend.tensors(), before, "tensors are left");
    return result;
  } finally {
    await backend.close();
  }
};

/** Runs tensor code on the backend and reads its results. */
export const compute = async (
  backend: Backend,
  f: () => Tensor | Tensor[],
): Promise<Float32Array[]> => {
  const made = await backend.run("test", () => {
    const out = f();
    return Array.isArray(out) ? out : [out];
  })();
  if (made._tag === "Left") throw new Error(made.left.message, { cause: made.left });
  const values = await Promise.all(made.right.map((t) => t.data()));
  backend.dispose(made.right);
  return values.map((v) => Float32Array.from(v));
};

/** Runs tensor code on the plain JavaScript backend: the reference. */
export const reference = async (f: () => Tensor | Tensor[]): Promise<Float32Array[]> => {
  if (!await tf.setBackend("cpu")) throw new Error("the cpu backend does not start");
  const tensors = tf.tidy(() => {
    const out = f();
    return Array.isArray(out) ? out : [out];
  });
  const values = await Promise.all(tensors.map((t) => t.data()));
  tf.dispose(tensors);
  return values.map((v) => Float32Array.from(v));
};

/** Numbers in [-1, 1) that depend on the seed only. */
export const noise = (length: number, seed = 1): Float32Array =>
  Float32Array.from({ length }, (_, i) => {
    let x = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  });

/** √(mean (a − b)²) / √(mean b²), b the expected. */
export const relativeError = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  assert.equal(actual.length, expected.length);
  let error = 0, size = 0;
  for (let i = 0; i < expected.length; i++) {
    error += ((actual[i] ?? NaN) - (expected[i] ?? NaN)) ** 2;
    size += (expected[i] ?? NaN) ** 2;
  }
  return Math.sqrt(error / Math.max(size, 1e-30));
};

/** Fails unless every array is within a relative RMS of `limit`. */
export const assertClose = (
  actual: readonly Float32Array[],
  expected: readonly Float32Array[],
  limit = 1e-5,
  what = "",
): void => {
  assert.equal(actual.length, expected.length, what);
  actual.forEach((values, i) => {
    const error = relativeError(values, expected[i] ?? []);
    assert.ok(error < limit, `${what} output ${i}: relative RMS ${error}, expected < ${limit}`);
  });
};
