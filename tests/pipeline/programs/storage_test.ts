/** Driving with kernels in half precision: the frames of full precision, or a sentence. */
import assert from "node:assert/strict";
import { tf } from "../../../backends/tf.ts";
import { createWebgpuBackend } from "../../../backends/webgpu.ts";
import { renderError } from "../../../pipeline/core/errors.ts";
import type { Image } from "../../../pipeline/core/image.ts";
import { drive } from "../../../pipeline/programs/drive.ts";
import { embedPerson } from "../../../pipeline/programs/embed.ts";
import {
  kernelStorages,
  openPersonIn,
  renderLandmarks,
} from "../../../pipeline/programs/render.ts";
import { expectRight, onBackend } from "../../models/support.ts";
import { fail } from "../../backends/conformance.ts";
import { webgpuTest } from "../../backends/webgpu_adapter.ts";
import { envOf, framesOf, untrainedModel } from "./few_shot_support.ts";

webgpuTest("kernels in f16 paint the frames of f32, from half the memory", async () => {
  const backend = await expectRight(createWebgpuBackend({ allowSoftware: true }));
  const env = envOf(backend), frames = await framesOf(4), trained = await untrainedModel(env);
  const person = await expectRight(embedPerson(trained)(frames)(env));
  const painted: Image[][] = [], bytes: number[] = [];
  for (const storage of kernelStorages) {
    const before = tf.memory().numBytes, tensors = backend.tensors();
    const device = await expectRight(openPersonIn(storage)(person)(env));
    bytes.push(tf.memory().numBytes - before);
    const track = frames.map(({ landmarks }) => landmarks);
    painted.push([...await expectRight(renderLandmarks(device)(track)(env))]);
    device[Symbol.dispose]();
    assert.equal(backend.tensors(), tensors);
  }
  await backend.close();
  const [full = [], half = []] = painted, [whole = 0, less = 0] = bytes;
  assert.ok(less < 0.55 * whole, `${less} bytes of ${whole}`);
  const differences = full.flatMap(({ data }, i) =>
    Array.from(data, (value, j) => Math.abs(value - (half[i]?.data[j] ?? NaN)))
  );
  const most = differences.reduce((a, b) => Math.max(a, b), 0);
  assert.ok(most > 0 && most <= 2, `a level of 255 differs by ${most}`);
});

Deno.test("where there is no f16, driving says so before anything is written", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(1), trained = await untrainedModel(env);
    const person = await expectRight(embedPerson(trained)(frames)(env));
    const out = `${await Deno.makeTempDir()}/film`;
    const error = await fail(
      drive({ driver: "synthetic:3", out, frames: 2, storage: "f16" })(person)(env),
    );
    assert.equal(
      renderError(error),
      "Cannot compute with f16: wasm stores filters in f32 alone, expected webgpu",
    );
    await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
  }));
