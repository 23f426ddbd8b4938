/** A run that is made to diverge: caught, taken back, given up with a diagnosis. */
import assert from "node:assert/strict";
import { inFolder, runCli, tiny } from "./support.ts";

const settings = (rate: number) =>
  JSON.stringify({
    ...{ preset: "test-16", backend: "wasm", watchEvery: 10, gridEvery: 1000 },
    checkpointEvery: 10,
    judge: { people: 3, shots: 4, targets: 2 },
    training: { steps: 320, generatorRate: rate, discriminatorRate: rate, batch: 1, shots: 1 },
  });

// How wild training ends depends on the last bits of the arithmetic; that it is noticed must not.
Deno.test("rates thousands of times too high are noticed and answered", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/wild.jsonc`, settings(1));
    const ended = await runCli(["meta-train", "--config", "wild.jsonc", "--run", "run"], folder);
    assert.match(ended.stderr, /Back to the last checkpoint at step \d+: .*; rates are halved/);
    const rollbacks: readonly { readonly step: number; readonly reason: string }[] = JSON.parse(
      await Deno.readTextFile(`${folder}/run/rollbacks.json`),
    );
    for (const { reason } of rollbacks) {
      assert.match(reason, /not finite|saturated|flat|the same|dead/);
    }
    if (ended.code === 0) return;
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /after 3 returns to a checkpoint/);
  }));

Deno.test("usual rates never go back", () =>
  inFolder(async (folder) => {
    const args = ["meta-train", ...tiny, "--steps", "40", "--run", "run", "--json"];
    const ended = await runCli(args, folder);
    assert.equal(ended.code, 0, ended.stderr);
    const there = await Deno.stat(`${folder}/run/rollbacks.json`).then(() => true, () => false);
    assert.equal(there, false);
  }));
