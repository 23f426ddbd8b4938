import { createCpuBackend } from "../../backends/cpu.ts";
import { tf } from "../../backends/tf.ts";
import { createWebgpuBackend } from "../../backends/webgpu.ts";
import { nonFiniteCases, oneOfEach, operationCases, stockCases } from "./cases.ts";
import { assertFlat, conform, succeed } from "./conformance.ts";
import { webgpuTest } from "./webgpu_adapter.ts";

const open = async () => {
  const backend = await succeed(createWebgpuBackend({ allowSoftware: true }));
  // Small tensors would be computed by JavaScript, and no shader tested.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  return backend;
};

webgpuTest("webgpu conforms", async (t) => {
  const reference = await succeed(createCpuBackend()), backend = await open();
  await conform(t, [...operationCases, ...stockCases, ...nonFiniteCases], reference, backend);
  await backend.close();
});

webgpuTest("webgpu leaks no tensors", async () => {
  const backend = await open();
  await assertFlat(backend, [...operationCases, ...stockCases], 3);
  await assertFlat(backend, oneOfEach, 50);
  await backend.close();
});
