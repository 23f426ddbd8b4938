/**
 * The same number everywhere, and weights of nothing but zeros: every normalisation divides by a
 * variance, a norm or a sum there, and its gradients must stay finite.
 */
import assert from "node:assert/strict";
import {
  instanceNormalize,
  powerIteration,
  softmax,
  spectralNormalize,
} from "../../backends/ops.ts";
import { type Tensor, tf } from "../../backends/tf.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { episodes } from "../../datasets/sample.ts";
import { selfAttention } from "../../models/attention.ts";
import { trainingNorm } from "../../models/baselines/batch_norm.ts";
import { loadContentNetworks } from "../../models/content_loss.ts";
import { differentiate } from "../../models/optimiser.ts";
import { plainWeights, type Tensors } from "../../models/parameters.ts";
import { presets } from "../../models/presets.ts";
import { makeEnv } from "../../pipeline/core/env.ts";
import { runCollect, take, through } from "../../pipeline/core/flow.ts";
import { F, TE } from "../../pipeline/core/fp.ts";
import type { Image } from "../../pipeline/core/image.ts";
import { adversarialStep } from "../../pipeline/programs/adversarial_step.ts";
import { landmarkMaps, toDevice } from "../../pipeline/programs/device_batch.ts";
import { createTrainState } from "../../pipeline/programs/train_state.ts";
import { expectRight, numbersOf, onBackend } from "./support.ts";

const full = (shape: readonly number[], value: number): Tensor => tf.fill([...shape], value);

/** A function of tensors of one value each, all of which it is differentiated by. */
interface Case {
  readonly inputs: Readonly<Record<string, readonly [shape: readonly number[], value: number]>>;
  readonly f: (inputs: Readonly<Record<string, Tensor>>) => Tensor;
}

const at = (inputs: Readonly<Record<string, Tensor>>, name: string): Tensor =>
  inputs[name] ?? assert.fail(name);

const attention = (value: number, weight: number): Case => ({
  inputs: {
    x: [[1, 4, 4, 8], value],
    ...Object.fromEntries(["f", "g"].flatMap((name) => [
      [`A/${name}/kernel`, [[1, 1, 8, 1], weight]],
      [`A/${name}/bias`, [[1], weight]],
    ])),
    "A/h/kernel": [[1, 1, 8, 8], weight],
    "A/h/bias": [[8], weight],
    "A/gamma": [[], 1],
  },
  f: (inputs) => selfAttention(plainWeights(inputs), "A", at(inputs, "x")),
});

const norm = (value: number, gain: readonly number[], relu: boolean): Case => ({
  inputs: { x: [[2, 4, 4, 8], value], gain: [gain, 1], bias: [gain, 0.1] },
  f: (inputs) =>
    instanceNormalize(at(inputs, "x"), at(inputs, "gain"), at(inputs, "bias"), { relu }),
});

const cases: Readonly<Record<string, Case>> = {
  "instance norm of zeros": norm(0, [1, 8], false),
  "instance norm of a large constant, with ReLU": norm(1e4, [1, 8], true),
  "AdaIN of a constant": norm(-3, [2, 8], false),
  "AdaIN of a constant, with ReLU": norm(0.5, [2, 8], true),
  "spectral norm of zeros": {
    inputs: { w: [[3, 3, 4, 8], 0], u: [[8], 0.5] },
    f: (inputs) => spectralNormalize(at(inputs, "w"), at(inputs, "u")),
  },
  "spectral norm with u of zeros": {
    inputs: { w: [[3, 3, 4, 8], 0.1], u: [[8], 0] },
    f: (inputs) => spectralNormalize(at(inputs, "w"), at(inputs, "u")),
  },
  "softmax of a constant": {
    inputs: { x: [[2, 16], 5] },
    f: (inputs) => softmax(at(inputs, "x")),
  },
  "softmax of huge numbers": {
    inputs: { x: [[2, 16], 1e30] },
    f: (inputs) => softmax(at(inputs, "x")),
  },
  "self-attention over a constant": attention(0.7, 0.2),
  "self-attention over zeros with weights of zeros": attention(0, 0),
  "self-attention with large logits": attention(30, 5),
  "batch norm of a constant": {
    inputs: { x: [[2, 4, 4, 8], 2], "B/gain": [[8], 1], "B/bias": [[8], 0] },
    f: (inputs) => trainingNorm(plainWeights(inputs), () => {})("B", at(inputs, "x")),
  },
};

for (const [name, { inputs, f }] of Object.entries(cases)) {
  Deno.test(`finite values and gradients: ${name}`, async () => {
    for (const on of ["cpu", "wasm"] as const) {
      await onBackend(on, async (backend) => {
        const made = await expectRight(backend.run(name, () => {
          const all: Tensors = Object.fromEntries(
            Object.entries(inputs).map(([key, [shape, value]]) => [key, full(shape, value)]),
          );
          // Weighted, because the plain sum of a normalised map has no gradient.
          const weigh = (y: Tensor): Tensor => {
            const weights = Float32Array.from({ length: y.size }, (_, i) => (i * 7 % 11) - 5);
            return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
          };
          const { loss, gradients } = differentiate(() => weigh(f(all)), all);
          return { loss, ...gradients };
        }));
        assert.ok(Object.keys(made).length > 1, "nothing was differentiated");
        for (const [key, tensor] of Object.entries(made)) {
          assert.ok((await numbersOf(tensor)).every(Number.isFinite), `${key} on ${on}`);
        }
      });
    }
  });
}

Deno.test("the power method on a matrix of zeros stays finite", () =>
  onBackend("wasm", async (backend) => {
    const u = await expectRight(
      backend.run("u", () => powerIteration(full([3, 3, 4, 8], 0), full([8], 1), 15)),
    );
    assert.ok((await numbersOf(u)).every(Number.isFinite));
  }));

/** People who are one grey, their landmarks one point. */
const grey = (level: number): Dataset => {
  const people = [0, 1, 2].map((i) => ({ identity: `${i}`, video: "v", frames: 5 }));
  const image: Image = {
    ...{ width: 16, height: 16, channels: 3 },
    data: new Uint8Array(16 * 16 * 3).fill(level),
  };
  return {
    ...{ name: "grey", size: 16, train: people.slice(0, 2), heldOut: people.slice(2) },
    read: (_, indices) =>
      TE.right(indices.map(() => ({ image, landmarks: new Float32Array(136).fill(8) }))),
  };
};

for (const level of [0, 128, 255]) {
  Deno.test(`three steps of training on nothing but the grey ${level} are finite`, () =>
    onBackend("wasm", async (backend) => {
      const env = makeEnv({ backend }), preset = presets["test-16"], people = grey(level);
      using state = await expectRight(createTrainState(preset, people.train.length)(env));
      using content = await expectRight(loadContentNetworks(preset.training.content)(env));
      const steps = await expectRight(
        F.pipe(
          episodes(people, { shots: 2, batch: 2 }),
          through(landmarkMaps),
          through(toDevice(1)),
          take(3),
          runCollect,
        )(env),
      );
      for (const step of steps) {
        using report = await expectRight(adversarialStep(preset, content.value, state)(step)(env));
        const values = await numbersOf(report.value.values);
        for (const [i, name] of report.value.names.entries()) {
          assert.ok(Number.isFinite(values[i]), `${name} is ${values[i]}`);
          if (name.endsWith("Finite")) assert.equal(values[i], 1, name);
        }
      }
      for (const learner of [state.value.generator, state.value.discriminator]) {
        for (const [name, tensor] of Object.entries(learner.network.parameters)) {
          assert.ok((await numbersOf(tensor)).every(Number.isFinite), name);
        }
      }
    }));
}
