/** `meta-train --dry-run`: parameters, memory and time of a run, and nothing of it on the disk. */
import assert from "node:assert/strict";
import { dryRun, dryRunText } from "../../../pipeline/cli/dry_run.ts";
import { countParameters } from "../../../models/presets.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { decodeRunConfig, type Overrides } from "../../../pipeline/programs/run_config.ts";

const look = async (settings: Overrides) => {
  const config = decodeRunConfig({ preset: "test-16", backend: "wasm", run: "nowhere" }, settings);
  assert.ok(E.isRight(config), JSON.stringify(config));
  const found = await dryRun(config.right);
  assert.ok(E.isRight(found), JSON.stringify(found));
  return found.right;
};

Deno.test("a dry run counts parameters, estimates memory and times a step", async () => {
  const found = await look({ training: { steps: 100, accumulate: 2, batch: 3, shots: 4 } });
  assert.equal(found.sequences, 3420);
  assert.deepEqual(found.parameters, countParameters("test-16", 3420));
  assert.equal(found.framesPerStep, 2 * 3 * (4 + 1));
  assert.ok(found.memory && found.memory.total > found.memory.weights);
  assert.equal(found.memoryProblem, undefined);
  assert.ok(found.stepSeconds && found.stepSeconds > 0 && found.stepSeconds < 20);
  assert.equal(found.trainingSeconds, 100 * found.stepSeconds);
  const text = dryRunText(found);
  for (const part of ["100 steps on wasm", "3420 videos in W", "3 sequences of 4", ", 2 times"]) {
    assert.ok(text.includes(part), `${part} is not in ${text}`);
  }
  assert.match(
    text,
    /^Memory of a step: about \d+ MiB .*within a factor of 1\.25; largest tensor/m,
  );
  assert.match(text, /^Time: \d+\.\d\d s a step, measured here just now, so \d+:\d\d for all/m);
  await assert.rejects(Deno.lstat("nowhere"));
});

Deno.test("a dry run of what cannot fit says so and tries no step", async () => {
  const found = await look({ preset: "toy-64", training: { shots: 4000 } });
  assert.match(found.memoryProblem ?? "", /^Cannot train on wasm: .*--batch 1 --shots \d+ fits$/);
  assert.equal(found.stepSeconds, undefined);
  assert.ok(dryRunText(found).includes("Cannot train on wasm"));
});

Deno.test("a dry run of a rival counts its networks and claims nothing more", async () => {
  const found = await look({ method: "x2face" });
  assert.ok(Object.values(found.parameters).every((count) => count > 0));
  assert.deepEqual([found.memory, found.stepSeconds], [undefined, undefined]);
  assert.match(dryRunText(found), /^Would train x2face at test-16/);
});
