import assert from "node:assert/strict";
import { type Tensor, tf } from "../../../backends/tf.ts";
import { createWasmBackend } from "../../../backends/wasm.ts";
import { assertClose, compute, noise, reference, withWasm } from "./support.ts";

type Shape4 = [number, number, number, number];
const tensor = (shape: number[], seed: number): Tensor =>
  tf.tensor(noise(shape.reduce((a, b) => a * b, 1), seed), shape);

const grads = (f: (x: Tensor, w: Tensor) => Tensor, x: number[], w: number[]) => (): Tensor[] => {
  const loss = (a: Tensor, b: Tensor): tf.Scalar => {
    const y = f(a, b);
    return tf.sum(tf.mul(y, tensor(y.shape, 7)));
  };
  return tf.grads(loss as (...xs: Tensor[]) => Tensor)([tensor(x, 1), tensor(w, 2)]);
};

const convolutions: readonly [Shape4, Shape4, number, "same" | "valid"][] = [
  [[2, 7, 6, 3], [3, 3, 3, 5], 1, "same"],
  [[1, 8, 8, 4], [3, 3, 4, 2], 2, "same"],
  [[1, 9, 8, 2], [5, 4, 2, 3], 1, "valid"],
  [[2, 8, 8, 3], [4, 4, 3, 2], 2, "same"],
  [[1, 5, 5, 3], [1, 1, 3, 4], 1, "same"],
];

Deno.test("wasm: gradients of stock convolutions equal the cpu's", async () => {
  for (const [x, w, stride, pad] of convolutions) {
    const f = grads((a, b) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad), x, w);
    const expected = await reference(f);
    await withWasm(async (backend) =>
      assertClose(await compute(backend, f), expected, 1e-5, `${x} ${w}`)
    );
  }
});

Deno.test("wasm: gradients of depthwise convolutions equal the cpu's", async () => {
  for (
    const [x, w, pad] of [
      [[2, 7, 6, 3], [3, 3, 3, 1], "same"],
      [[1, 8, 9, 2], [3, 2, 2, 2], "valid"],
    ] as const
  ) {
    const f = grads(
      (a, b) => tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, pad),
      [...x],
      [...w],
    );
    const expected = await reference(f);
    await withWasm(async (backend) => assertClose(await compute(backend, f), expected));
  }
});

Deno.test("wasm: matrix products with transposes, batches and broadcasting", async () => {
  for (
    const [a, b, ta, tb] of [
      [[5, 7], [7, 3], false, false],
      [[7, 5], [7, 3], true, false],
      [[5, 7], [3, 7], false, true],
      [[7, 5], [3, 7], true, true],
      [[4, 5, 7], [4, 7, 3], false, false],
      [[4, 7, 5], [4, 3, 7], true, true],
      [[4, 5, 7], [1, 3, 7], false, true],
      [[2, 2, 5, 7], [2, 2, 7, 3], false, false],
    ] as const
  ) {
    const f = () => tf.matMul(tensor([...a], 1), tensor([...b], 2), ta, tb);
    const expected = await reference(f);
    await withWasm(async (backend) => assertClose(await compute(backend, f), expected));
  }
});

Deno.test("wasm: gradient of gather", async () => {
  const f = () =>
    tf.grad((x: Tensor) =>
      tf.sum(tf.mul(tf.gather(x, tf.tensor1d([2, 0, 2, 1], "int32")), tensor([4, 3], 5)))
    )(tensor([5, 3], 1));
  const expected = await reference(f);
  await withWasm(async (backend) => assertClose(await compute(backend, f), expected));
});

Deno.test("wasm: a full heap is an error that names its size, and nothing is overwritten", async () => {
  await withWasm(async (backend) => {
    const kept = await backend.run("keep", () => tf.fill([1024], 3))();
    if (kept._tag === "Left") throw new Error(kept.left.message);
    const before = backend.tensors();
    const full = await backend.run("fill", () => {
      for (let i = 0; i < 100; i++) tf.zeros([1024, 1024]);
    })();
    assert.equal(full._tag, "Left");
    if (full._tag === "Left") {
      assert.match(full.left.message, /heap is full .* of at most 128.0 MiB/);
    }
    assert.equal(backend.tensors(), before);
    assert.deepEqual([...await kept.right.data()], Array(1024).fill(3));
    assert.equal((await compute(backend, () => tf.sum(tf.ones([1024, 1024]))))[0]?.[0], 2 ** 20);
    backend.dispose(kept.right);
  }, { maxHeapBytes: 128 * 2 ** 20 });
});

Deno.test("wasm: what the function throws is a value", async () => {
  await withWasm(async (backend) => {
    const failed = await backend.run("bad", () => tf.matMul(tf.zeros([2, 3]), tf.zeros([2, 3])))();
    assert.equal(failed._tag, "Left");
    if (failed._tag === "Left") assert.equal(failed.left._tag, "Backend");
  });
});

Deno.test("wasm: starts again after it was closed", async () => {
  for (let i = 0; i < 2; i++) {
    const started = await createWasmBackend()();
    assert.equal(started._tag, "Right");
    if (started._tag === "Right") await started.right.close();
  }
});
