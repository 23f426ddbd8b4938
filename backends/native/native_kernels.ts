/**
 * Kernels of the wasm backend that a BLAS computes where the backend was started as `native`, and
 * where it is sooner done; everything else goes to the kernel that was there before.
 *
 * @module
 */
import { type BackendWasm, tf } from "../tf.ts";
import { productShape } from "../wasm/matrix_product.ts";
import { at, type Call, make, replaceKernel, type Results } from "../wasm/registry.ts";
import type { ConvolutionShape } from "../wasm/plan.ts";
import { type Blas, heapAddress } from "./open_blas.ts";
import {
  convolutionPays,
  convolveNative,
  filterGradientNative,
  inputGradientNative,
  multiplyNative,
  type NativeHeap,
  productPays,
} from "./products.ts";

// Kernels are registered once for all backends under TensorFlow.js's name "wasm".
const heaps = new WeakMap<object, NativeHeap>();

/** Lets a BLAS compute for the backend that is current. */
export const attachBlas = (blas: Blas): void => {
  const backend = tf.backend() as BackendWasm;
  const { HEAPU8 } = backend.wasm as unknown as { readonly HEAPU8: Uint8Array };
  heaps.set(backend, { blas, base: heapAddress(HEAPU8) });
};

/** A kernel that may leave a call to the one before: it answers undefined. */
const offer = (
  kernelName: string,
  compute: (call: Call, heap: NativeHeap) => Results | undefined,
): void =>
  replaceKernel(kernelName, (call) => {
    const heap = heaps.get(call.backend);
    return heap && compute(call, heap) || call.before();
  });

const matrixProduct = (call: Call, heap: NativeHeap): Results | undefined => {
  const { a, b } = call.inputs, { transposeA, transposeB } = call.attributes;
  const shape = a && b ? productShape(a, b, transposeA === true, transposeB === true) : undefined;
  if (!a || !b || !shape || !productPays(shape)) return undefined;
  const y = make(call, [...shape.lead, shape.rows, shape.columns]);
  multiplyNative(heap, shape, { a: at(call, a), b: at(call, b), y: at(call, y) });
  return y;
};

/** The shape of a convolution of these pictures; undefined where the kernel before must judge. */
const shapeOf = (
  pictures: readonly number[] | undefined,
  filter: readonly number[] | undefined,
  channels: "inputs" | "outputs",
): ConvolutionShape | undefined => {
  const [batch = 0, height = 0, width = 0, depth = 0] = pictures ?? [];
  const [size = 0, across = 0, inputs = 0, outputs = 0] = filter ?? [];
  const shape = { batch, height, width, inputs, outputs, size };
  const fits = pictures?.length === 4 && filter?.length === 4 && size === across &&
    depth === shape[channels];
  return fits && convolutionPays(shape) ? shape : undefined;
};

const areFloats = (call: Call, ...names: readonly string[]): boolean =>
  names.every((name) => call.inputs[name]?.dtype === "float32");

const forward = (call: Call, heap: NativeHeap): Results | undefined => {
  const { x, filter, bias } = call.inputs, shape = shapeOf(x?.shape, filter?.shape, "inputs");
  if (!x || !filter || !shape || !areFloats(call, "x", "filter")) return undefined;
  if (bias && (bias.shape.join() !== `${shape.outputs}` || !areFloats(call, "bias"))) {
    return undefined;
  }
  const y = make(call, [...x.shape.slice(0, 3), shape.outputs]);
  const from = { x: at(call, x), filter: at(call, filter), bias: bias ? at(call, bias) : 0 };
  convolveNative(
    heap,
    call.pool,
    shape,
    { ...from, y: at(call, y) },
    call.attributes.relu === true,
  );
  return y;
};

const inputGradient = (call: Call, heap: NativeHeap): Results | undefined => {
  const { dy, filter } = call.inputs, shape = shapeOf(dy?.shape, filter?.shape, "outputs");
  if (!dy || !filter || !shape || !areFloats(call, "dy", "filter")) return undefined;
  const dx = make(call, [...dy.shape.slice(0, 3), shape.inputs]);
  const places = { dy: at(call, dy), filter: at(call, filter), dx: at(call, dx) };
  inputGradientNative(heap, call.pool, shape, places);
  return dx;
};

const filterGradient = (call: Call, heap: NativeHeap): Results | undefined => {
  const { x, dy } = call.inputs, size = Number(call.attributes.size);
  const filter = [size, size, x?.shape[3] ?? 0, dy?.shape[3] ?? 0];
  const shape = shapeOf(x?.shape, filter, "inputs");
  const alike = x?.shape.slice(0, 3).join() === dy?.shape.slice(0, 3).join();
  if (!x || !dy || !shape || !alike || !areFloats(call, "x", "dy")) return undefined;
  const dfilter = make(call, filter);
  const places = { x: at(call, x), dy: at(call, dy), dfilter: at(call, dfilter) };
  filterGradientNative(heap, call.pool, shape, places);
  return dfilter;
};

/** Registers them over the kernels of the wasm backend, which must be there. */
export const registerNativeKernels = (): void => {
  offer("BatchMatMul", matrixProduct);
  offer("Convolve", forward);
  offer("ConvolveInputGrad", inputGradient);
  offer("ConvolveFilterGrad", filterGradient);
};
