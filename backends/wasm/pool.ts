/**
 * Our own kernels on the shared heap, and the threads that help to run them.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import type { SharedHeap } from "./heap.ts";
import { plain, relaxed } from "./binary.ts";

/** What the wasm module exports besides its kernels. */
interface Control {
  readonly attach: (address: number, threads: number, sleeps: number) => void;
  readonly serve: (thread: number, spins: number) => void;
  readonly stop: () => void;
}

/** A kernel: addresses, counts and factors in, results on the heap. */
export type WasmKernel = (...values: number[]) => void;

/** The threads with their kernels. */
export interface Pool {
  readonly threads: number;
  /** Whether multiply-adds are fused (relaxed SIMD). */
  readonly relaxed: boolean;
  /** The heap. */
  readonly memory: WebAssembly.Memory;
  /** A kernel by its exported name. */
  readonly kernel: (name: string) => WasmKernel;
  /**
   * At least so many bytes of working memory, cache-line aligned, until the next call. Throws
   * where the heap is full.
   */
  readonly scratch: (bytes: number) => number;
  /** Ends the threads. */
  readonly close: () => Promise<void>;
}

/** The control block of `assembly/pool.as`: 1024 bytes, then 64 a thread. */
const controlBytes = (threads: number): number => 1024 + 64 * threads;
const line = 64;
/** Spinning iterations before a thread that has nothing to do sleeps: one to three milliseconds. */
const spins = 1_000_000;

const decode = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

const align = (address: number): number => Math.ceil(address / line) * line;

const compile = async (mayFuse: boolean): Promise<
  { readonly module: WebAssembly.Module; readonly relaxed: boolean }
> => {
  const fused = decode(relaxed);
  return mayFuse && WebAssembly.validate(fused)
    ? { module: await WebAssembly.compile(fused), relaxed: true }
    : { module: await WebAssembly.compile(decode(plain)), relaxed: false };
};

/** What a helping thread runs; it sees nothing of this module but its `workerData`. */
const threadSource = `
const { workerData, parentPort } = require("node:worker_threads");
const abort = () => { throw new Error("abort"); };
const env = { memory: workerData.memory, abort };
const { attach, serve } = new WebAssembly.Instance(workerData.module, { env }).exports;
attach(workerData.address, workerData.threads, 1);
parentPort.postMessage("ready");
serve(workerData.thread, workerData.spins);
`;

/** Whether this thread may sleep on shared memory: a browser's main thread may not. */
const mayWait = (): boolean => {
  try {
    return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0) === "timed-out";
  } catch {
    return false;
  }
};

/** Starts one helping thread; it does not keep the process alive. */
const startThread = (data: Record<string, unknown>): Promise<Worker> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(threadSource, { eval: true, workerData: data });
    worker.once("message", () => {
      worker.unref();
      resolve(worker);
    });
    worker.once("error", reject);
  });

/**
 * Starts `threads - 1` helping threads beside the caller; fewer where they cannot be had. With
 * `relaxed` false multiply-adds are not fused, as on engines without relaxed SIMD.
 */
export const createPool = async (
  heap: SharedHeap,
  threads: number,
  options: { readonly relaxed?: boolean } = {},
): Promise<Pool> => {
  const { module, relaxed } = await compile(options.relaxed ?? true);
  const abort = (): never => {
    throw new Error("Cannot run a wasm kernel: it aborted");
  };
  const { memory } = heap;
  const instance = await WebAssembly.instantiate(module, { env: { memory, abort } });
  const exports = instance.exports as unknown as Control & Readonly<Record<string, WasmKernel>>;
  const address = align(heap.allocate(controlBytes(threads) + line));
  new Uint8Array(memory.buffer, address, controlBytes(threads)).fill(0);
  const started = await Promise.allSettled(
    Array.from(
      { length: threads - 1 },
      (_, i) => startThread({ module, memory, address, threads, thread: i + 1, spins }),
    ),
  );
  const workers = started.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  exports.attach(address, workers.length + 1, mayWait() ? 1 : 0);
  let block = 0, size = 0;
  return {
    threads: workers.length + 1,
    relaxed,
    memory,
    kernel: (name) => {
      const kernel = exports[name];
      if (!kernel) throw new Error(`Cannot find wasm kernel ${name}: it is not exported`);
      return kernel;
    },
    scratch: (bytes) => {
      if (bytes > size) {
        if (block !== 0) heap.free(block);
        block = 0;
        size = 0;
        block = heap.allocate(bytes + line);
        size = bytes;
      }
      return align(block);
    },
    close: async () => {
      exports.stop();
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
};
