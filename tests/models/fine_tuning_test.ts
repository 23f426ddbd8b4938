/** How long fine-tuning is, and how a batch is cut into parts. */
import assert from "node:assert/strict";
import {
  copiesOfEach,
  exactUpdates,
  type FineTuning,
  fineTunings,
  fineTuningSteps,
  leastUpdates,
  partsOf,
} from "../../models/fine_tuning.ts";

Deno.test("parts of a batch have one size, as large as may be", () => {
  const sizes = (frames: number, together: number) =>
    partsOf(Array.from({ length: frames }, (_, i) => i), { together }).map((part) => part.length);
  assert.deepEqual([sizes(8, 2), sizes(6, 4), sizes(5, 4), sizes(3, 8)], [
    [2, 2, 2, 2],
    [3, 3],
    [1, 1, 1, 1, 1],
    [3],
  ]);
  assert.deepEqual(partsOf(["a", "b", "c", "d"], { together: 2 }), [["a", "b"], ["c", "d"]]);
});

Deno.test("few photos have many copies each, many have few; in the paper's preset none has any", () => {
  const copies = (settings: FineTuning) => [1, 2, 7, 8, 32].map((t) => copiesOfEach(settings, t));
  assert.deepEqual(copies(fineTunings["toy-64"]), [60, 30, 9, 8, 2]);
  assert.deepEqual(copies(fineTunings["paper-256"]), [0, 0, 0, 0, 0]);
});

Deno.test("each photo is seen as often as told, and few photos more often", () => {
  const paper = { ...fineTunings["paper-256"], epochs: 40, batch: 8, leastSteps: 40 };
  assert.deepEqual([1, 8, 9, 32].map((t) => fineTuningSteps(paper, t)), [40, 40, 45, 160]);
  assert.equal(fineTuningSteps({ ...paper, leastSteps: 100 }, 8), 100);
  const small = { ...paper, leastSteps: 240 };
  assert.deepEqual([1, 8, 32, 64].map((t) => fineTuningSteps(small, t)), [240, 240, 240, 320]);
  assert.deepEqual(
    [1, 8, 32].map((t) => fineTuningSteps({ ...small, ...leastUpdates(50) }, t)),
    [50, 50, 160],
  );
  assert.deepEqual([1, 32].map((t) => fineTuningSteps({ ...small, ...exactUpdates(7) }, t)), [
    7,
    7,
  ]);
});
