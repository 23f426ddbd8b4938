import assert from "node:assert/strict";
import { createCpuBackend } from "../../backends/cpu.ts";
import { type Tensor, tf, type WebGPUBackend } from "../../backends/tf.ts";
import { createWebgpuBackend } from "../../backends/webgpu.ts";
import { isSoftware } from "../../backends/webgpu/device.ts";
import { convolve, relu } from "../../backends/ops.ts";
import { fail, succeed } from "./conformance.ts";
import { webgpuTest } from "./webgpu_adapter.ts";

const open = () => succeed(createWebgpuBackend({ allowSoftware: true }));
const deviceOf = (): GPUDevice => (tf.backend() as unknown as WebGPUBackend).device;

// Records work that the device refuses; nothing throws, and Deno says nothing.
const breakRule = (device: GPUDevice): void => {
  const module = device.createShaderModule({
    code: "@group(0) @binding(0) var<storage, read_write> x: array<f32>;" +
      "@compute @workgroup_size(1) fn main() { x[0] = 1.0; }",
  });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [] });
};

webgpuTest("webgpu: a validation error inside run is its failure, and told once", async () => {
  const backend = await open();
  const living = backend.tensors();
  const failure = await fail(backend.run("a step", () => {
    breakRule(deviceOf());
    return tf.ones([2, 2]);
  }));
  assert.equal(failure._tag, "Backend");
  assert.match(failure._tag === "Backend" ? failure.message : "", /^the GPU refused it: .*bind/i);
  assert.equal(backend.tensors(), living, "what run made is freed");
  assert.equal(await succeed(backend.run("the next", () => 7)), 7);
  await backend.close();
});

webgpuTest("webgpu: an error between two runs surfaces at the next read", async () => {
  const backend = await open();
  const x = await succeed(backend.run("ones", () => relu(tf.ones([2, 2]))));
  breakRule(deviceOf());
  await new Promise((resolve) => setTimeout(resolve, 5)); // the event is a task of its own
  const failure = await fail(backend.read("x", () => x.data()));
  assert.equal(failure._tag, "Backend");
  assert.deepEqual([...await succeed(backend.read("x", () => x.data()))], [1, 1, 1, 1]);
  backend.dispose(x);
  await backend.close();
});

webgpuTest("webgpu: a tensor over the binding limit is refused before it is made", async () => {
  const backend = await open();
  const numbers = backend.maxTensorBytes / 4 + 1;
  const failure = await fail(backend.run("a large fill", () => tf.fill([numbers], 1)));
  assert.match(
    failure._tag === "Backend" ? failure.message : "",
    /^Cannot make a tensor \[\d+\]: it has [\d.]+ MiB, expected at most [\d.]+ MiB/,
  );
  await backend.close();
});

webgpuTest("webgpu: a lost device is DeviceLost, in run and in read, for ever", async () => {
  const backend = await open();
  const x = await succeed(backend.run("ones", () => relu(tf.ones([40, 40]))));
  const reading = fail(backend.read("x", () => x.data()));
  deviceOf().destroy();
  assert.equal((await reading)._tag, "DeviceLost");
  assert.equal((await fail(backend.run("a step", () => relu(x))))._tag, "DeviceLost");
  assert.equal((await fail(backend.read("x", () => x.data())))._tag, "DeviceLost");
  await backend.close();
  const again = await open();
  assert.equal(await succeed(again.run("a step", () => 7)), 7);
  await again.close();
});

webgpuTest("webgpu: a synchronous read says what to do instead", async () => {
  const backend = await open();
  const failure = await fail(backend.run("a look", () => relu(tf.ones([40, 40])).dataSync()));
  assert.match(
    failure._tag === "Backend" ? failure.message : "",
    /^Cannot read a tensor synchronously on webgpu: .*expected `await tensor.data\(\)`/,
  );
  await backend.close();
});

webgpuTest("webgpu: tensors of another backend are refused, not fetched", async () => {
  const cpu = await succeed(createCpuBackend());
  const x = await succeed(cpu.run("ones", () => tf.ones([2, 3])));
  const gpu = await open();
  const failure = await fail(gpu.run("a step", () => relu(x)));
  assert.match(
    failure._tag === "Backend" ? failure.message : "",
    /^Cannot use a tensor \[2,3\] of cpu on webgpu: /,
  );
  // Both stay usable, in any order.
  const y: Tensor = await succeed(gpu.run("a step", () => relu(tf.ones([2]))));
  assert.deepEqual([...await succeed(cpu.read("x", () => x.data()))], [1, 1, 1, 1, 1, 1]);
  const z = await succeed(cpu.run("a step", () => tf.sum(relu(x))));
  assert.deepEqual([...await succeed(gpu.read("y", () => y.data()))], [1, 1]);
  assert.deepEqual([...await succeed(cpu.read("z", () => z.data()))], [6]);
  cpu.dispose(z);
  cpu.dispose(x);
  gpu.dispose(y);
  await cpu.close();
  await gpu.close();
});

webgpuTest("webgpu: what f throws, and a promise, are failures of run", async () => {
  const backend = await open();
  const living = backend.tensors();
  const thrown = await fail(backend.run("a step", () => {
    tf.ones([3]);
    throw new Error("it is Monday");
  }));
  assert.deepEqual([thrown._tag, "message" in thrown && thrown.message], [
    "Backend",
    "it is Monday",
  ]);
  const promised = await fail(backend.run("a step", () => Promise.resolve(1)));
  assert.match("message" in promised ? promised.message : "", /asynchronous/);
  assert.equal(backend.tensors(), living);
  await backend.close();
});

webgpuTest("webgpu: a closed backend says so, a second one takes over from the first", async () => {
  const first = await open(), second = await open();
  assert.match(
    JSON.stringify(await fail(first.run("a step", () => 1))),
    /the webgpu backend was closed/,
  );
  assert.equal(await succeed(second.run("a step", () => 1)), 1);
  await first.close(); // closes its own device only
  assert.equal(await succeed(second.run("a step", () => 2)), 2);
  await second.close();
  assert.equal((await fail(second.read("x", () => Promise.resolve(1))))._tag, "Backend");
});

webgpuTest("webgpu: repeated runs give the same bits", async () => {
  const backend = await open();
  const bits = async (): Promise<readonly number[]> => {
    const y = await succeed(backend.run("convolve", () => {
      const values = Float32Array.from({ length: 6 * 6 * 8 }, (_, i) => Math.sin(i));
      const weights = Float32Array.from({ length: 9 * 64 }, (_, i) => Math.cos(i));
      const filter = tf.tensor(weights, [3, 3, 8, 8]);
      return tf.grad((x: Tensor) => tf.sum(convolve(x, filter, { relu: true })))(
        tf.tensor(values, [1, 6, 6, 8]),
      );
    }));
    const data = await succeed(backend.read("y", () => y.data()));
    backend.dispose(y);
    return [...data];
  };
  assert.deepEqual(await bits(), await bits());
  await backend.close();
});

Deno.test("software adapters are recognised by their flag or name", () => {
  const info = (description: string, isFallbackAdapter = false) => ({
    vendor: "",
    architecture: "",
    device: "",
    description,
    isFallbackAdapter,
  });
  for (
    const name of [
      "llvmpipe (LLVM 15.0.6, 256 bits)",
      "SwiftShader Device (Subzero)",
      "Microsoft Basic Render Driver",
    ]
  ) assert.ok(isSoftware(info(name)), name);
  assert.ok(isSoftware(info("whatever", true)));
  for (const name of ["NVIDIA H100 PCIe", "AMD Radeon RX 7900", "Apple M3", "Intel Arc A770"]) {
    assert.ok(!isSoftware(info(name)), name);
  }
});
