/**
 * Chooses a backend by name.
 *
 * @module
 */
import { E, type TaskEither } from "../pipeline/core/fp.ts";
import type { Backend, BackendName } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { createCpuBackend } from "./cpu.ts";
import { createNativeBackend } from "./native.ts";
import { createWasmBackend } from "./wasm.ts";
import { createWebgpuBackend } from "./webgpu.ts";
import { adapterKind } from "./webgpu/device.ts";

/** What `--backend` takes. */
export type BackendChoice = "auto" | BackendName;

/** What can be chosen about the backend; what does not concern it is ignored. */
export interface BackendOptions {
  /** How many threads `wasm` and `native` compute with; default: the processor's, at most 8. */
  readonly threads?: number;
  /** Whether `webgpu` measures how to share out products; default: on a GPU. */
  readonly measurePlans?: boolean;
  /** Where `webgpu` keeps what it measured; default: nowhere. */
  readonly planFile?: string | URL;
}

const start = (
  name: BackendName,
  options: BackendOptions,
): TaskEither<Err<"Backend" | "Config">, Backend> => {
  switch (name) {
    case "webgpu":
      return createWebgpuBackend({ ...options, allowSoftware: true });
    case "wasm":
      return createWasmBackend(options);
    case "native":
      return createNativeBackend(options);
    case "cpu":
      return createCpuBackend();
    default:
      return () => Promise.resolve(E.left(noSuchBackend(name)));
  }
};

const noSuchBackend = (name: string): Err<"Config"> => ({
  _tag: "Config",
  problems: [
    `Cannot use backend ${name}: there is none of that name, expected webgpu, wasm, native or cpu`,
  ],
});

/**
 * Starts a backend. `auto` takes a hardware GPU if there is one, else `wasm`: a software adapter
 * is slower than `wasm` and only taken when `webgpu` is asked for by name, and `native` never.
 * Fails with `Backend` where the backend does not start and with `Config` where the name means
 * none, or `native` has no library or no permission.
 *
 * @example
 * ```ts
 * import { selectBackend } from "./select.ts";
 *
 * const backend = await selectBackend("auto")();
 * if (backend._tag === "Right") await backend.right.close();
 * ```
 */
export const selectBackend = (
  name: BackendChoice,
  options: BackendOptions = {},
): TaskEither<Err<"Backend" | "Config">, Backend> =>
async () => {
  if (name !== "auto") return await start(name, options)();
  const hardware = await adapterKind() === "hardware";
  return await start(hardware ? "webgpu" : "wasm", options)();
};
