import assert from "node:assert/strict";
import { type BackendChoice, selectBackend } from "../../backends/select.ts";
import { tf } from "../../backends/tf.ts";
import { adapterKind } from "../../backends/webgpu/device.ts";
import { fail, succeed } from "./conformance.ts";

Deno.test("auto takes a hardware GPU or wasm, never a software adapter", async () => {
  const backend = await succeed(selectBackend("auto"));
  assert.equal(backend.name, await adapterKind() === "hardware" ? "webgpu" : "wasm");
  assert.doesNotMatch(backend.device, /software/);
  await backend.close();
});

Deno.test("a name that means none is a configuration error", async () => {
  const failure = await fail(selectBackend("gpu" as BackendChoice));
  assert.equal(failure._tag, "Config");
  const [problem = ""] = failure._tag === "Config" ? failure.problems : [];
  assert.match(problem, /^Cannot use backend gpu: there is none.*expected webgpu, wasm, native/);
});

Deno.test("wasm and cpu live side by side, tensors stay on their own", async () => {
  const wasm = await succeed(selectBackend("wasm")), cpu = await succeed(selectBackend("cpu"));
  const onWasm = await succeed(wasm.run("ones", () => tf.ones([2, 2])));
  const onCpu = await succeed(cpu.run("ones", () => tf.ones([3])));
  for (const [backend, foreign] of [[wasm, onCpu], [cpu, onWasm]] as const) {
    const failure = await fail(backend.run("a step", () => tf.add(foreign, 1)));
    assert.match(JSON.stringify(failure), /Cannot use a tensor \[.*\] of (wasm|cpu) on (wasm|cpu)/);
  }
  const sums = [
    await succeed(wasm.run("sum", () => tf.sum(onWasm))),
    await succeed(cpu.run("sum", () => tf.sum(onCpu))),
  ];
  const values = await Promise.all(sums.map((sum) => succeed(wasm.read("sum", () => sum.data()))));
  assert.deepEqual(values.map(([value]) => value), [4, 3]);
  tf.dispose([...sums, onWasm, onCpu]);
  await cpu.close();
  await wasm.close();
});
