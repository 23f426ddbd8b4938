/**
 * How kernels of the wasm backend are registered, and what they get to work with.
 *
 * @module
 */
import { type BackendWasm, type TensorInfo, tf } from "../tf.ts";
import type { Pool } from "./pool.ts";

const wasm = "wasm";

/** What a kernel gives. */
export type Results = TensorInfo | TensorInfo[];

/** One call of a kernel. */
export interface Call {
  readonly inputs: Readonly<Record<string, TensorInfo | undefined>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly backend: BackendWasm;
  /** Our own kernels and threads on the heap of that backend. */
  readonly pool: Pool;
  /** What was registered under this name before: the stock or the composed kernel. */
  readonly before: () => Results;
}

// Kernels are registered once for all backends of the name; each backend has its own threads.
const pools = new WeakMap<object, Pool>();

/** Tells which threads work on the heap of a backend. */
export const attachPool = (backend: BackendWasm, pool: Pool): void => {
  pools.set(backend, pool);
};

const poolOf = (backend: object): Pool => {
  const pool = pools.get(backend);
  if (!pool) {
    throw new Error("Cannot run a wasm kernel: the backend was not made by createWasmBackend");
  }
  return pool;
};

/** Registers a kernel in place of the one of that name, whose set-up still runs. */
export const replaceKernel = (kernelName: string, compute: (call: Call) => Results): void => {
  const old = tf.getKernel(kernelName, wasm);
  if (old) tf.unregisterKernel(kernelName, wasm);
  tf.registerKernel({
    kernelName,
    backendName: wasm,
    ...(old?.setupFunc ? { setupFunc: old.setupFunc } : {}),
    ...(old?.disposeFunc ? { disposeFunc: old.disposeFunc } : {}),
    kernelFunc: (parameters) =>
      compute({
        inputs: parameters.inputs,
        attributes: (parameters.attrs ?? {}) as unknown as Readonly<Record<string, unknown>>,
        backend: parameters.backend as BackendWasm,
        pool: poolOf(parameters.backend as BackendWasm),
        before: () => {
          if (!old) throw new Error(`Cannot run ${kernelName}: the stock wasm backend lacks it`);
          return old.kernelFunc(parameters);
        },
      }),
  });
};

/** The product of dimensions: how many numbers a tensor has. */
export const sizeOf = (shape: readonly number[]): number => {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
};

/** An input that must be float32: anything else is a bug of the caller. */
export const float = (info: TensorInfo, name: string): TensorInfo => {
  if (info.dtype !== "float32") {
    throw new Error(`Cannot run a kernel: input ${name} is ${info.dtype}, expected float32`);
  }
  return info;
};

/** The named input; a missing one, or one that is not float32, is a bug of the caller. */
export const given = ({ inputs }: Call, name: string): TensorInfo => {
  const info = inputs[name];
  if (!info) throw new Error(`Cannot run a kernel: input ${name} is missing`);
  return float(info, name);
};

/** Throws unless all tensors have as many numbers as the first. */
export const sameSize = ([head, ...rest]: readonly TensorInfo[]): void => {
  for (const { shape } of rest) {
    if (head && sizeOf(shape) !== sizeOf(head.shape)) {
      throw new Error(`Cannot run a kernel: an input is [${shape}], expected [${head.shape}]`);
    }
  }
};

/** The named input with as many numbers as another one. */
export const givenLike = (call: Call, name: string, like: TensorInfo): TensorInfo => {
  const info = given(call, name);
  sameSize([like, info]);
  return info;
};

/** Where a tensor lies on the heap. */
export const at = ({ backend }: Call, info: TensorInfo): number =>
  backend.getMemoryOffset(info.dataId);

/** A new float32 tensor with undefined content. */
export const make = ({ backend }: Call, shape: readonly number[]): TensorInfo =>
  backend.makeOutput([...shape], "float32");

/** Numbers on the heap. */
export const floats = ({ pool }: Call, address: number, count: number): Float32Array =>
  new Float32Array(pool.memory.buffer, address, count);

/** The one number of a scalar. */
export const numberOf = (call: Call, info: TensorInfo): number =>
  floats(call, at(call, info), 1)[0] ?? NaN;

/** A new scalar. */
export const scalar = (call: Call, value: number): TensorInfo => {
  const made = make(call, []);
  floats(call, at(call, made), 1)[0] = value;
  return made;
};

/** Gives back a tensor that a kernel made for itself. */
export const release = ({ backend }: Call, info: TensorInfo): void => {
  backend.disposeData(info.dataId);
};
