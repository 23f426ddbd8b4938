/**
 * The `native` backend: the wasm backend, whose products of matrices a BLAS of the system computes
 * on the same heap. Opt-in: it calls a library outside of Deno's sandbox (`--allow-ffi`), and its
 * results depend on that library and on the number of its threads.
 *
 * @module
 */
import { E, type TaskEither } from "../pipeline/core/fp.ts";
import type { Backend } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { attachBlas, registerNativeKernels } from "./native/native_kernels.ts";
import { type Blas, libraryNames, openBlas } from "./native/open_blas.ts";
import { createWasmBackend, type WasmOptions } from "./wasm.ts";

/** What can be chosen about the backend. */
export interface NativeOptions extends WasmOptions {
  /** What the library may be called, the first that is there is taken. Default: OpenBLAS's names. */
  readonly libraries?: readonly string[];
}

const once = (f: () => void): () => void => {
  let done = false;
  return () => {
    if (!done) f();
    done = true;
  };
};

// After the first wasm backend was started: they go over its kernels.
const registerOnce = once(registerNativeKernels);

const open = (options: NativeOptions): E.Either<Err<"Config">, Blas> =>
  E.tryCatch(
    () =>
      openBlas(
        options.threads ?? Math.min(8, navigator.hardwareConcurrency),
        options.libraries ?? libraryNames,
      ),
    (cause) => ({
      _tag: "Config",
      problems: [cause instanceof Error ? cause.message : String(cause)],
    }),
  );

/**
 * Starts the native backend; one of it or of `wasm` at a time. `Config` where there is no library
 * or no permission to call it: it never goes on without; `Backend` where wasm does not start.
 *
 * @example
 * ```ts
 * import { createNativeBackend } from "./native.ts";
 *
 * const backend = await createNativeBackend({ libraries: ["libnothing.so"] })();
 * if (backend._tag === "Right") throw new Error("there is a library of that name");
 * ```
 */
export const createNativeBackend = (
  options: NativeOptions = {},
): TaskEither<Err<"Backend" | "Config">, Backend> =>
async () => {
  const opened = open(options);
  if (E.isLeft(opened)) return opened;
  const blas = opened.right, wasm = await createWasmBackend(options)();
  if (E.isLeft(wasm)) {
    blas.close();
    return wasm;
  }
  registerOnce();
  attachBlas(blas);
  return E.right({
    ...wasm.right,
    name: "native",
    device: `${wasm.right.device}; ${blas.label}`,
    close: async () => {
      await wasm.right.close();
      blas.close();
    },
  });
};
