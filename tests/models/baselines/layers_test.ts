/** The rivals' layers against PyTorch's: values and gradients, on every backend. */
import assert from "node:assert/strict";
import { createCpuBackend } from "../../../backends/cpu.ts";
import { type Tensor, tf } from "../../../backends/tf.ts";
import { createWasmBackend } from "../../../backends/wasm.ts";
import { createWebgpuBackend } from "../../../backends/webgpu.ts";
import {
  averagePool3,
  convolvePadded,
  convolveStrided,
  convolveTransposed,
  padReflecting,
  upsampleBilinear2,
} from "../../../models/baselines/layers.ts";
import type { Backend } from "../../../pipeline/core/env.ts";
import { distances, succeed } from "../../backends/conformance.ts";
import { webgpuTest } from "../../backends/webgpu_adapter.ts";
import golden from "./layers.json" with { type: "json" };

const layers: Readonly<Record<string, (x: Tensor, filter: Tensor) => Tensor>> = {
  strided4: (x, filter) => convolveStrided(x, filter, { padding: 1 }),
  "strided4 wide": (x, filter) => convolveStrided(x, filter, { padding: 2 }),
  strided3: (x, filter) => convolveStrided(x, filter, { padding: 1 }),
  padded4: (x, filter) => convolvePadded(x, filter, 2),
  transposed: (x, filter) => convolveTransposed(x, filter, tf.zeros([filter.shape[3] ?? 1])),
  reflect: (x) => padReflecting(x, 3),
  upsample: (x) => upsampleBilinear2(x),
  pool: (x) => averagePool3(x),
};

const checkAll = async (backend: Backend): Promise<void> => {
  try {
    for (const known of golden.cases) {
      const layer = layers[known.name];
      assert.ok(layer, known.name);
      const made = await succeed(backend.run(known.name, (): readonly Tensor[] => {
        const x = tf.tensor(known.x, known.shape);
        const filter = tf.tensor(known.filter ?? [0], known.filterShape ?? [1]);
        const value = layer(x, filter);
        const { grads } = tf.engine().gradients(
          () =>
            tf.sum(tf.mul(layer(x, filter), tf.tensor(known.weight, known.outShape))).asScalar(),
          known.filter ? [x, filter] : [x],
        );
        return [value, ...grads];
      }));
      assert.deepEqual(made[0]?.shape, known.outShape, known.name);
      const [y, dx, dfilter] = await succeed(
        backend.read(known.name, () => Promise.all(made.map((tensor) => tensor.data()))),
      );
      backend.dispose(made);
      const found = distances({
        y: Float32Array.from(known.y),
        dx: Float32Array.from(known.dx),
        dfilter: Float32Array.from(known.dfilter ?? []),
      }, {
        y: Float32Array.from(y ?? []),
        dx: Float32Array.from(dx ?? []),
        dfilter: Float32Array.from(dfilter ?? []),
      });
      for (const { name, error } of found) {
        assert.ok(error < 1e-5, `${known.name}: ${name} is ${error.toExponential(1)} away`);
      }
    }
  } finally {
    await backend.close();
  }
};

Deno.test("cpu computes the rivals' layers as PyTorch does", async () =>
  await checkAll(await succeed(createCpuBackend())));

Deno.test("wasm computes the rivals' layers as PyTorch does", async () =>
  await checkAll(await succeed(createWasmBackend({ threads: 2 }))));

webgpuTest(
  "webgpu computes the rivals' layers as PyTorch does",
  async () => await checkAll(await succeed(createWebgpuBackend({ allowSoftware: true }))),
);
