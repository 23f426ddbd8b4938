import { createCpuBackend } from "../../backends/cpu.ts";
import { createWasmBackend } from "../../backends/wasm.ts";
import { createWebgpuBackend } from "../../backends/webgpu.ts";
import { succeed } from "./conformance.ts";
import { webgpuTest } from "./webgpu_adapter.ts";
import { assertRunFlat, assertRunsAgree } from "./training_run.ts";
import { assertStepsAgree, referenceStep, stepGradients } from "./whole_step.ts";

const openWebgpu = () => succeed(createWebgpuBackend({ allowSoftware: true }));

Deno.test("a whole step of test-16 agrees between cpu and wasm", async () => {
  const cpu = await succeed(createCpuBackend()), wasm = await succeed(createWasmBackend());
  const reference = await referenceStep(cpu, "test-16", 2, 3);
  assertStepsAgree(reference, await stepGradients(wasm, "test-16", 2));
  await assertRunsAgree(cpu, wasm, "test-16");
  await cpu.close();
  await wasm.close();
});

webgpuTest("a whole step of test-16 agrees between cpu and webgpu", async () => {
  const cpu = await succeed(createCpuBackend()), webgpu = await openWebgpu();
  const reference = await referenceStep(cpu, "test-16", 2, 3);
  assertStepsAgree(reference, await stepGradients(webgpu, "test-16", 2));
  await assertRunsAgree(cpu, webgpu, "test-16");
  await cpu.close();
  await webgpu.close();
});

webgpuTest("a step of toy-64 with two shots agrees between wasm and webgpu", async () => {
  const wasm = await succeed(createWasmBackend()), webgpu = await openWebgpu();
  const reference = await referenceStep(wasm, "toy-64", 2, 8);
  assertStepsAgree(reference, await stepGradients(webgpu, "toy-64", 2));
  await wasm.close();
  await webgpu.close();
});

Deno.test("wasm: 50 training steps keep the number of tensors", async () => {
  const backend = await succeed(createWasmBackend());
  await assertRunFlat(backend, "test-16", 50);
  await backend.close();
});

webgpuTest("webgpu: 50 training steps keep the number of tensors", async () => {
  const backend = await openWebgpu();
  await assertRunFlat(backend, "test-16", 50);
  await backend.close();
});
