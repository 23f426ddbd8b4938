import assert from "node:assert/strict";
import { type Tensor, tf } from "../../backends/tf.ts";
import { queriesPerBlock, selfAttention } from "../../models/attention.ts";
import { differentiate } from "../../models/optimiser.ts";
import { plainWeights, type Tensors } from "../../models/parameters.ts";
import { makeRng } from "../../pipeline/core/rng.ts";
import { expectRight, numbersOf, onBackend, relativeDifference } from "./support.ts";

const random = (name: string, shape: readonly number[]): Tensor => {
  const draw = makeRng(7).fold(name).draw(), size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => draw.normal() / 4), [...shape]);
};

const makeWeights = (channels: number): Tensors =>
  Object.fromEntries(
    ([
      ["f/kernel", [1, 1, channels, channels / 8]],
      ["f/bias", [channels / 8]],
      ["g/kernel", [1, 1, channels, channels / 8]],
      ["g/bias", [channels / 8]],
      ["h/kernel", [1, 1, channels, channels]],
      ["h/bias", [channels]],
      ["gamma", []],
    ] as const).map(([name, shape]) => [`A/${name}`, random(name, shape)]),
  );

Deno.test("attention in query blocks equals attention at once, forward and gradients", () =>
  onBackend("wasm", async (backend) => {
    const run = (mapBytes: number) =>
      expectRight(backend.run("attention", () => {
        const weights = makeWeights(16), x = random("x", [2, 5, 7, 16]);
        const target = random("target", [2, 5, 7, 16]);
        const parameters: Tensors = { ...weights, x };
        const { gradients } = differentiate(
          () => tf.sum(tf.mul(target, selfAttention(plainWeights(weights), "A", x, mapBytes))),
          parameters,
        );
        return { y: selfAttention(plainWeights(weights), "A", x, mapBytes), gradients };
      }));
    const whole = await run(1 << 20), blocks = await run(4 * 2 * 35 * 4); // 4 queries at a time
    assert.equal(queriesPerBlock(2, 35, 4 * 2 * 35 * 4), 4);
    assert.ok(relativeDifference(await numbersOf(blocks.y), await numbersOf(whole.y)) < 1e-6);
    for (const [name, gradient] of Object.entries(whole.gradients)) {
      const other = blocks.gradients[name];
      assert.ok(other, name);
      if (name === "A/g/bias") continue; // exactly 0: a shift of all keys changes no softmax
      const difference = relativeDifference(await numbersOf(other), await numbersOf(gradient));
      assert.ok(difference < 1e-5, `${name}: ${difference}`);
    }
  }));

Deno.test("gamma 0 leaves the feature map as it is", () =>
  onBackend("wasm", async (backend) => {
    const { x, y } = await expectRight(backend.run("attention", () => {
      const weights = { ...makeWeights(8), "A/gamma": tf.scalar(0) };
      const x = random("x", [1, 4, 4, 8]);
      return { x, y: selfAttention(plainWeights(weights), "A", x) };
    }));
    assert.deepEqual(await numbersOf(y), await numbersOf(x));
  }));
