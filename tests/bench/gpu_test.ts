/** `bench/gpu.sh`: what it writes, and that it takes no software adapter for a GPU. */
import assert from "node:assert/strict";
import { adapterKind } from "../../backends/webgpu/device.ts";
import { webgpuTest } from "../backends/webgpu_adapter.ts";

const script = new URL("../../bench/gpu.sh", import.meta.url).pathname;

interface Failed {
  readonly name: string;
  readonly log: string;
}

const run = async (out: string, settings: Readonly<Record<string, string>>) => {
  const { code, stderr } = await new Deno.Command("sh", {
    args: [script, out],
    env: { PRESETS: "test-16", RUNS: "3", TESTS: "", ...settings },
    stdout: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
};

webgpuTest(
  "the script for GPU machines writes the adapter and a report of each preset",
  async () => {
    const folder = await Deno.makeTempDir(), out = `${folder}/gpu.json`;
    try {
      const { code, stderr } = await run(out, { SOFTWARE: "1", PRESETS: "test-16 nothing" });
      assert.equal(code, 1, stderr); // there is no preset of that name
      const { adapter, tests, benches, people, failed } = JSON.parse(await Deno.readTextFile(out));
      assert.equal(typeof adapter.description, "string");
      assert.ok(adapter.limits.maxBufferSize > 0);
      assert.deepEqual(tests, []);
      assert.equal(benches.length, 1);
      assert.equal(benches[0].preset, "test-16");
      assert.ok(benches[0].metaStepSeconds > 0 && benches[0].frameSeconds > 0);
      assert.equal(people.length, 1);
      assert.ok(people[0].frameSeconds > 0 && people[0].fineTuneSeconds > 0);
      const logs = new Map<string, string>(failed.map(({ name, log }: Failed) => [name, log]));
      assert.match(logs.get("nothing") ?? "", /--preset nothing: there is none/);
      assert.match(logs.get("few-shot-nothing") ?? "", /Cannot bench nothing: expected one of/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

webgpuTest("it refuses a software adapter unless it is asked for", async () => {
  if (await adapterKind() !== "software") return;
  const { code, stderr } = await run("/dev/null", {});
  assert.equal(code, 1);
  assert.match(stderr, /This is a software adapter, expected a GPU/);
});
