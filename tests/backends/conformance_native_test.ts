import assert from "node:assert/strict";
import { createCpuBackend } from "../../backends/cpu.ts";
import { createNativeBackend } from "../../backends/native.ts";
import { attachBlas } from "../../backends/native/native_kernels.ts";
import { type Blas, openBlas } from "../../backends/native/open_blas.ts";
import { convolve } from "../../backends/ops.ts";
import { selectBackend } from "../../backends/select.ts";
import { type Tensor, tf } from "../../backends/tf.ts";
import { createWasmBackend } from "../../backends/wasm.ts";
import { get, of } from "./case_inputs.ts";
import { nonFiniteCases, oneOfEach, operationCases, stockCases } from "./cases.ts";
import { assertFlat, type Case, conform, evaluate, fail, succeed } from "./conformance.ts";
import { nativeTest } from "./native_library.ts";
import { assertStepsAgree, referenceStep, stepGradients } from "./whole_step.ts";

const convolution = (
  [batch, height, width]: readonly [number, number, number],
  [input, output]: readonly [number, number],
  size: number,
  { bias = false, relu = false } = {},
): Case => ({
  name: `native: ${size}×${size} of ${batch}×${height}×${width}, ${input} → ${output}`,
  inputs: {
    x: of(batch, height, width, input),
    filter: of(size, size, input, output),
    ...(bias ? { bias: of(output) } : {}),
  },
  compute: (t) => convolve(get(t, "x"), get(t, "filter"), { bias: t.bias, relu }),
  gradients: ["x", "filter", ...(bias ? ["bias"] : [])],
});

const product = (
  a: readonly number[],
  b: readonly number[],
  transposeA = false,
  transposeB = false,
): Case => ({
  name: `native: [${a}]${transposeA ? "ᵀ" : ""} · [${b}]${transposeB ? "ᵀ" : ""}`,
  inputs: { a: of(...a), b: of(...b) },
  compute: (t) => tf.matMul(get(t, "a"), get(t, "b"), transposeA, transposeB),
  gradients: ["a", "b"],
});

/** What the library computes: large enough, and of every kind. */
const nativeCases: readonly Case[] = [
  convolution([2, 4, 4], [64, 64], 3, { bias: true, relu: true }),
  convolution([1, 5, 3], [64, 70], 3),
  convolution([3, 1, 1], [64, 64], 3, { bias: true }),
  convolution([1, 2, 6], [66, 64], 3, { relu: true }),
  convolution([2, 9, 7], [33, 40], 1, { bias: true, relu: true }),
  convolution([1, 16, 16], [32, 24], 1),
  product([70, 45], [45, 64]),
  product([45, 70], [45, 64], true),
  product([70, 45], [64, 45], false, true),
  product([45, 70], [64, 45], true, true),
  product([3, 64, 50], [3, 50, 64]),
  product([3, 50, 64], [3, 64, 50], true, true),
  { ...product([3, 64, 50], [50, 64]), gradients: [] }, // the framework has none of these
];

/** A BLAS that counts. */
const counted = (blas: Blas): { readonly blas: Blas; readonly calls: () => number } => {
  let calls = 0;
  const multiply: Blas["multiply"] = (given) => {
    calls++;
    blas.multiply(given);
  };
  return { blas: { ...blas, multiply }, calls: () => calls };
};

nativeTest("native conforms", async (t) => {
  const reference = await succeed(createCpuBackend());
  const backend = await succeed(createNativeBackend());
  assert.equal(backend.name, "native");
  assert.match(backend.device, /^wasm, \d+ threads?.*; OpenBLAS [\d.]+ for \w+, \d+ threads?$/);
  const cases = [...operationCases, ...stockCases, ...nonFiniteCases, ...nativeCases];
  await conform(t, cases, reference, backend);
  await backend.close();
});

nativeTest("the library computes what it is there for, wasm computes without it", async () => {
  const backend = await succeed(createNativeBackend({ threads: 1 })), opened = openBlas(1);
  const { blas, calls } = counted(opened);
  attachBlas(blas);
  for (const test of nativeCases) {
    const before = calls();
    await evaluate(backend, test, { gradients: false });
    assert.ok(calls() > before, test.name);
  }
  const after = calls();
  for (const test of oneOfEach) await evaluate(backend, test);
  assert.equal(calls(), after, "small work stays on wasm");
  await backend.close();
  opened.close();

  const wasm = await succeed(createWasmBackend({ threads: 1 }));
  const results = await evaluate(wasm, nativeCases[0] as Case);
  assert.equal(calls(), after);
  assert.ok(results["output 0"]?.every(Number.isFinite));
  await wasm.close();
});

nativeTest("products of a growing heap, and of a second backend, are right", async () => {
  const grow = (): Tensor => tf.sum(tf.matMul(tf.ones([64, 64]), tf.ones([64, 64])));
  for (let i = 0; i < 2; i++) {
    const backend = await succeed(createNativeBackend());
    const made = await succeed(backend.run("grow", () => [tf.zeros([2 ** 23]), grow(), grow()]));
    const [, ...sums] = made;
    const values = await succeed(
      backend.read("sums", () => Promise.all(sums.map((sum) => sum.data()))),
    );
    assert.deepEqual(values.map(([value]) => value), [64 ** 3, 64 ** 3]);
    backend.dispose(made);
    await backend.close();
  }
});

nativeTest("native leaks no tensors", async () => {
  const backend = await succeed(createNativeBackend());
  await assertFlat(backend, [...nativeCases, ...oneOfEach], 3);
  await backend.close();
});

nativeTest("a step of toy-64 with one shot agrees between wasm and native", async () => {
  const wasm = await succeed(createWasmBackend());
  const reference = await referenceStep(wasm, "toy-64", 1, 2);
  await wasm.close();
  const native = await succeed(createNativeBackend());
  assertStepsAgree(reference, await stepGradients(native, "toy-64", 1));
  await native.close();
});

Deno.test("native without its library is refused in a sentence, never something else", async () => {
  const failure = await fail(createNativeBackend({ libraries: ["libnothing.so.7"] }));
  assert.ok(failure._tag === "Config");
  assert.deepEqual(failure.problems, [
    "Cannot use backend native: there is no libnothing.so.7 with OpenBLAS's functions, expected " +
    "the system's OpenBLAS (Debian: libopenblas0), or backend wasm",
  ]);
});

Deno.test({
  name: "native without the permission is refused in a sentence",
  permissions: { ffi: false },
  fn: async () => {
    const failure = await fail(selectBackend("native"));
    assert.ok(failure._tag === "Config");
    assert.deepEqual(failure.problems, [
      "Cannot use backend native: it calls a library of the system, which no task permits, " +
      "expected deno run --allow-ffi (and what else the task has) cli.ts, or backend wasm",
    ]);
  },
});
