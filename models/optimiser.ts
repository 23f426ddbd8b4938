/**
 * Adam over named parameters, with state that can be saved, and the moving average of weights.
 *
 * @module
 */
import { type Tensor, tf } from "../backends/tf.ts";
import {
  type AdamSettings,
  adamUpdateAll,
  exponentialAverageAll,
  squaredNormAll,
} from "../backends/ops.ts";
import { need, type Network, type Tensors } from "./parameters.ts";

/** Adam's constants without the rate and the step. */
export interface Adam {
  /** Decay of the first moment. */
  readonly beta1: number;
  /** Decay of the second moment. */
  readonly beta2: number;
  /** Added to the root of the second moment. */
  readonly epsilon: number;
}

/** The constants of the published training: no first moment, so none is kept. */
export const paperAdam: Adam = { beta1: 0, beta2: 0.999, epsilon: 1e-5 };

/** A network under training: parameters, u of the spectral norms, moments, updates made so far. */
export interface Learner {
  /** What is trained. */
  readonly network: Network;
  /** Second moments by parameter name. */
  readonly second: Tensors;
  /** First moments by parameter name; empty where beta1 is 0. */
  readonly first: Tensors;
  /** How many there were. */
  readonly updates: number;
}

const mapTensors = (tensors: Tensors, f: (tensor: Tensor, name: string) => Tensor): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, f(tensor, name)]));

/** A learner that has not learnt yet. */
export const createLearner = (network: Network, adam: Adam = paperAdam): Learner => ({
  network,
  second: mapTensors(network.parameters, (tensor) => tf.zerosLike(tensor)),
  first: adam.beta1 === 0 ? {} : mapTensors(network.parameters, (tensor) => tf.zerosLike(tensor)),
  updates: 0,
});

/** The loss and its gradients by parameter name; parameters that do not matter have none. */
export interface Gradients {
  /** What was differentiated. // [] */
  readonly loss: Tensor;
  /** By parameter name. */
  readonly gradients: Tensors;
}

/** Differentiates `f` with respect to named tensors. Call inside `backend.run`. */
export const differentiate = (f: () => Tensor, parameters: Tensors): Gradients => {
  const names = Object.keys(parameters), tensors = Object.values(parameters);
  const { value, grads } = tf.engine().gradients(f, tensors);
  const found: Record<string, Tensor> = {};
  names.forEach((name, i) => {
    const gradient: Tensor | undefined = grads[i];
    if (gradient) found[name] = gradient;
  });
  return { loss: value, gradients: found };
};

/** The mean of what parts of one size have under each name. Throws where there are none. */
export const averageTensors = (parts: readonly Tensors[]): Tensors => {
  const [head, ...rest] = parts;
  if (!head) throw new Error("Cannot average tensors: there are none");
  if (rest.length === 0) return head;
  return mapTensors(
    head,
    (gradient, name) =>
      tf.tidy(() =>
        tf.div(rest.reduce((sum, part) => tf.add(sum, need(part, name)), gradient), parts.length)
      ),
  );
};

/**
 * Gradient accumulation over parts of one size: what `make` gives for each, and the mean of its
 * gradients, of which no more than two are there at a time. Call it inside a scope. Throws where
 * there are none.
 */
export const averageOver = <Part, Side extends { readonly gradients: Tensors }>(
  parts: readonly Part[],
  make: (part: Part) => Side,
): { readonly sides: readonly Omit<Side, "gradients">[]; readonly gradients: Tensors } => {
  let sum: Tensors | undefined;
  const sides = parts.map((part): Omit<Side, "gradients"> => {
    const { gradients, ...side } = make(part), before = sum;
    sum = before === undefined ? gradients : mapTensors(gradients, (gradient, name) => {
      const had = need(before, name), both = tf.add(had, gradient);
      tf.dispose([had, gradient]);
      return both;
    });
    return side;
  });
  if (!sum) throw new Error("Cannot average gradients: there are none");
  return {
    sides,
    gradients: parts.length === 1 ? sum : mapTensors(sum, (all) => tf.div(all, parts.length)),
  };
};

/** ‖gradient‖² over all parameters. // [] */
export const totalSquaredNorm = (gradients: Tensors): Tensor =>
  squaredNormAll(Object.values(gradients));

/** 1 where the number is finite, else 0: made on the device, it gates the update. // [] */
export const finiteFlag = (value: Tensor): Tensor =>
  tf.where(tf.isFinite(value), tf.onesLike(value), tf.zerosLike(value));

/** One Adam step; where `finite` is 0 parameters and moments stay as they are. */
export const updateLearner = (
  learner: Learner,
  gradients: Tensors,
  { rate, finite, adam = paperAdam }: {
    readonly rate: number;
    readonly finite: Tensor;
    readonly adam?: Adam;
  },
): Learner => {
  const settings: AdamSettings = { ...adam, rate, step: learner.updates + 1 };
  const { parameters: before } = learner.network;
  const parameters: Record<string, Tensor> = { ...before };
  const second: Record<string, Tensor> = { ...learner.second }, first: Record<string, Tensor> = {};
  const slots = Object.entries(before).flatMap(([name, parameter]) => {
    const gradient = gradients[name];
    if (!gradient) return [];
    const moments = { first: learner.first[name], second: need(learner.second, name) };
    return [{ name, parameter, gradient, ...moments }];
  });
  adamUpdateAll(slots, finite, settings).forEach((updated, i) => {
    const name = slots[i]?.name ?? "";
    parameters[name] = updated.parameter;
    second[name] = updated.second;
    if (updated.first) first[name] = updated.first;
  });
  return {
    network: { parameters, spectral: learner.network.spectral },
    second,
    first,
    updates: settings.step,
  };
};

/** How much of the average stays at update `t` (from 0): warms up, then at most `decay`. */
export const averageDecay = (t: number, decay: number): number =>
  Math.min(decay, (1 + t) / (10 + t));

/** Moves an average of parameters towards their present values. */
export const updateAverage = (
  average: Tensors,
  parameters: Tensors,
  decay: number,
): Tensors => {
  const names = Object.keys(average);
  const pairs = names.map((name) => ({
    average: need(average, name),
    value: need(parameters, name),
  }));
  const moved = exponentialAverageAll(pairs, decay);
  return Object.fromEntries(names.map((name, i) => [name, moved[i] ?? need(average, name)]));
};
