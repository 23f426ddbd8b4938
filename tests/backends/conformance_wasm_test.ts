import { createCpuBackend } from "../../backends/cpu.ts";
import { createWasmBackend } from "../../backends/wasm.ts";
import { nonFiniteCases, oneOfEach, operationCases, stockCases } from "./cases.ts";
import { assertFlat, conform, succeed } from "./conformance.ts";

Deno.test("wasm conforms", async (t) => {
  const reference = await succeed(createCpuBackend()), backend = await succeed(createWasmBackend());
  await conform(t, [...operationCases, ...stockCases, ...nonFiniteCases], reference, backend);
  await backend.close();
});

Deno.test("wasm leaks no tensors", async () => {
  const backend = await succeed(createWasmBackend());
  await assertFlat(backend, [...operationCases, ...stockCases], 3);
  await assertFlat(backend, oneOfEach, 50);
  await backend.close();
});
