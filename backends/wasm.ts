/**
 * The `wasm` backend: TensorFlow.js kernels on a heap shared by threads, with the kernels that
 * training needs. The default where there is no hardware GPU.
 *
 * @module
 */
import { F, TE } from "../pipeline/core/fp.ts";
import type { Backend } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { disposeTensors, tidyAround } from "./scope.ts";
import { tf } from "./tf.ts";
import { registerComposed } from "./kernels/composed.ts";
import { createSharedHeap, heapLimit } from "./wasm/heap.ts";
import { registerManyKernels } from "./wasm/many_kernels.ts";
import { lightenTape } from "./wasm/light_tape.ts";
import { createPool } from "./wasm/pool.ts";
import { registerArrayKernels } from "./wasm/array_kernels.ts";
import { registerConvolutionKernels } from "./wasm/convolution_kernels.ts";
import { attachPool } from "./wasm/registry.ts";
import { fillStockKernels } from "./wasm/stock.ts";
import { registerTrainingKernels } from "./wasm/training_kernels.ts";

const name = "wasm";

/** What can be chosen about the backend. */
export interface WasmOptions {
  /** How many threads compute; default: the processor's, at most 8. Results do not depend on it. */
  readonly threads?: number;
  /** The size in bytes up to which the heap may grow; default and most: 4 GiB. */
  readonly maxHeapBytes?: number;
}

const failure = (op: string, cause: unknown): Err<"Backend"> => ({
  _tag: "Backend",
  op,
  message: cause instanceof Error ? cause.message : String(cause),
  cause,
});

const once = <A>(f: () => A): () => A => {
  let made: { readonly value: A } | undefined;
  return () => (made ??= { value: f() }).value;
};

const registerKernels = once((): void => {
  lightenTape();
  fillStockKernels();
  registerArrayKernels();
  registerComposed(name, new Set());
  registerConvolutionKernels();
  registerTrainingKernels();
  registerManyKernels();
});

/** Makes this backend the one on which the engine runs. */
const activate = async (): Promise<void> => {
  if (tf.engine().backendName === name) return;
  if (!await tf.setBackend(name)) throw new Error(`the ${name} backend does not start`);
};

const remove = (): void => {
  if (tf.findBackendFactory(name)) tf.removeBackend(name);
};

const start = async (options: WasmOptions): Promise<Backend> => {
  registerKernels();
  const maxBytes = options.maxHeapBytes ?? heapLimit;
  const heap = await createSharedHeap(maxBytes);
  const wanted = options.threads ?? Math.min(8, navigator.hardwareConcurrency);
  const pool = await createPool(heap, Math.max(1, wanted));
  attachPool(heap.tensors, pool);
  remove(); // the stock one, whose heap is not shared
  tf.registerBackend(name, () => heap.tensors, 2);
  await activate();
  return {
    name,
    device: `wasm, ${pool.threads} thread${pool.threads === 1 ? "" : "s"}` +
      (pool.relaxed ? ", relaxed SIMD" : ""),
    maxTensorBytes: Math.min(maxBytes, 2 ** 31 - 1),
    maxBytes,
    run: (op, f) =>
      TE.tryCatch(async () => {
        await activate();
        return tidyAround(f);
      }, (cause) => failure(op, cause)),
    read: (op, f) =>
      TE.tryCatch(async () => {
        await activate();
        return await f();
      }, (cause) => failure(op, cause)),
    dispose: disposeTensors,
    tensors: () => tf.memory().numTensors,
    close: async () => {
      remove();
      await pool.close();
    },
  };
};

/**
 * Starts the wasm backend; one at a time (a second one takes over and the tensors of the first
 * are gone). Fails with `Backend` where wasm, or the file of the stock kernels, cannot be had.
 */
export const createWasmBackend = (
  options: WasmOptions = {},
): TE.TaskEither<Err<"Backend">, Backend> =>
  F.pipe(TE.tryCatch(() => start(options), (cause) => failure("start wasm", cause)));
