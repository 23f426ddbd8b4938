/**
 * The differentiable operations of which the networks are made. Each runs one of the added
 * kernels (`kernels/names.ts`) on whatever backend is selected. Call them inside `backend.run`.
 *
 * @module
 */
import { type Tensor, tf } from "./tf.ts";
import { hasKernel, registerGradients, runKernel, runMany, runOne } from "./kernels/gradients.ts";

registerGradients();

/** Convolution, stride 1, zero padding; `filter` [k, k, in, out] with odd k; optional bias, ReLU. */
export const convolve = (
  x: Tensor, // [B, H, W, in]
  filter: Tensor,
  { bias, relu = false }: { readonly bias?: Tensor | undefined; readonly relu?: boolean } = {},
): Tensor => runOne("Convolve", { x, filter, bias }, { relu }); // [B, H, W, out]

/** Throws where the backend has no storage in half precision. */
export const needHalves = (): void => {
  if (hasKernel("PackHalves")) return;
  const { backendName } = tf.engine();
  throw new Error(`${backendName} stores filters in f32 alone, expected webgpu`);
};

/**
 * A filter as {@link convolve} takes it where nothing is trained: in half precision, or as it is
 * where it has an odd number of outputs. The arithmetic stays f32. Throws as {@link needHalves}.
 */
export const halfFilter = (filter: Tensor): Tensor => {
  needHalves();
  return (filter.shape.at(-1) ?? 1) % 2 === 0 ? runOne("PackHalves", { x: filter }) : filter;
};

/** A function whose gradient comes from its result by an added kernel. */
const fromResult = (
  f: (x: Tensor) => Tensor,
  gradient: "ReluGrad" | "SoftmaxGrad",
): (x: Tensor) => Tensor =>
  tf.customGrad((...args) => {
    const [x, save] = args as unknown as [Tensor, (saved: Tensor[]) => void];
    const y = f(x);
    save([y]);
    return {
      value: y,
      gradFunc: (dy: Tensor, saved: Tensor[]) => runOne(gradient, { dy, y: saved[0] }),
    };
  });

/** ReLU with a one-pass gradient. */
export const relu: (x: Tensor) => Tensor = fromResult(tf.relu, "ReluGrad");

/** Softmax over the last axis with a one-pass gradient. */
export const softmax: (x: Tensor) => Tensor = fromResult((x) => tf.softmax(x), "SoftmaxGrad");

/** Instance norm with affine gain and bias ([B, C] for AdaIN, [1, C] shared), optionally ReLU. */
export const instanceNormalize = (
  x: Tensor, // [B, H, W, C]
  gain: Tensor,
  bias: Tensor,
  { epsilon = 1e-4, relu = false }: { readonly epsilon?: number; readonly relu?: boolean } = {},
): Tensor => runOne("InstanceNormalize", { x, gain, bias }, { epsilon, relu });

/** Mean of each 2×2 square. // [B, 2H, 2W, C] → [B, H, W, C] */
export const averagePool2 = (x: Tensor): Tensor => runOne("AveragePool2", { x }, { scale: 0.25 });

/** Nearest-neighbour upsampling by 2. // [B, H, W, C] → [B, 2H, 2W, C] */
export const upsampleNearest2 = (x: Tensor): Tensor =>
  runOne("UpsampleNearest2", { x }, { scale: 1 });

/** w / σ(w) with σ = uᵀWv, u and v constant in the gradient; `w` [..., out], `u` [out]. */
export const spectralNormalize = (w: Tensor, u: Tensor): Tensor =>
  runOne("SpectralNormalize", { w, u });

/** The next `u` of the power method; not differentiable. */
export const powerIteration = (w: Tensor, u: Tensor, iterations = 1): Tensor =>
  runOne("PowerIteration", { w, u }, { iterations });

/** {@link spectralNormalize} of many matrices, in one call where the backend can. */
export const spectralNormalizeAll = (
  matrices: readonly { readonly w: Tensor; readonly u: Tensor }[],
): readonly Tensor[] =>
  matrices.length > 0 && hasKernel("SpectralNormalizes")
    ? runMany("SpectralNormalizes", matrices.flatMap(({ w, u }) => [w, u])).slice(0, -1)
    : matrices.map(({ w, u }) => spectralNormalize(w, u));

/** {@link powerIteration} of many matrices, in one call where the backend can. */
export const powerIterationAll = (
  matrices: readonly { readonly w: Tensor; readonly u: Tensor }[],
  iterations = 1,
): readonly Tensor[] =>
  matrices.length > 0 && hasKernel("PowerIterations")
    ? runMany("PowerIterations", matrices.flatMap(({ w, u }) => [w, u]), { iterations })
    : matrices.map(({ w, u }) => powerIteration(w, u, iterations));

/** mean |a − b|. // [] */
export const meanAbsoluteDifference = (a: Tensor, b: Tensor): Tensor =>
  runOne("MeanAbsoluteDifference", { a, b });

/** Sum of squares; not differentiable. // [] */
export const squaredNorm = (x: Tensor): Tensor => runOne("SquaredNorm", { x });

/** Sum of the squares of all numbers of some tensors; not differentiable. // [] */
export const squaredNormAll = (tensors: readonly Tensor[]): Tensor => {
  const [sum] = hasKernel("SquaredNorms")
    ? runMany("SquaredNorms", tensors)
    : [tf.sum(tf.stack(tensors.map(squaredNorm)))];
  if (!sum) throw new Error("Cannot run SquaredNorms: an output is missing");
  return sum;
};

/** decay · average + (1 − decay) · value; not differentiable. */
export const exponentialAverage = (average: Tensor, value: Tensor, decay: number): Tensor =>
  runOne("ExponentialAverage", { average, value }, { decay });

/** What Adam needs besides the tensors; `step` counts from 1. */
export interface AdamSettings {
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly step: number;
}

/** One parameter with its gradient and moments; `first` exists only where beta1 > 0. */
export interface AdamSlot {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly first?: Tensor | undefined;
  readonly second: Tensor;
}

/** One Adam update; where `finite` [] is 0 parameter and moments come back unchanged. */
export const adamUpdate = (
  { parameter, gradient, first, second }: AdamSlot,
  finite: Tensor,
  settings: AdamSettings,
): { readonly parameter: Tensor; readonly second: Tensor; readonly first?: Tensor | undefined } => {
  const [moved, second2, first2] = runKernel(
    "AdamUpdate",
    { parameter, gradient, first, second, finite },
    { ...settings },
  );
  if (!moved || !second2) throw new Error("Cannot run AdamUpdate: an output is missing");
  return { parameter: moved, second: second2, first: first2 };
};

/** {@link exponentialAverage} of many pairs, in one call where the backend can. */
export const exponentialAverageAll = (
  pairs: readonly { readonly average: Tensor; readonly value: Tensor }[],
  decay: number,
): readonly Tensor[] =>
  pairs.length > 0 && hasKernel("ExponentialAverages")
    ? runMany("ExponentialAverages", pairs.flatMap(({ average, value }) => [average, value]), {
      decay,
    })
    : pairs.map(({ average, value }) => exponentialAverage(average, value, decay));

/** {@link adamUpdate} of many parameters, in one call where the backend can. */
export const adamUpdateAll = (
  slots: readonly AdamSlot[],
  finite: Tensor,
  settings: AdamSettings,
): readonly ReturnType<typeof adamUpdate>[] => {
  const momentum = slots[0]?.first !== undefined;
  const alike = slots.length > 0 && slots.every(({ first }) => (first !== undefined) === momentum);
  if (!alike || !hasKernel("AdamUpdates")) {
    return slots.map((slot) => adamUpdate(slot, finite, settings));
  }
  const inputs = slots.flatMap(({ parameter, gradient, second, first }) =>
    first ? [parameter, gradient, second, first] : [parameter, gradient, second]
  );
  const outputs = runMany("AdamUpdates", [finite, ...inputs], { ...settings, momentum });
  const width = momentum ? 3 : 2;
  return slots.map((_, i) => {
    const [parameter, second, first] = outputs.slice(i * width, (i + 1) * width);
    if (!parameter || !second) throw new Error("Cannot run AdamUpdates: an output is missing");
    return { parameter, second, first };
  });
};
