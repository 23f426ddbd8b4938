/**
 * The `webgpu` backend: TensorFlow.js on a device of our own with the adapter's real limits, our
 * shaders where the stock ones are slow, and GPU errors as values. The default on a GPU.
 *
 * @module
 */
import { E, type TaskEither } from "../pipeline/core/fp.ts";
import type { Backend } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { makeBackend, makeCurrent, refuseForeignTensors } from "./session.ts";
import { loadWebgpu, tf } from "./tf.ts";
import { describe, openDevice } from "./webgpu/device.ts";
import { guardBackend, largestTensor } from "./webgpu/guard.ts";
import { registerKernels } from "./webgpu/kernels.ts";
import { shareBuffers } from "./webgpu/packed.ts";
import { watchDevice } from "./webgpu/witness.ts";

const name = "webgpu";

/** What can be chosen about the backend. */
export interface WebgpuOptions {
  /** Whether a software adapter (llvmpipe, SwiftShader) will do; default: no. */
  readonly allowSoftware?: boolean;
}

/**
 * Opens the GPU; one at a time (a second one takes over and the tensors of the first are gone).
 * Fails with `Backend` where there is no adapter, or only a software one that is not allowed.
 */
export const createWebgpuBackend = (
  { allowSoftware = false }: WebgpuOptions = {},
): TaskEither<Err<"Backend">, Backend> =>
async () => {
  const opened = await openDevice({ allowSoftware })();
  if (E.isLeft(opened)) return opened;
  const { device, info, software } = opened.right;
  const witness = watchDevice(device);
  const { WebGPUBackend } = await loadWebgpu();
  const backend = new WebGPUBackend(device, info);
  guardBackend(backend);
  shareBuffers(backend);
  if (tf.findBackendFactory(name)) tf.removeBackend(name); // the stock one opens a device itself
  tf.registerBackend(name, () => backend, 3);
  registerKernels();
  refuseForeignTensors();
  const current = await makeCurrent(name);
  if (E.isLeft(current)) return current;
  const open = (): boolean => tf.engine().registry[name] === backend;
  return E.right(makeBackend({
    name,
    label: `webgpu, ${describe(info)}${software ? " (software)" : ""}`,
    maxTensorBytes: largestTensor(device),
    open,
    witness,
    close: () => {
      if (open()) tf.removeBackend(name);
      device.destroy();
      return Promise.resolve();
    },
  }));
};
