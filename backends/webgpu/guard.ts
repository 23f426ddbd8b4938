/**
 * Keeps TensorFlow.js from asking a WebGPU device for what it cannot do and would not refuse
 * aloud: too large tensors, synchronous reads, sums of many tensors.
 *
 * @module
 */
import { type NamedTensorInfoMap, type TensorInfo, tf, type WebGPUBackend } from "../tf.ts";

const name = "webgpu";
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** The largest tensor that a kernel can bind, in bytes. */
export const largestTensor = ({ limits }: GPUDevice): number =>
  Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);

/** Refuses tensors over the limit and synchronous reads on this backend, each by a sentence. */
export const guardBackend = (backend: WebGPUBackend): void => {
  const limit = largestTensor(backend.device);
  const write = backend.write.bind(backend), readSync = backend.readSync.bind(backend);
  // Every tensor is made by `write`, with or without values.
  backend.write = (values, shape, dtype) => {
    const bytes = 4 * tf.util.sizeFromShape(shape);
    if (bytes > limit) {
      throw new Error(
        `Cannot make a tensor [${shape}]: it has ${mebibytes(bytes)}, expected at most ` +
          `${mebibytes(limit)}, the largest that the GPU binds`,
      );
    }
    return write(values, shape, dtype);
  };
  backend.readSync = (dataId) => {
    // Small constants still lie in host memory, where some kernels look at them.
    if (backend.tensorMap.get(dataId).values == null) {
      throw new Error(
        "Cannot read a tensor synchronously on webgpu: its values are on the GPU, " +
          "expected `await tensor.data()` inside backend.read",
      );
    }
    return readSync(dataId);
  };
};

/** Tensors that one stock kernel may take: eight bindings are guaranteed, one is the output. */
const mostInputs = 7;

/** Replaces `AddN`, which binds all its inputs at once, by sums of at most seven. */
export const splitSums = (): void => {
  const stock = tf.getKernel("AddN", name);
  if (!stock) throw new Error("Cannot replace AddN: the stock webgpu backend lacks it");
  tf.unregisterKernel("AddN", name);
  tf.registerKernel({
    ...stock,
    kernelFunc: ({ inputs, backend, attrs = {} }) => {
      const gpu = backend as WebGPUBackend;
      const add = (tensors: readonly TensorInfo[]): TensorInfo =>
        stock.kernelFunc({
          inputs: tensors as unknown as NamedTensorInfoMap, // this one kernel takes a list
          backend,
          attrs,
        }) as TensorInfo;
      const [first, ...rest] = Object.values(inputs) as TensorInfo[];
      if (!first) throw new Error("Cannot add tensors: there are none");
      const last = rest.splice(0, mostInputs - 1);
      let sum = add([first, ...last]);
      while (rest.length > 0) {
        const next = add([sum, ...rest.splice(0, mostInputs - 1)]);
        gpu.disposeData(sum.dataId);
        sum = next;
      }
      return sum;
    },
  });
};
