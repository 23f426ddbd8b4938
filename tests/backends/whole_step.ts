/** The gradients of a whole training step, the same on every backend. */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../backends/tf.ts";
import { meanAbsoluteDifference } from "../../backends/ops.ts";
import {
  type Batch,
  discriminatorGradients,
  generatorGradients,
} from "../../models/adversarial.ts";
import {
  discriminatorParameters,
  embedderParameters,
  generatorParameters,
} from "../../models/parameter_specs.ts";
import { effectiveWeights, iterateSpectral, type Network } from "../../models/parameters.ts";
import { type PresetName, presets } from "../../models/presets.ts";
import type { Backend } from "../../pipeline/core/env.ts";
import { fill, hashedImage, hashedNetwork, hashedRows } from "../models/hashed.ts";
import { distances, type Results, succeed, tolerance } from "./conformance.ts";

/** Made-up pictures of a step. */
export const batchOf = (size: number, shots: number): Batch => ({
  sources: hashedImage("input/xs", shots, size),
  sourceLandmarks: hashedImage("input/ys", shots, size),
  target: hashedImage("input/xt", 1, size),
  targetLandmarks: hashedImage("input/yt", 1, size),
  selector: tf.tensor2d([[1]]),
});

/** The values of tensors. */
export const readAll = async (
  backend: Backend,
  tensors: Readonly<Record<string, Tensor>>,
): Promise<Results> => {
  const values = await succeed(
    backend.read("results", () => Promise.all(Object.values(tensors).map((x) => x.data()))),
  );
  return Object.fromEntries(
    Object.keys(tensors).map((name, i) => [name, Float32Array.from(values[i] ?? [])]),
  );
};

// Every number moved by at most a unit in its last place.
const jittered = (network: Network, seed: number): Network => ({
  ...network,
  parameters: Object.fromEntries(
    Object.entries(network.parameters).map(([name, x]) => {
      const noise = fill(`jitter ${seed} ${name}`, x.size).map((u) => 1 + u * 2 ** -23);
      return [name, tf.mul(x, tf.tensor(noise, x.shape))];
    }),
  ),
});

/**
 * Gradients of both sides, output and embedding, from hashed weights: every layer takes part.
 * With a `jitter` (a seed) the weights differ in their last bit: see {@link assertStepsAgree}.
 */
export const stepGradients = async (
  backend: Backend,
  preset: PresetName,
  shots: number,
  { jitter }: { readonly jitter?: number } = {},
): Promise<Results> => {
  const moved = (network: Network): Network =>
    jitter === undefined ? network : jittered(network, jitter);
  const { architecture } = presets[preset], n = architecture.embedding;
  const model = { architecture, pooling: "sum-relu", gain: "raw" } as const;
  const weights = { adversarial: 1, featureMatching: 10, match: 80, matchRows: false };
  const made = await succeed(backend.run("gradients of a step", () => {
    const generator = moved(hashedNetwork([
      ...embedderParameters(architecture),
      ...generatorParameters(architecture),
    ]));
    const discriminator = moved(hashedNetwork(discriminatorParameters(architecture)));
    // A few power iterations, as in training: a random u gives no useful σ.
    const normed = {
      ...discriminator,
      spectral: iterateSpectral(discriminator, 3),
    };
    const batch = batchOf(architecture.size, shots);
    const rows = tf.tensor2d(hashedRows(1, n), [1, n]);
    const g = generatorGradients(
      model,
      { ...generator, spectral: iterateSpectral(generator, 3) },
      effectiveWeights(normed),
      batch,
      rows,
      (fake) => ({ pixels: meanAbsoluteDifference(fake, batch.target) }),
      weights,
    );
    const d = discriminatorGradients(model, normed, batch, rows, g, weights);
    return {
      ...g.gradients,
      ...d.gradients,
      "output": g.fake,
      "embedding": g.embedding,
      "loss G": g.loss,
      "loss D": d.loss,
    };
  }));
  const results = await readAll(backend, made);
  backend.dispose(made);
  return results;
};

/** Gradients of a step as a backend computes them, and again from weights moved in the last bit. */
export interface Reference {
  readonly exact: Results;
  readonly jittered: readonly Results[];
}

/** The reference to which other backends are held. */
export const referenceStep = async (
  backend: Backend,
  preset: PresetName,
  shots: number,
  jitters: number,
): Promise<Reference> => {
  const jittered: Results[] = [];
  for (let jitter = 0; jitter < jitters; jitter++) {
    jittered.push(await stepGradients(backend, preset, shots, { jitter }));
  }
  return { exact: await stepGradients(backend, preset, shots), jittered };
};

/** What a whole step may differ by as a multiple of what moving the last bit of a weight does. */
const jitterFactor = 30;

/** The share of tensors that may need that excuse: gamma and other sums that nearly cancel. */
const excusedShare = 0.1;

/**
 * The rule of the design, with one excuse: a tensor that float32 does not decide to 1e-5, because
 * the last bit of the weights moves it by more than a thirtieth of that on the reference itself.
 */
export const assertStepsAgree = (reference: Reference, found: Results): void => {
  const movement = new Map<string, number>();
  for (const jittered of reference.jittered) {
    for (const { name, error } of distances(reference.exact, jittered)) {
      movement.set(name, Math.max(movement.get(name) ?? 0, error));
    }
  }
  const all = distances(reference.exact, found);
  const excused = all.filter(({ error }) => !(error < tolerance));
  const wrong = excused.filter(({ name, error }) =>
    !(error < jitterFactor * (movement.get(name) ?? 0))
  );
  assert.deepEqual(
    wrong.map(({ name, error }) => `${name}: ${error.toExponential(1)} away`),
    [],
  );
  assert.ok(
    excused.length <= excusedShare * all.length,
    `${excused.length} of ${all.length} tensors differ by more than ${tolerance}`,
  );
};
