/** Stock operations that we replaced, against the stock ones of the cpu backend. */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../../backends/tf.ts";
import { spreadOf } from "../../../backends/wasm/array_kernels.ts";
import { convolve, instanceNormalize, spectralNormalize } from "../../../backends/ops.ts";
import { assertClose, compute, noise, reference, withWasm } from "./support.ts";

const tensor = (shape: readonly number[], seed = 1): Tensor =>
  tf.tensor(noise(shape.reduce((a, b) => a * b, 1), seed), [...shape]);

const operations: Readonly<Record<string, () => Tensor | Tensor[]>> = {
  "equal shapes": () => tf.add(tensor([3, 5, 7]), tensor([3, 5, 7], 2)),
  "a large array": () => tf.mul(tensor([40000]), tensor([40000], 2)),
  "a scalar on the right": () => tf.sub(tensor([3, 5]), tensor([], 2)),
  "a scalar on the left": () => tf.div(tensor([1], 2), tensor([3, 5])),
  "a vector along the last axis": () => tf.add(tensor([4, 3, 5]), tensor([5], 2)),
  "a vector on the left": () => tf.sub(tensor([5]), tensor([4, 3, 5], 2)),
  "a matrix along the last axes": () => tf.mul(tensor([4, 3, 5]), tensor([1, 3, 5], 2)),
  "a number a row": () => tf.div(tensor([6, 9]), tensor([6, 1], 2)),
  "a number a block": () => tf.mul(tensor([2, 3, 4, 5]), tensor([2, 1, 1, 1], 2)),
  "a row against a column": () => tf.add(tensor([6, 1]), tensor([1, 9], 2)),
  "a number in the middle": () => tf.add(tensor([2, 3, 4]), tensor([2, 1, 4], 2)),
  "a number a row of one": () => tf.sub(tensor([7, 1]), tensor([7, 1], 2)),
  "integers": () => tf.add(tf.tensor([1, 2], [2], "int32"), tf.tensor([3, 4], [2], "int32")),
  "relu": () => tf.relu(tensor([5, 1001])),
  "softmax": () => tf.softmax(tf.mul(tensor([3, 5, 77]), 30)),
  "softmax of one": () => tf.softmax(tensor([4, 1])),
  "softmax of large numbers": () => tf.softmax(tf.mul(tensor([2, 40]), 1e30)),
  "sum of all": () => tf.sum(tensor([70, 301])),
  "sum of the middle": () => tf.sum(tensor([3, 20, 9, 5]), [1, 2]),
  "sum of the last": () => tf.sum(tensor([3, 4, 129]), -1, true),
  "sum of the first": () => tf.sum(tensor([2000, 33]), 0),
  "sum of the outer": () => tf.sum(tensor([3, 4, 5]), [0, 2]),
  "sum of nothing": () => tf.sum(tensor([3, 0, 5]), 1),
  "mean": () => tf.mean(tensor([3, 20, 9, 5]), [1, 2], true),
  "sum of booleans": () => tf.sum(tf.greater(tensor([50]), 0)),
  "concat of channels": () => tf.concat([tensor([2, 5, 3]), tensor([2, 5, 4], 2)], 2),
  "concat of images": () => tf.concat([tensor([2, 64, 16]), tensor([1, 64, 16], 2)], 0),
  "concat with nothing": () => tf.concat([tensor([2, 5]), tensor([2, 0], 2)], 1),
  "concat of integers": () => tf.concat([tf.tensor1d([1], "int32"), tf.tensor1d([2], "int32")]),
  "split": () => tf.split(tensor([3, 9, 4]), [2, 3, 4], 1),
  "split in halves": () => tf.split(tensor([4, 6]), 2, 0),
};

for (const [name, f] of Object.entries(operations)) {
  Deno.test(`wasm arrays: ${name}`, async () => {
    const expected = await reference(f);
    await withWasm(async (backend) => assertClose(await compute(backend, f), expected, 1e-6));
  });
}

Deno.test("wasm arrays: what is no number passes through softmax and relu", async () => {
  const f = () => [
    tf.softmax(tf.tensor2d([[1, NaN, 2, 3], [1, 2, 3, -Infinity]])),
    tf.relu(tf.tensor1d([NaN, -1, 2, -Infinity, Infinity])),
  ];
  await withWasm(async (backend) => {
    const [soft = new Float32Array(), rectified] = await compute(backend, f);
    assert.ok([...soft.slice(0, 4)].every(Number.isNaN));
    assert.ok(Math.abs(soft.slice(4).reduce((a, b) => a + b) - 1) < 1e-6);
    assert.equal(soft[7], 0);
    assert.deepEqual([...rectified ?? []], [NaN, 0, 2, 0, Infinity]);
  });
});

Deno.test("spreads of operands", () => {
  assert.deepEqual(spreadOf([5], [4, 3, 5]), { period: 5, each: 1 });
  assert.deepEqual(spreadOf([4, 1, 1], [4, 3, 5]), { period: 4, each: 15 });
  assert.deepEqual(spreadOf([], [4, 3]), { period: 1, each: 1 });
  assert.deepEqual(spreadOf([4, 3], [4, 3]), { period: 12, each: 1 });
  assert.equal(spreadOf([4, 1, 5], [4, 3, 5]), undefined);
  assert.equal(spreadOf([1, 3, 1], [4, 3, 5]), undefined);
});

Deno.test("wasm: shapes that do not go together are refused", async () => {
  await withWasm(async (backend) => {
    const wrong: readonly (() => unknown)[] = [
      () => convolve(tensor([1, 4, 4, 3]), tensor([3, 3, 4, 2])),
      () => convolve(tensor([1, 4, 4, 3]), tensor([2, 2, 3, 2])),
      () => convolve(tensor([1, 4, 4, 3]), tensor([3, 3, 3, 2]), { bias: tensor([3]) }),
      () => instanceNormalize(tensor([2, 4, 4, 3]), tensor([1, 4]), tensor([1, 4])),
      () => instanceNormalize(tensor([4, 4, 4, 3]), tensor([2, 3]), tensor([2, 3])),
      () => spectralNormalize(tensor([3, 3, 4, 2]), tensor([3])),
      () => tf.matMul(tensor([2, 3]) as tf.Tensor2D, tensor([4, 2]) as tf.Tensor2D),
    ];
    for (const f of wrong) {
      const result = await backend.run("wrong", () => void f())();
      assert.equal(result._tag, "Left", String(f));
    }
  });
});

Deno.test("wasm: gradients of gradients are right", async () => {
  // The tape keeps what kernels save without operations of its own, but not here.
  const cube = (x: Tensor): Tensor => tf.mul(x, tf.mul(x, x));
  const f = () => tf.grad((x: Tensor) => tf.grad(cube)(x))(tf.tensor1d([1, 2, -3]));
  await withWasm(async (backend) => {
    assert.deepEqual([...(await compute(backend, f))[0] ?? []], [6, 12, -18]);
  });
});
