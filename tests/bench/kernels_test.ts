/** Where the time of a step goes: every kernel once, none twice, and nothing is left behind. */
import assert from "node:assert/strict";
import { tf } from "../../backends/tf.ts";
import { type Report, reportText } from "../../bench/report.ts";
import { benchCommand } from "../../pipeline/cli/bench_command.ts";
import { webgpuTest } from "../backends/webgpu_adapter.ts";

const profile = (backend: string) =>
  benchCommand.run({ preset: "test-16", backend, shots: "2", runs: "2", only: "kernels" });

for (const backend of ["wasm", "cpu"] as const) {
  Deno.test(`the kernels of a step on ${backend}, and what is left between them`, async () => {
    const outcome = await profile(backend);
    if (outcome._tag === "Left") assert.fail(JSON.stringify(outcome.left));
    const report = outcome.right.json as Report, { seconds, kernels } = report.profile ?? {};
    assert.ok(seconds && kernels);
    // On cpu most kernels are composed of others: counted twice, they would be more than the step.
    const inside = kernels.reduce((sum, kernel) => sum + kernel.seconds, 0);
    assert.ok(inside > seconds / 4 && inside < seconds, `${inside} s of ${seconds} s`);
    const callsOf = (name: string) => kernels.find((kernel) => kernel.name === name)?.calls ?? 0;
    assert.ok(callsOf("Convolve") > callsOf("ConvolveFilterGrad"), "forward passes without tape");
    assert.ok(callsOf("ConvolveFilterGrad") > 0);
    assert.ok(kernels.every(({ calls }) => Number.isInteger(calls)), "both steps are the same");
    const text = reportText(report);
    assert.match(text, /a step, profiled +[\d.]+ ms +100 %/);
    assert.match(text, / {2}\w+ +[\d.]+ ms +\d+ % +\d+ calls/);
    assert.match(text, /between kernels/);
    // The next one finds the kernels as they were, or it would time the watching as well.
    const before = tf.getKernelsForBackend(backend);
    assert.equal((await profile(backend))._tag, "Right");
    const after = new Set(tf.getKernelsForBackend(backend));
    assert.ok(before.every((kernel) => after.has(kernel)));
  });
}

webgpuTest("kernels on webgpu have not ended when their calls return: refused", async () => {
  const outcome = await profile("webgpu");
  assert.ok(outcome._tag === "Left" && outcome.left._tag === "Backend");
  assert.match(outcome.left.message, /on webgpu: .* expected --backend wasm, native or cpu$/);
});
