/** Figures of frames to a table: means, people, order, text. */
import assert from "node:assert/strict";
import { makeRng } from "../../../../pipeline/core/rng.ts";
import {
  type Measured,
  tabulate,
  toCsv,
  toMarkdown,
} from "../../../../pipeline/programs/evaluate/table.ts";

const frame = (ssim: number) => ({ ssim, csim: 0.5, l1: 0.1, landmarkError: 1, undetected: 0 });

const measured: readonly Measured[] = [
  { identity: "a", shots: 8, answer: 'x "y"', frames: [frame(0.1), frame(0.3)] },
  { identity: "b", shots: 8, answer: 'x "y"', frames: [frame(0.8)] },
  { identity: "a", shots: 1, answer: "z", frames: [frame(1)] },
];

Deno.test("a row has the mean over frames, its people and its frames; T rises", () => {
  const rows = tabulate(measured, makeRng(1));
  assert.deepEqual(
    rows.map(({ shots, answer, people, frames }) => [shots, answer, people, frames]),
    [[1, "z", 1, 1], [8, 'x "y"', 2, 3]],
  );
  const { ssim } = rows[1]?.figures ?? assert.fail();
  assert.ok(Math.abs(ssim.mean - 0.4) < 1e-12);
  assert.ok(ssim.low >= 0.1 && ssim.low <= ssim.mean && ssim.high <= 0.8);
});

Deno.test("the order in which people come changes no figure", () => {
  const mean = (rows: ReturnType<typeof tabulate>) =>
    rows.find(({ shots }) => shots === 8)?.figures.ssim;
  const there = mean(tabulate(measured, makeRng(1)));
  const back = mean(tabulate(measured.toReversed(), makeRng(1)));
  assert.ok(there && back);
  for (const end of ["mean", "low", "high"] as const) {
    assert.ok(Math.abs(there[end] - back[end]) < 1e-12, end);
  }
});

Deno.test("Markdown and CSV have a line a row", () => {
  const rows = tabulate(measured, makeRng(1));
  assert.equal(toMarkdown(rows).split("\n").length, 4);
  assert.match(toMarkdown(rows), /\| 8 \| x "y" \| 2 \| 3 \| 0\.400 \[/);
  assert.match(toCsv(rows), /^8,"x ""y""",2,3,0\.4/m);
});
