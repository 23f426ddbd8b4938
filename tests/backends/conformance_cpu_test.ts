import assert from "node:assert/strict";
import { createCpuBackend } from "../../backends/cpu.ts";
import type { Backend } from "../../pipeline/core/env.ts";
import { operationCases, stockCases } from "./cases.ts";
import { assertStepsAgree } from "./whole_step.ts";
import {
  assertAgree,
  type Case,
  evaluate,
  type Results,
  succeed,
  valuesOf,
  weightsOf,
} from "./conformance.ts";

/** Half the distance between the two points: float32 sums carry about 1e-6 of noise. */
const reach = 1e-2;

const scalar = async (
  backend: Backend,
  test: Case,
  given: Readonly<Record<string, Float32Array>>,
): Promise<number> => {
  const output = (await evaluate(backend, test, { given, gradients: false }))["output 0"];
  if (!output) throw new Error(`Cannot sum ${test.name}: it has no output`);
  const weights = weightsOf(output.length);
  return output.reduce((sum, x, i) => sum + x * (weights[i] ?? 0), 0);
};

// Along the gradient itself, where the signal is largest: the slope there is its length.
const slopes = async (backend: Backend, test: Case, name: string, gradient: Float32Array) => {
  const length = Math.hypot(...gradient);
  const values = valuesOf(test, name);
  const move = (by: number): Readonly<Record<string, Float32Array>> => ({
    [name]: values.map((x, i) => x + (by * (gradient[i] ?? 0)) / length),
  });
  const up = await scalar(backend, test, move(reach));
  const down = await scalar(backend, test, move(-reach));
  return { measured: (up - down) / (2 * reach), computed: length };
};

Deno.test("gradients agree with finite differences on cpu", async (t) => {
  const backend = await succeed(createCpuBackend());
  for (const test of [...operationCases, ...stockCases]) {
    if (!test.smooth) continue;
    await t.step(test.name, async () => {
      const results = await evaluate(backend, test);
      for (const name of test.gradients ?? []) {
        const gradient = results[`gradient of ${name}`] ?? new Float32Array();
        const { measured, computed } = await slopes(backend, test, name, gradient);
        const error = Math.abs(measured - computed) / computed;
        assert.ok(error < 5e-3, `${name}: slope ${measured}, gradient ${computed}`);
      }
    });
  }
  await backend.close();
});

Deno.test("a map without variance has finite gradients", async () => {
  const backend = await succeed(createCpuBackend());
  const test = operationCases.find(({ name }) => name.includes("without variance"));
  assert.ok(test);
  for (const [name, values] of Object.entries(await evaluate(backend, test))) {
    assert.ok(values.every(Number.isFinite), name);
  }
  await backend.close();
});

Deno.test("a closed backend says so", async () => {
  const backend = await succeed(createCpuBackend());
  await backend.close();
  const result = await backend.run("a step", () => 0)();
  assert.equal(result._tag, "Left");
});

Deno.test("the rule notices what it must and forgives what float32 does not decide", () => {
  const large = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i));
  const zero = large.map((x) => 1e-8 * x), exact = { "E/a": large, "E/b": zero };
  const scaled = (by: number): Results => ({ ...exact, "E/a": large.map((x) => by * x) });
  assertAgree(exact, scaled(1 + 5e-6), "rounding");
  assertAgree(exact, { ...exact, "E/b": zero.map((x) => -x) }, "noise around 0");
  assert.throws(() => assertAgree(exact, scaled(1 + 2e-5), "a small error"));
  assert.throws(() => assertAgree(exact, scaled(-1), "a sign"));
  assert.throws(() => assertAgree(exact, { ...exact, "E/b": zero.map(() => 1) }, "not 0"));
  assert.throws(() => assertAgree(exact, { ...exact, "E/a": large.map(() => NaN) }, "NaN"));
  assert.throws(() => assertAgree(exact, { "E/a": large }, "one is missing"));

  const many = (by: number): Results =>
    Object.fromEntries(Array.from({ length: 20 }, (_, i) => [
      `E/${i}`,
      i === 0 ? large.map((x) => by * x) : large,
    ]));
  const loose = { exact: many(1), jittered: [many(1 + 1e-5)] };
  assertStepsAgree(loose, many(1 + 1e-4));
  assert.throws(() => assertStepsAgree(loose, many(1 + 1e-3)));
  assert.throws(() => assertStepsAgree({ exact: many(1), jittered: [many(1)] }, many(1 + 1e-4)));
});
