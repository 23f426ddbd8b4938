/** A GPU to test on, one that can do less, and counts of what is recorded for it. */
import { type Tensor, tf, type WebGPUBackend } from "../../../backends/tf.ts";
import { createWebgpuBackend } from "../../../backends/webgpu.ts";
import { sizeOf } from "../../../backends/webgpu/kernel.ts";
import type { Backend } from "../../../pipeline/core/env.ts";
import { type Results, succeed } from "../conformance.ts";

/** How many dispatches and copies between buffers were recorded. */
export interface Counts {
  readonly dispatches: number;
  readonly copies: number;
}

/** Runs `f`; counts the dispatches and copies that it records. */
export const counting = async <A>(f: () => Promise<A>): Promise<readonly [A, Counts]> => {
  const pass = GPUComputePassEncoder.prototype, encoder = GPUCommandEncoder.prototype;
  const { dispatchWorkgroups } = pass, { copyBufferToBuffer } = encoder;
  let dispatches = 0, copies = 0;
  pass.dispatchWorkgroups = function (...groups) {
    dispatches++;
    return dispatchWorkgroups.apply(this, groups);
  };
  encoder.copyBufferToBuffer = function (...copy: unknown[]) {
    copies++;
    return Reflect.apply(copyBufferToBuffer, this, copy);
  };
  try {
    return [await f(), { dispatches, copies }];
  } finally {
    pass.dispatchWorkgroups = dispatchWorkgroups;
    encoder.copyBufferToBuffer = copyBufferToBuffer;
  }
};

/** A backend whose GPU binds less. */
export const narrow = (backend: WebGPUBackend, limit: number): WebGPUBackend => {
  const device = new Proxy(backend.device, {
    get: (target, key) => {
      if (key === "limits") {
        return {
          maxBufferSize: limit,
          maxStorageBufferBindingSize: limit,
          minStorageBufferOffsetAlignment: 256,
        };
      }
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return new Proxy(backend, {
    get: (target, key) => key === "device" ? device : Reflect.get(target, key),
  });
};

/** A software adapter will do. */
export const open = () => succeed(createWebgpuBackend({ allowSoftware: true }));
/** The backend as TensorFlow.js has it. */
export const gpu = (): WebGPUBackend => tf.backend() as unknown as WebGPUBackend;

/** Made-up numbers. */
export const numbers = (size: number, seed: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * i + 78.233 * seed));
/** A tensor of made-up numbers. */
export const tensor = (shape: readonly number[], seed: number): Tensor =>
  tf.tensor(numbers(sizeOf(shape), seed), [...shape]);

/** Values of tensors, by their place. */
export const read = async (backend: Backend, tensors: readonly Tensor[]): Promise<Results> => {
  const values = await succeed(
    backend.read("values", () => Promise.all(tensors.map((x) => x.data<"float32">()))),
  );
  return Object.fromEntries(values.map((value, i) => [`output ${i}`, Float32Array.from(value)]));
};
