/**
 * Named parameters: how they start, and the effective weights that a forward pass uses.
 *
 * @module
 */
import type { Tensor } from "../backends/tf.ts";
import { tf } from "../backends/tf.ts";
import { powerIteration, powerIterationAll, spectralNormalizeAll } from "../backends/ops.ts";
import type { Rng } from "../pipeline/core/rng.ts";
import { type ParameterSpec, spectralName } from "./parameter_specs.ts";

/** Tensors by their name in files: `E/block0/conv1/kernel`. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Trainable parameters of a network and the vectors u of its spectral norms (by parameter). */
export interface Network {
  /** What training changes, by name. */
  readonly parameters: Tensors;
  /** u [out] by the name of the kernel that it belongs to. */
  readonly spectral: Tensors;
}

/** Looks a weight up by name; what every forward pass takes. */
export type Weights = (name: string) => Tensor;

/** Power iterations when `u` is new: one is far from enough for a random start. */
export const warmUpIterations = 15;

const startValues = ({ name, shape, initial }: ParameterSpec, rng: Rng): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  if (initial.kind === "constant") return tf.fill([...shape], initial.value);
  const draw = rng.fold(name).draw();
  const values = Float32Array.from(
    { length: size },
    () => draw.uniform(-initial.bound, initial.bound),
  );
  return tf.tensor(values, [...shape]);
};

/**
 * New parameters: kernels and biases uniform ±1/√fan_in, gains 1, gamma 0; u random, then 15 power
 * iterations. A pure function of the random stream and the names.
 */
export const createNetwork = (specs: readonly ParameterSpec[], rng: Rng): Network => {
  const parameters = Object.fromEntries(specs.map((spec) => [spec.name, startValues(spec, rng)]));
  const spectral = Object.fromEntries(
    specs.filter((spec) => spec.spectral).map(({ name, shape }) => {
      const draw = rng.fold(spectralName(name)).draw();
      const u = tf.tensor(Float32Array.from({ length: shape.at(-1) ?? 1 }, () => draw.normal()));
      return [name, powerIteration(need(parameters, name), u, warmUpIterations)];
    }),
  );
  return { parameters, spectral };
};

/** The tensor with that name; a missing one is a bug. */
export const need = (tensors: Tensors, name: string): Tensor => {
  const tensor = tensors[name];
  if (tensor === undefined) {
    throw new Error(
      `Cannot find the weight ${name}: the network has ${Object.keys(tensors).length} others`,
    );
  }
  return tensor;
};

const matricesOf = ({ parameters, spectral }: Network) =>
  Object.entries(spectral).map(([name, u]) => ({ name, w: need(parameters, name), u }));

/**
 * The weights of one forward pass: every kernel under spectral norm is divided by its σ once,
 * with u constant in the gradient (section 4).
 */
export const effectiveWeights = (network: Network): Weights => {
  const { parameters } = network, matrices = matricesOf(network);
  const normal = spectralNormalizeAll(matrices);
  const normalised = new Map(matrices.map(({ name }, i) => [name, normal[i]]));
  return (name) => normalised.get(name) ?? need(parameters, name);
};

/**
 * Every weight as a forward pass uses it, spectral norms folded into the kernels: what a frozen
 * network needs. The caller owns all of them.
 */
export const foldSpectralNorm = (network: Network): Tensors => {
  const weights = effectiveWeights(network);
  return Object.fromEntries(
    Object.keys(network.parameters).map((name) => [name, tf.clone(weights(name))]),
  );
};

/** Weights that need no spectral norm: folded, or read from a person's file. */
export const plainWeights = (tensors: Tensors): Weights => (name) => need(tensors, name);

/** The next u of every layer: once per network per optimiser step, before its forward passes. */
export const iterateSpectral = (network: Network, iterations = 1): Tensors => {
  const matrices = matricesOf(network), next = powerIterationAll(matrices, iterations);
  return Object.fromEntries(matrices.map(({ name, u }, i) => [name, next[i] ?? u]));
};
