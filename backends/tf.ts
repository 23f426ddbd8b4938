/**
 * The only file that names the TensorFlow.js packages: everything else imports them from here.
 *
 * @module
 */
import * as tf from "npm:@tensorflow/tfjs@4.22.0";
export { tf };

/** A tensor of TensorFlow.js, of any rank: numbers on the device of a backend. */
export type Tensor = InstanceType<(typeof tf)["Tensor"]>;

export type {
  DataId,
  KernelBackend,
  KernelConfig,
  NamedAttrMap,
  NamedTensorInfoMap,
  Rank,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  TensorContainer,
  TensorInfo,
} from "npm:@tensorflow/tfjs@4.22.0";

// A bare import, or the types are all that stays and the backend's kernels are never registered.
import "npm:@tensorflow/tfjs-backend-wasm@4.22.0";
import { BackendWasm } from "npm:@tensorflow/tfjs-backend-wasm@4.22.0";
import factory from "npm:@tensorflow/tfjs-backend-wasm@4.22.0/wasm-out/tfjs-backend-wasm.js";
export { BackendWasm };

/** The stock wasm kernels as an Emscripten module: what `BackendWasm` is made of. */
export type WasmModule = ConstructorParameters<typeof BackendWasm>[0];

/** Instantiates the stock wasm kernels from their binary. */
export const wasmFactory = factory as unknown as (
  settings: { readonly wasmBinary: Uint8Array<ArrayBuffer> },
) => Promise<WasmModule>;

/** Where the stock wasm kernels lie: a `file:` URL, also when this module came from the network. */
export const stockWasmUrl = (): URL =>
  new URL(
    import.meta.resolve(
      "npm:@tensorflow/tfjs-backend-wasm@4.22.0/dist/tfjs-backend-wasm-simd.wasm",
    ),
  );

export type { WebGPUBackend } from "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
/** Loads the WebGPU backend, which only those who have a GPU should wait for. */
export const loadWebgpu = (): Promise<
  typeof import("npm:@tensorflow/tfjs-backend-webgpu@4.22.0")
> => import("npm:@tensorflow/tfjs-backend-webgpu@4.22.0");
