/**
 * The kernels that Headshot adds to TensorFlow.js: what each takes, gives and computes. Every
 * backend registers all of them, composed from stock operations (`composed.ts`) where it has
 * nothing better. All tensors are float32 and NHWC.
 *
 * @module
 */

/**
 * | kernel | inputs | attributes | outputs |
 * |---|---|---|---|
 * | Convolve | x [B,H,W,I], filter [k,k,I,O], bias? [O] | relu | y [B,H,W,O]: stride 1, zero padding (k-1)/2 |
 * | ConvolveInputGrad | dy [B,H,W,O], filter [k,k,I,O] | | dx [B,H,W,I] |
 * | ConvolveFilterGrad | x [B,H,W,I], dy [B,H,W,O] | size k | dfilter [k,k,I,O] |
 * | BiasGrad | dy [..., O] | | dbias [O]: sum over everything else |
 * | ReluGrad | dy, y | | dx: dy where y > 0, else 0 |
 * | InstanceNormalize | x [B,H,W,C], gain [B or 1, C], bias [B or 1, C] | epsilon, relu | y, mean [B,C], deviation [B,C] (1/√(var+ε)) |
 * | InstanceNormalizeGrad | dy, x, gain, bias, mean, deviation | relu | dx, dgain [B or 1, C], dbias [B or 1, C] |
 * | AveragePool2 | x [B,2H,2W,C] | scale | y [B,H,W,C]: scale · sum of each 2×2 square |
 * | UpsampleNearest2 | x [B,H,W,C] | scale | y [B,2H,2W,C]: scale · x, each value four times |
 * | PowerIteration | w [..., O], u [O] | iterations | u' [O]: with W the matrix [K, O], u ← unit(Wᵀ unit(W u)), norms floored at 1e-4 |
 * | SpectralNormalize | w [..., O], u [O] | | w/σ, v [K] = unit(W u), σ [] = vᵀ W u |
 * | SpectralNormalizeGrad | dy, y (= w/σ), u, v, sigma | | dw = (dy − ⟨dy, y⟩ v uᵀ) / σ |
 * | MeanAbsoluteDifference | a, b (same shape) | | [] |
 * | MeanAbsoluteDifferenceGrad | dy [], a, b | | da = dy · sign(a − b) / size (db = −da) |
 * | SoftmaxGrad | dy, y (= softmax over the last axis) | | dx = y · (dy − Σ dy · y) |
 * | SquaredNorm | x | | [] |
 * | AdamUpdate | parameter, gradient, first?, second, finite [] | rate, beta1, beta2, epsilon, step | parameter', second', first'? : where finite is 0 everything stays |
 * | ExponentialAverage | average, value | decay | decay · average + (1 − decay) · value |
 */
export const kernelNames = [
  "Convolve",
  "ConvolveInputGrad",
  "ConvolveFilterGrad",
  "BiasGrad",
  "ReluGrad",
  "InstanceNormalize",
  "InstanceNormalizeGrad",
  "AveragePool2",
  "UpsampleNearest2",
  "PowerIteration",
  "SpectralNormalize",
  "SpectralNormalizeGrad",
  "MeanAbsoluteDifference",
  "MeanAbsoluteDifferenceGrad",
  "SoftmaxGrad",
  "SquaredNorm",
  "AdamUpdate",
  "ExponentialAverage",
] as const;

/**
 * Kernels that do for a list of tensors, in one call, what the kernel without the s does for one. A
 * backend may have them; where it has not, `ops.ts` calls the other one for each. Inputs and
 * outputs come as lists:
 *
 * | kernel | inputs | outputs |
 * |---|---|---|
 * | AdamUpdates | finite, then parameter, gradient, second, and first where `momentum` is set, of each | parameter', second', and first' likewise, of each |
 * | ExponentialAverages | average, value of each | one each |
 * | SquaredNorms | all | [], the sum over all |
 * | PowerIterations | w, u of each | u' of each |
 * | SpectralNormalizes | w, u of each | w/σ of each, then one tensor with v of all and σ of all |
 * | SpectralNormalizeGrads | that tensor, then dy, y, u of each | dw of each |
 */
export type ManyName =
  | "AdamUpdates"
  | "ExponentialAverages"
  | "SquaredNorms"
  | "PowerIterations"
  | "SpectralNormalizes"
  | "SpectralNormalizeGrads";

/**
 * A kernel that a backend may have beside: `PackHalves` takes x [..., 2C] and gives it in half
 * precision, two neighbours in each int32 of [..., C]. The `Convolve` of such a backend takes a
 * filter that is stored so.
 */
export type StorageName = "PackHalves";

/** The name of one of the added kernels. */
export type KernelName = typeof kernelNames[number];

/** Norms of spectral-norm vectors, and σ, are floored at this. */
export const normFloor = 1e-4;
