/** Grid sampling against PyTorch's grid_sample: values and both gradients, on every backend. */
import assert from "node:assert/strict";
import { createCpuBackend } from "../../backends/cpu.ts";
import { gridSample, identityGrid } from "../../backends/kernels/grid_sample.ts";
import { tf } from "../../backends/tf.ts";
import { createWasmBackend } from "../../backends/wasm.ts";
import { createWebgpuBackend } from "../../backends/webgpu.ts";
import type { Backend } from "../../pipeline/core/env.ts";
import { type Case, distances, evaluate, succeed } from "./conformance.ts";
import golden from "./golden/grid_sample.json" with { type: "json" };
import { webgpuTest } from "./webgpu_adapter.ts";

const limit = 1e-5;

const compareAll = async (backend: Backend): Promise<void> => {
  for (const [i, known] of golden.cases.entries()) {
    const test: Case = {
      name: `grid sample ${i}`,
      inputs: { image: { shape: known.image }, grid: { shape: known.grid } },
      compute: ({ image, grid }) => {
        if (!image || !grid) throw new Error("Cannot sample: an input is missing");
        const value = gridSample(image, grid);
        const weight = tf.tensor(known.weight, value.shape);
        return [tf.mul(value, weight), value];
      },
    };
    const given = {
      image: Float32Array.from(known.imageValues),
      grid: Float32Array.from(known.gridValues),
    };
    const found = await evaluate(backend, test, { given });
    const made = await succeed(backend.run("gradients", () => {
      const image = tf.tensor(given.image, known.image), grid = tf.tensor(given.grid, known.grid);
      const { grads } = tf.engine().gradients(() => {
        const value = gridSample(image, grid);
        return tf.sum(tf.mul(value, tf.tensor(known.weight, value.shape))).asScalar();
      }, [image, grid]);
      return grads;
    }));
    const [image, grid] = await succeed(
      backend.read("gradients", () => Promise.all(made.map((tensor) => tensor.data()))),
    );
    backend.dispose(made);
    const values = {
      value: found["output 1"] ?? new Float32Array(),
      image: Float32Array.from(image ?? []),
      grid: Float32Array.from(grid ?? []),
    };
    const expected = {
      value: Float32Array.from(known.value),
      image: Float32Array.from(known.imageGradient),
      grid: Float32Array.from(known.gridGradient),
    };
    for (const { name, error } of distances(expected, values)) {
      assert.ok(error < limit, `case ${i}: ${name} is ${error.toExponential(1)} away`);
    }
  }
};

const checkIdentity = async (backend: Backend): Promise<void> => {
  const made = await succeed(backend.run("identity", () => {
    const image = tf.randomNormal([2, 6, 9, 3], 0, 1, "float32", 3);
    const grid = tf.tile(identityGrid(6, 9), [2, 1, 1, 1]);
    return tf.max(tf.abs(tf.sub(image, gridSample(image, grid))));
  }));
  const [apart = NaN] = await succeed(backend.read("identity", () => made.data()));
  backend.dispose(made);
  assert.ok(apart < limit, `the identity grid moves pixels by ${apart}`);
};

/** A grid of NaN, as of a network that diverges, must not end the process. */
const checkNaN = async (backend: Backend): Promise<void> => {
  const made = await succeed(backend.run("not a number", () => {
    const image = tf.ones([1, 4, 4, 1]), grid = tf.fill([1, 2, 2, 2], NaN);
    return tf.engine().gradients(() => tf.sum(gridSample(image, grid)).asScalar(), [image, grid])
      .value;
  }));
  const [value = 0] = await succeed(backend.read("not a number", () => made.data()));
  backend.dispose(made);
  assert.ok(Number.isNaN(value), `a grid of NaN gives ${value}`);
};

const checkAll = async (backend: Backend): Promise<void> => {
  try {
    const before = backend.tensors();
    await compareAll(backend);
    await checkIdentity(backend);
    assert.equal(backend.tensors(), before, "tensors that stay behind");
  } finally {
    await backend.close();
  }
};

Deno.test("cpu samples grids as PyTorch does", async () =>
  await checkAll(await succeed(createCpuBackend())));

Deno.test("wasm samples grids as PyTorch does", async () => {
  const backend = await succeed(createWasmBackend({ threads: 2 }));
  await checkNaN(backend);
  await checkAll(backend);
});

webgpuTest("webgpu samples grids as PyTorch does", async () => {
  const backend = await succeed(createWebgpuBackend({ allowSoftware: true }));
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  await checkAll(backend);
});
