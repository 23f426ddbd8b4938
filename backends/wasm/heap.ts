/**
 * The stock TensorFlow.js wasm kernels on a heap that threads can share, and that says so when it
 * is full (the stock one hands out overlapping tensors instead).
 *
 * @module
 */
import { BackendWasm, stockWasmUrl, wasmFactory } from "../tf.ts";

/** The largest heap that wasm with 32-bit addresses can have, in bytes. */
export const heapLimit = 2 ** 32;
const pageBytes = 65536;
const reserveBytes = 4 * 2 ** 20;

/** Thrown where an allocation fails; `run` turns it into an `Err<"Backend">`. */
export class HeapExhausted extends Error {
  constructor(bytes: number, heapBytes: number, maxHeapBytes: number) {
    super(
      `the wasm heap is full (${mebibytes(heapBytes)} of at most ${mebibytes(maxHeapBytes)}, ` +
        `${mebibytes(bytes)} more asked for), expected a smaller batch, fewer shots or a ` +
        `smaller preset`,
    );
    this.name = "HeapExhausted";
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

interface EmscriptenModule {
  readonly HEAPU8: Uint8Array;
  readonly asm: { readonly memory: WebAssembly.Memory };
  readonly cwrap: (
    name: string,
    result: "number" | null,
    parameters: readonly "number"[],
  ) => (...values: number[]) => number;
  _malloc: (bytes: number) => number;
  _free: (address: number) => void;
}

const readLeb = (
  bytes: Uint8Array,
  at: number,
): { readonly value: number; readonly end: number } => {
  let value = 0, shift = 0, end = at;
  for (;;) {
    const byte = bytes[end++] ?? 0;
    value += (byte & 127) * 2 ** shift;
    shift += 7;
    if (byte < 128) return { value, end };
  }
};

/**
 * The module with its memory declared shared and at most `maxHeapBytes` large: one flag and one
 * number in the memory section. Throws if the module has no own bounded memory.
 */
export const shareMemory = (binary: Uint8Array, maxHeapBytes: number): Uint8Array<ArrayBuffer> => {
  const patched = new Uint8Array(binary);
  for (let at = 8; at < patched.length;) {
    const id = patched[at], length = readLeb(patched, at + 1);
    if (id === 5) {
      const flag = length.end + 1; // after the count of memories
      const initial = readLeb(patched, flag + 1), maximum = readLeb(patched, initial.end);
      if (patched[flag] !== 1) break;
      patched[flag] = 3; // has a maximum, shared
      const pages = Math.max(initial.value, Math.floor(maxHeapBytes / pageBytes));
      for (let i = initial.end, left = pages; i < maximum.end; i++, left = left >>> 7) {
        patched[i] = (left & 127) | (i + 1 < maximum.end ? 128 : 0); // padded to the old length
      }
      return patched;
    }
    at = length.end + length.value;
  }
  throw new Error("Cannot share the wasm heap: the module has no bounded memory of its own");
};

/** A TensorFlow.js backend with the memory under it. */
export interface SharedHeap {
  readonly tensors: BackendWasm;
  readonly memory: WebAssembly.Memory;
  /** Allocates bytes on the heap (16-byte aligned); throws {@link HeapExhausted}. */
  readonly allocate: (bytes: number) => number;
  readonly free: (address: number) => void;
}

const inHole = (block: number, probe = 0): boolean => probe !== 0 && probe < block;

/** Instantiates the stock kernels on a shared heap of at most `maxHeapBytes`. */
export const createSharedHeap = async (maxHeapBytes: number): Promise<SharedHeap> => {
  const wasmBinary = shareMemory(await Deno.readFile(stockWasmUrl()), maxHeapBytes);
  const module = await wasmFactory({ wasmBinary });
  const emscripten = module as unknown as EmscriptenModule;
  emscripten._free(emscripten._malloc(16)); // the first call puts the real functions in place
  const malloc = emscripten._malloc;
  const allocate = (bytes: number): number => {
    const address = malloc(bytes) >>> 0, size = emscripten.HEAPU8.byteLength;
    // The last block of the heap is given only where a reserve is left behind it: the kernels' own
    // small allocations are not checked by anybody, and products read some rows past an operand.
    // A probe that falls into a hole before the block says nothing, the next one is asked for.
    const probes = [address];
    if (address + bytes + reserveBytes > size) {
      do probes.push(malloc(reserveBytes) >>> 0); while (inHole(address, probes.at(-1)));
    }
    const probe = probes.at(-1);
    probes.slice(1).forEach((each) => emscripten._free(each));
    if (bytes > 0 && (address === 0 || probe === 0)) {
      emscripten._free(address);
      throw new HeapExhausted(bytes, emscripten.HEAPU8.byteLength, maxHeapBytes);
    }
    return address;
  };
  emscripten._malloc = allocate; // BackendWasm asks here: it throws before the tensor exists
  const { cwrap } = emscripten;
  module.tfjs = {
    init: cwrap("init", null, []),
    initWithThreadsCount: cwrap("init_with_threads_count", null, ["number"]),
    getThreadsCount: cwrap("get_threads_count", "number", []),
    registerTensor: cwrap("register_tensor", null, ["number", "number", "number"]),
    disposeData: cwrap("dispose_data", null, ["number"]),
    dispose: cwrap("dispose", null, []),
  };
  return {
    tensors: new BackendWasm(module),
    memory: emscripten.asm.memory,
    allocate,
    free: emscripten._free,
  };
};
