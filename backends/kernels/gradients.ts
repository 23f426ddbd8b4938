/**
 * Gradients of the added kernels, registered once: lazy per input, so that a step through a
 * frozen network computes no filter gradients.
 *
 * @module
 */
import { type Tensor, tf } from "../tf.ts";
import type { KernelName, ManyName, StorageName } from "./names.ts";

/** Runs an added kernel on the current backend; `outputs[0]` is its main result. */
export const runKernel = (
  name: KernelName | StorageName,
  inputs: Record<string, Tensor | undefined>,
  attributes: Record<string, number | boolean> = {},
): Tensor[] => {
  const given: Record<string, Tensor> = {};
  for (const [key, tensor] of Object.entries(inputs)) if (tensor) given[key] = tensor;
  const outputs: Tensor | Tensor[] = tf.engine().runKernel(name, given, attributes);
  return Array.isArray(outputs) ? outputs : [outputs];
};

/** The first output of an added kernel. */
export const runOne = (...call: Parameters<typeof runKernel>): Tensor => first(runKernel(...call));

/** Whether the current backend has a kernel that not all have. */
export const hasKernel = (name: ManyName | StorageName): boolean =>
  tf.getKernel(name, tf.engine().backendName) !== undefined;

/** Runs a kernel for lists. */
export const runMany = (
  name: ManyName,
  inputs: readonly Tensor[],
  attributes: Record<string, number | boolean> = {},
): Tensor[] => {
  // A list is what `concat` gives too: inputs are named by their places.
  const named = [...inputs] as unknown as Record<string, Tensor>;
  const outputs: Tensor | Tensor[] = tf.engine().runKernel(name, named, attributes);
  return Array.isArray(outputs) ? outputs : [outputs];
};

const first = (tensors: readonly Tensor[]): Tensor => nth(tensors, 0);
const nth = (tensors: readonly Tensor[], i: number): Tensor => {
  const tensor = tensors[i];
  if (tensor === undefined) throw new Error(`Cannot run kernel: output ${i} is missing`);
  return tensor;
};
const once = <A>(f: () => A): () => A => {
  let made: { readonly value: A } | undefined;
  return () => (made ??= { value: f() }).value;
};
const single = (dy: Tensor | Tensor[]): Tensor => Array.isArray(dy) ? first(dy) : dy;

const register = (
  kernelName: KernelName,
  inputsToSave: string[],
  outputsToSave: boolean[],
  gradFunc: (
    dy: Tensor,
    saved: readonly Tensor[],
    attributes: Record<string, number | boolean>,
  ) => Record<string, () => Tensor>,
): void =>
  tf.registerGradient({
    kernelName,
    inputsToSave,
    outputsToSave,
    gradFunc: (dy, saved, attrs) =>
      gradFunc(single(dy), saved, attrs as unknown as Record<string, number | boolean>),
  });

const registerAll = (): void => {
  register("Convolve", ["x", "filter"], [true], (dy, saved, { relu }) => {
    const x = nth(saved, 0), filter = nth(saved, 1), y = nth(saved, 2);
    // What inputs share is computed here and not in their functions: the engine tidies each of
    // those away before it calls the next.
    const before = relu ? runOne("ReluGrad", { dy, y }) : dy;
    return {
      x: () => runOne("ConvolveInputGrad", { dy: before, filter }),
      filter: () => runOne("ConvolveFilterGrad", { x, dy: before }, { size: filter.shape[0] ?? 1 }),
      bias: () => runOne("BiasGrad", { dy: before }),
    };
  });
  register(
    "InstanceNormalize",
    ["x", "gain", "bias"],
    [false, true, true],
    (dy, saved, { relu }) => {
      const [x, gain, bias, mean, deviation] = saved;
      const all = runKernel("InstanceNormalizeGrad", { dy, x, gain, bias, mean, deviation }, {
        relu: relu ?? false,
      });
      return { x: () => nth(all, 0), gain: () => nth(all, 1), bias: () => nth(all, 2) };
    },
  );
  register("AveragePool2", [], [], (dy, _, { scale }) => ({
    x: () => runOne("UpsampleNearest2", { x: dy }, { scale: scale ?? 0.25 }),
  }));
  register("UpsampleNearest2", [], [], (dy, _, { scale }) => ({
    x: () => runOne("AveragePool2", { x: dy }, { scale: scale ?? 1 }),
  }));
  register("SpectralNormalize", ["u"], [true, true, true], (dy, saved) => {
    const [u, y, v, sigma] = saved;
    return {
      w: () => runOne("SpectralNormalizeGrad", { dy, y, u, v, sigma }),
      u: () => tf.zerosLike(nth(saved, 0)), // u is constant in the gradient (section 4)
    };
  });
  register("MeanAbsoluteDifference", ["a", "b"], [], (dy, saved) => {
    const [a, b] = saved;
    const da = runOne("MeanAbsoluteDifferenceGrad", { dy, a, b });
    return { a: () => da, b: () => tf.neg(da) };
  });
};

/** More than any network has. */
const mostMatrices = 4096;

const registerManyGradients = (): void =>
  tf.registerGradient({
    kernelName: "SpectralNormalizes" satisfies ManyName,
    saveAllInputs: true,
    outputsToSave: Array<boolean>(mostMatrices).fill(true),
    gradFunc: (dy, saved) => {
      const dys = Array.isArray(dy) ? dy : [dy], count = dys.length - 1;
      // Saved are w, u of each, then what the kernel gave.
      const packed = nth(saved, 3 * count);
      const all = runMany("SpectralNormalizeGrads", [
        packed,
        ...dys.slice(0, count).flatMap((
          d,
          i,
        ) => [d, nth(saved, 2 * count + i), nth(saved, 2 * i + 1)]),
      ]);
      return Object.fromEntries(all.flatMap((dw, i) => [
        [2 * i, () => dw],
        [2 * i + 1, () => tf.zerosLike(nth(saved, 2 * i + 1))], // u is constant in the gradient
      ]));
    },
  });

/** Registers the gradients; calling it again changes nothing. */
export const registerGradients = once(() => {
  registerAll();
  registerManyGradients();
});
