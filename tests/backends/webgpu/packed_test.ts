/** Tensors that share a buffer: how they get there, and that nothing stays behind. */
import assert from "node:assert/strict";
import { tf } from "../../../backends/tf.ts";
import { pack, packable } from "../../../backends/webgpu/packed.ts";
import { succeed } from "../conformance.ts";
import { webgpuTest } from "../webgpu_adapter.ts";
import { gpu, numbers, open, read, tensor } from "./support.ts";

webgpuTest("webgpu: one tensor may be packed twice", async () => {
  const backend = await open();
  const made = await succeed(backend.run("pack", () => {
    const x = tensor([64], 1);
    return [x, tf.engine().makeTensorFromTensorInfo(pack(gpu(), [x, x]))];
  }));
  const { "output 0": x, "output 1": both } = await read(backend, made);
  assert.deepEqual([...both ?? []], [...x ?? [], ...x ?? []]);
  const groups = packable(gpu(), [64, 64, 65, 1], (size) => [size], 512);
  assert.deepEqual(groups.map(({ length }) => length), [2, 1, 1]);
  backend.dispose(made);
  await backend.close();
});

webgpuTest(
  "webgpu: tensors move from one shared buffer to another, empty ones are freed",
  async () => {
    const backend = await open(), { bufferManager } = gpu();
    const held = async (): Promise<number> => {
      backend.dispose(await succeed(backend.run("submit", () => tf.neg(tf.ones([3])))));
      await gpu().queue.onSubmittedWorkDone();
      return bufferManager.numBytesUsed;
    };
    const before = await held();
    const made = await succeed(backend.run("move", () => {
      const [a, b] = [tensor([3], 1), tensor([5], 2)];
      for (const list of [[a, b], [b, a], [a, b]]) {
        tf.engine().makeTensorFromTensorInfo(pack(gpu(), list));
      }
      return [a, b];
    }));
    const { "output 0": a, "output 1": b } = await read(backend, made);
    assert.deepEqual([a, b], [numbers(3, 1), numbers(5, 2)]);
    backend.dispose(made);
    assert.equal(await held(), before);
    await backend.close();
  },
);
