/** The shorter tape: memory goes back while gradients are computed, and they stay what they are. */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../../backends/tf.ts";
import { averagePool2, convolve, relu } from "../../../backends/ops.ts";
import { differentiate } from "../../../models/optimiser.ts";
import { registerComposed } from "../../../backends/kernels/composed.ts";
import { assertClose, compute, noise, reference, withWasm } from "./support.ts";

const tensor = (shape: number[], seed: number): Tensor =>
  tf.tensor(noise(shape.reduce((a, b) => a * b, 1), seed), shape);

/** A tensor that goes several ways, and comes back as itself: every way a gradient can be shared. */
const tangled = (x: Tensor, w: Tensor): Tensor => {
  const a = relu(convolve(x, w)), b = tf.add(a, x), c = tf.sub(tf.add(b, b), a);
  const d = tf.concat([c.reshape(c.shape), a], 3), [left, right] = tf.split(d, 2, 3);
  if (!left || !right) throw new Error("Cannot split");
  return averagePool2(tf.add(tf.mul(left, right), tf.neg(tf.add(left, c))));
};

// The first test: the reference is computed before any wasm backend has shortened the tape.
Deno.test("wasm: gradients of tensors that are used several times equal the cpu's", async () => {
  const f = () => {
    const x = tensor([2, 4, 4, 3], 3), w = tensor([3, 3, 3, 3], 4);
    const loss = () => tf.sum(tf.mul(tangled(x, w), tensor([2, 2, 2, 3], 5))).asScalar();
    return Object.values(differentiate(loss, { x, w }).gradients);
  };
  registerComposed("cpu", new Set());
  const expected = await reference(f);
  await withWasm(async (backend) => assertClose(await compute(backend, f), expected));
});

/** Passes numbers on; tells how many bytes live when the gradient comes by. */
const watch = (x: Tensor, tell: (bytes: number) => void): Tensor =>
  tf.customGrad((...args) => ({
    value: (args[0] as Tensor).clone(),
    gradFunc: (dy: Tensor) => {
      tell(tf.memory().numBytes);
      return dy.clone();
    },
  }))(x);

Deno.test("wasm: what the tape holds is freed while it is worked off", async () => {
  await withWasm(async (backend) => {
    const seen: number[] = [];
    await compute(backend, () => {
      const w = tensor([3, 3, 8, 8], 1), x = tensor([1, 32, 32, 8], 2);
      const { gradients } = differentiate(() => {
        let h = watch(convolve(x, w), (bytes) => void seen.push(bytes));
        for (let i = 0; i < 12; i++) h = relu(convolve(h, w));
        return tf.sum(watch(h, (bytes) => void seen.push(bytes))).asScalar();
      }, { w });
      return Object.values(gradients);
    });
    const [late = 0, early = Infinity] = seen; // the last operation's gradient comes first
    assert.ok(early < late / 2, `${late} bytes at the start, ${early} at the end`);
  });
});

Deno.test("wasm: gradients of gradients", async () => {
  const f = () => {
    const cube = (x: Tensor): Tensor => tf.sum(tf.mul(tf.mul(x, x), x));
    return tf.grad((x: Tensor) => tf.sum(tf.grad(cube)(x)))(tensor([5], 6));
  };
  await withWasm(async (backend) =>
    assertClose(await compute(backend, f), [noise(5, 6).map((x) => 6 * x)])
  );
});
