/** Kernels for lists of tensors do for each what the kernels for one do, gradients too. */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../../backends/tf.ts";
import {
  adamUpdate,
  adamUpdateAll,
  exponentialAverage,
  exponentialAverageAll,
  powerIteration,
  powerIterationAll,
  spectralNormalize,
  spectralNormalizeAll,
  squaredNorm,
  squaredNormAll,
} from "../../../backends/ops.ts";
import { hasKernel } from "../../../backends/kernels/gradients.ts";
import { createCpuBackend } from "../../../backends/cpu.ts";
import { createWasmBackend } from "../../../backends/wasm.ts";
import type { Backend } from "../../../pipeline/core/env.ts";
import { expectRight } from "../../models/support.ts";
import { assertClose, noise } from "./support.ts";

// One is cut into several runs; others are shorter than a vector.
const shapes = [[3, 3, 5, 8], [1], [17, 6], [20_011], [4, 1], [3, 3, 60, 17], [2]];

const tensor = (shape: readonly number[], seed: number): Tensor =>
  tf.tensor(noise(shape.reduce((a, b) => a * b, 1), seed), [...shape]);

const settings = { rate: 1e-3, beta1: 0, beta2: 0.999, epsilon: 1e-5, step: 3 };

const inputs = () =>
  shapes.map((shape, i) => ({
    parameter: tensor(shape, i),
    gradient: tensor(shape, i + 50),
    second: tf.abs(tensor(shape, i + 100)),
  }));

const settingsWithMomentum = { ...settings, beta1: 0.5 };

const inputsWithMomentum = () =>
  inputs().map((slot, i) => ({ ...slot, first: tensor(shapes[i] ?? [], i + 150) }));

const matrices = () =>
  shapes.filter((shape) => shape.length > 1).map((shape, i) => ({
    w: tensor(shape, i),
    u: tensor([shape.at(-1) ?? 1], i + 200),
  }));

/** Weighted sums of the normalised matrices, differentiated by all of them. */
const gradients = (normalised: (all: ReturnType<typeof matrices>) => readonly Tensor[]) => {
  const all = matrices();
  const { grads } = tf.engine().gradients(() => {
    const sums = normalised(all).map((y, i) => tf.sum(tf.mul(y, tensor(y.shape, i + 300))));
    return sums.reduce((a, b) => tf.add(a, b)).asScalar();
  }, all.map(({ w }) => w));
  return grads;
};

const together = (finite: number): Tensor[] => [
  ...adamUpdateAll(inputs(), tf.scalar(finite), settings)
    .flatMap(({ parameter, second }) => [parameter, second]),
  ...adamUpdateAll(inputsWithMomentum(), tf.scalar(finite), settingsWithMomentum)
    .flatMap(({ parameter, second, first }) => [parameter, second, first as Tensor]),
  ...exponentialAverageAll(
    inputs().map(({ parameter, gradient }) => ({ average: parameter, value: gradient })),
    0.9,
  ),
  squaredNormAll(inputs().map(({ gradient }) => gradient)),
  ...powerIterationAll(matrices(), 2),
  ...spectralNormalizeAll(matrices()),
  ...gradients(spectralNormalizeAll),
];

const oneByOne = (finite: number): Tensor[] => [
  ...inputs().map((slot) => adamUpdate(slot, tf.scalar(finite), settings))
    .flatMap(({ parameter, second }) => [parameter, second]),
  ...inputsWithMomentum()
    .map((slot) => adamUpdate(slot, tf.scalar(finite), settingsWithMomentum))
    .flatMap(({ parameter, second, first }) => [parameter, second, first as Tensor]),
  ...inputs().map(({ parameter, gradient }) => exponentialAverage(parameter, gradient, 0.9)),
  tf.sum(tf.stack(inputs().map(({ gradient }) => squaredNorm(gradient)))),
  ...matrices().map(({ w, u }) => powerIteration(w, u, 2)),
  ...matrices().map(({ w, u }) => spectralNormalize(w, u)),
  ...gradients((all) => all.map(({ w, u }) => spectralNormalize(w, u))),
];

const valuesOn = async (backend: Backend, f: () => Tensor[]): Promise<Float32Array[]> => {
  const made = await expectRight(backend.run("lists", f));
  const values = await Promise.all(made.map((each) => each.data<"float32">()));
  backend.dispose(made);
  return values.map((value) => Float32Array.from(value));
};

Deno.test("lists and one by one agree with the cpu's, on any number of threads to the bit", async () => {
  for (const finite of [1, 0]) {
    const cpu = await expectRight(createCpuBackend());
    const expected = await valuesOn(cpu, () => oneByOne(finite));
    await cpu.close();
    let first: Float32Array[] | undefined;
    for (const threads of [1, 2, 3]) {
      const backend = await expectRight(createWasmBackend({ threads })), before = backend.tensors();
      assert.ok(hasKernel("AdamUpdates") && hasKernel("SpectralNormalizes"));
      const values = await valuesOn(backend, () => together(finite));
      assertClose(values, expected, 1e-5, `lists, ${threads} threads`);
      assertClose(await valuesOn(backend, () => oneByOne(finite)), expected, 1e-5, "one by one");
      first ??= values;
      assert.deepEqual(values, first);
      assert.equal(backend.tensors(), before);
      await backend.close();
    }
  }
});

Deno.test("lists with nothing in them, and sizes that do not fit", async () => {
  const backend = await expectRight(createWasmBackend({}));
  const empty = await expectRight(
    backend.run("nothing", () => [
      ...powerIterationAll([]),
      ...spectralNormalizeAll([]),
      ...exponentialAverageAll([], 0.5),
      ...adamUpdateAll([], tf.scalar(1), settings),
    ]),
  );
  assert.equal(empty.length, 0);
  const wrong = await backend.run(
    "wrong",
    () => exponentialAverageAll([{ average: tf.zeros([3]), value: tf.zeros([4]) }], 0.5),
  )();
  assert.ok(wrong._tag === "Left" && /an input is \[4\], expected \[3\]/.test(wrong.left.message));
  await backend.close();
});
