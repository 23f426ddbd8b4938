/** Which checkpoints stay. */
import assert from "node:assert/strict";
import { rotateCheckpoints } from "../../../pipeline/programs/checkpoint/store.ts";
import { flipBit, inFolder, namesIn, newRun, patchMeta, rightOf, save } from "./bench.ts";

Deno.test("rotation keeps the last ones and the best", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    const scores = [0.9, 0.3, 0.5, NaN, 0.7, 0.6];
    for (const [i, score] of scores.entries()) await save(run, i + 1, score);
    const removed = rightOf(await rotateCheckpoints(2)(run)({})());
    assert.equal(removed.length, 3);
    assert.deepEqual(namesIn(`${run.path}/checkpoints`), [
      "step-000002",
      "step-000005",
      "step-000006",
    ]);
    assert.deepEqual(rightOf(await rotateCheckpoints(2)(run)({})()), []);
    assert.throws(() => rotateCheckpoints(0), /expected a positive integer/);
  });
});

Deno.test("rotation leaves broken ones alone, and removes nothing unless a kept one is whole", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    const paths: string[] = [];
    for (const step of [1, 2, 3, 4]) paths.push(await save(run, step));
    const [, , third = "", fourth = ""] = paths;
    patchMeta(fourth, { format: 9 }); // of a newer build: does not count, stays
    flipBit(`${third}/weights.safetensors`, -1); // the only one that would be kept
    assert.deepEqual(rightOf(await rotateCheckpoints(1)(run)({})()), []);
    assert.equal(namesIn(`${run.path}/checkpoints`).length, 4);
    await save(run, 5);
    assert.equal(rightOf(await rotateCheckpoints(1)(run)({})()).length, 3);
    assert.deepEqual(namesIn(`${run.path}/checkpoints`), ["step-000004", "step-000005"]);
  });
});
