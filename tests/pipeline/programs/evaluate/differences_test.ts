/** Paired differences: what is compared with what, intervals that rows cannot give. */
import assert from "node:assert/strict";
import { makeRng } from "../../../../pipeline/core/rng.ts";
import {
  differencesOf,
  differencesToMarkdown,
} from "../../../../pipeline/programs/evaluate/differences.ts";
import type { Measured } from "../../../../pipeline/programs/evaluate/table.ts";

const frame = (ssim: number) => ({ ssim, csim: 0.5, l1: 0.1, landmarkError: 1, undetected: 0 });
const learnt = ["Ours, feed-forward", "Ours, fine-tuned", "nearest, copy"];
const people = ["a", "b", "c", "d", "e", "f"];

/** People whose SSIM lies far apart; fine-tuning adds a little to each. */
const measured: readonly Measured[] = people.flatMap((identity, i) => {
  const base = 0.1 + 0.15 * i;
  const of = (answer: string, ...values: readonly number[]): Measured => ({
    ...{ identity, shots: 8, answer, frames: values.map(frame) },
  });
  return [
    of("Ours, feed-forward", base, base + 0.02),
    of("Ours, fine-tuned", base + 0.01 + 0.001 * i, base + 0.03),
    of("nearest, copy", base - 0.05, base - 0.05),
    of("mean training frame", 0, 0),
  ];
});

Deno.test("what is better for everybody has a difference whose interval leaves out 0", () => {
  const found = differencesOf(measured, { learnt }, makeRng(1));
  assert.deepEqual(
    found.map(({ answer, minus, people }) => [answer, minus, people]),
    [
      ["Ours, feed-forward", "nearest, copy", 6],
      ["Ours, fine-tuned", "Ours, feed-forward", 6],
      ["Ours, fine-tuned", "nearest, copy", 6],
    ],
  );
  const { ssim, l1 } = found[1]?.figures ?? assert.fail();
  assert.ok(Math.abs(ssim.mean - 0.01125) < 1e-12, `${ssim.mean}`);
  assert.ok(ssim.low > 0.009 && ssim.high < 0.014, `${ssim.low} ${ssim.high}`);
  assert.deepEqual(l1, { mean: 0, low: 0, high: 0 });
});

Deno.test("who has only one of the two answers is left out and not counted", () => {
  const without = measured.filter(({ identity, answer }) =>
    !(identity === "f" && answer === "nearest, copy")
  );
  const found = differencesOf(without, { learnt }, makeRng(1));
  assert.deepEqual(found.map(({ people }) => people), [5, 6, 5]);
  assert.deepEqual(differencesOf([], { learnt }, makeRng(1)), []);
});

Deno.test("another reference is subtracted where one is named", () => {
  const found = differencesOf(measured, { learnt, references: ["Ours, fine-tuned"] }, makeRng(1));
  assert.deepEqual(found.map(({ answer, minus }) => [answer, minus]), [
    ["Ours, fine-tuned", "Ours, feed-forward"],
    ["nearest, copy", "Ours, fine-tuned"],
  ]);
});

Deno.test("in Markdown a difference has its sign", () => {
  const lines = differencesToMarkdown(differencesOf(measured, { learnt }, makeRng(1))).split("\n");
  assert.equal(lines.length, 5);
  assert.match(lines[3] ?? "", /^\| 8 \| Ours, fine-tuned \| Ours, feed-forward \| 6 \| \+0\.011 /);
});
