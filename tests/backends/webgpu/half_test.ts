/** Filters in half precision: what they hold, what convolution makes of them, who refuses them. */
import assert from "node:assert/strict";
import { createCpuBackend } from "../../../backends/cpu.ts";
import { convolve, halfFilter } from "../../../backends/ops.ts";
import { type Tensor, tf } from "../../../backends/tf.ts";
import { livingOf, type Results, succeed } from "../conformance.ts";
import { webgpuTest } from "../webgpu_adapter.ts";
import { open, read, tensor } from "./support.ts";

/** Image and filter: channels that fill tiles and do not, one tap and nine, an odd head. */
const shapes = [
  [[2, 8, 8, 16], [3, 3, 16, 32]],
  [[1, 5, 7, 3], [3, 3, 3, 6]],
  [[1, 9, 4, 13], [1, 1, 13, 2]],
  [[1, 6, 6, 70], [3, 3, 70, 66]],
  [[1, 6, 6, 8], [3, 3, 8, 3]],
] as const;

/** What f16 makes of a number; the rounding of packing is the device's, so: to within a unit. */
const rounded = (filter: Tensor): Tensor =>
  tf.tensor(Float32Array.from(new Float16Array(filter.dataSync<"float32">())), filter.shape);

const results = (store: (filter: Tensor) => Tensor): Tensor[] =>
  shapes.map(([image, filter], i) => {
    const bias = tensor([filter[3]], i + 60);
    return convolve(tensor(image, i), store(tensor(filter, i + 30)), { bias, relu: i % 2 === 0 });
  });

/** The largest difference, as a share of the largest number. */
const assertWithin = (found: Results, expected: Results, most: number): void => {
  for (const [name, values] of Object.entries(expected)) {
    const scale = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const far = values.reduce((a, b, i) => Math.max(a, Math.abs(b - (found[name]?.[i] ?? NaN))), 0);
    assert.ok(far <= most * scale, `${name} is ${far / scale} off`);
  }
};

webgpuTest(
  "filters in f16 convolve as rounded filters do, and leave no tensor",
  async () => {
    const backend = await open();
    const before = livingOf(backend);
    const packed = await succeed(backend.run("pack", () => halfFilter(tensor([3, 3, 8, 6], 1))));
    assert.deepEqual([packed.dtype, packed.shape], ["int32", [3, 3, 8, 3]]);
    const odd = await succeed(backend.run("pack", () => halfFilter(tensor([3, 3, 8, 3], 1))));
    assert.deepEqual([odd.dtype, odd.shape], ["float32", [3, 3, 8, 3]]);
    backend.dispose([packed, odd]);
    const made = await succeed(backend.run("convolve", () => results(halfFilter)));
    const halves = await read(backend, made);
    backend.dispose(made);
    assert.deepEqual(livingOf(backend), before);
    await backend.close();

    const cpu = await succeed(createCpuBackend());
    const exact = await succeed(cpu.run("convolve", () => results((filter) => filter)));
    const near = await succeed(
      cpu.run(
        "convolve",
        () => results((filter) => (filter.shape.at(-1) ?? 1) % 2 ? filter : rounded(filter)),
      ),
    );
    const full = await read(cpu, exact), expected = await read(cpu, near);
    await cpu.close();
    assertWithin(halves, expected, 2e-3);
    // Had the filters stayed f32 the first result would be within rounding of the exact one.
    assert.throws(() => assertWithin(halves, full, 1e-5), /output 0/);
  },
);

Deno.test("a backend with f32 alone says so", async () => {
  const backend = await succeed(createCpuBackend());
  const refused = await backend.run("pack", () => halfFilter(tensor([3, 3, 2, 2], 1)))();
  await backend.close();
  assert.ok(refused._tag === "Left");
  assert.match(refused.left.message, /^cpu stores filters in f32 alone, expected webgpu$/);
});
