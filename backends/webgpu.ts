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
import { readPlans, writePlans } from "./webgpu/plan_file.ts";
import { measureWaiting, startTuning } from "./webgpu/tuner.ts";
import { watchDevice } from "./webgpu/witness.ts";

const name = "webgpu";

/** What can be chosen about the backend. */
export interface WebgpuOptions {
  /** Whether a software adapter (llvmpipe, SwiftShader) will do; default: no. */
  readonly allowSoftware?: boolean;
  /**
   * Whether convolutions are shared out by plans that are measured, once for each shape, after the
   * step in which it first comes; they move results by rounding errors. Default: on a GPU. With
   * one file of plans, and without plans, results are the same from run to run.
   */
  readonly measurePlans?: boolean;
  /** Where measured plans are kept; a file that is not there is made. Default: nowhere. */
  readonly planFile?: string | URL;
}

/** A backend that measures what a step brought that is new, once that is recorded. */
const measuring = (backend: Backend, measure: () => Promise<void>): Backend => ({
  ...backend,
  run: (op, f) => async () => {
    const result = await backend.run(op, f)();
    if (E.isRight(result)) await measure();
    return result;
  },
});

/**
 * Opens the GPU; one at a time (a second one takes over and the tensors of the first are gone).
 * Fails with `Backend` where there is no adapter, or only a software one that is not allowed,
 * or where the file of plans is none.
 */
export const createWebgpuBackend = (
  { allowSoftware = false, measurePlans, planFile }: WebgpuOptions = {},
): TaskEither<Err<"Backend">, Backend> =>
async () => {
  const opened = await openDevice({ allowSoftware })();
  if (E.isLeft(opened)) return opened;
  const { device, info, software } = opened.right;
  const adapter = describe(info), measured = measurePlans ?? !software;
  const known = await readPlans(measured ? planFile : undefined, adapter);
  if (E.isLeft(known)) {
    device.destroy();
    return known;
  }
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
  const plain = makeBackend({
    name,
    label: `webgpu, ${adapter}${software ? " (software)" : ""}`,
    maxTensorBytes: largestTensor(device),
    open,
    witness,
    close: () => {
      if (open()) tf.removeBackend(name);
      device.destroy();
      return Promise.resolve();
    },
  });
  if (!measured) return E.right(plain);
  startTuning(backend, known.right);
  return E.right(measuring(plain, async () => {
    const plans = await measureWaiting(backend, witness, open);
    if (plans && planFile !== undefined) await writePlans(planFile, adapter, plans);
  }));
};
