/** Figures of frames to a table: means, people, order, text. */
import assert from "node:assert/strict";
import { makeRng } from "../../../../pipeline/core/rng.ts";
import {
  type FrameFigures,
  namesOf,
} from "../../../../pipeline/programs/evaluate/frame_figures.ts";
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

Deno.test("whatever the order of the frames and how many come at a time: the same to 1e-9", () => {
  const draw = makeRng(7).draw();
  const figures = (): FrameFigures => ({
    ...{ ssim: draw.uniform(), csim: 2 * draw.uniform() - 1, l1: draw.uniform() },
    ...{ landmarkError: draw.uniform(), undetected: draw.integer(2), lpips: draw.uniform() },
  });
  const whole = Array.from({ length: 9 }, (_, i): Measured => ({
    ...{ identity: `p${i}`, shots: 8, answer: "x" },
    frames: Array.from({ length: 32 }, figures),
  }));
  const order = <A>(items: readonly A[]): readonly A[] =>
    draw.distinct(items.length, items.length).flatMap((at) => items[at] ?? []);
  const parts = order(whole.flatMap((one) => {
    const frames = order(one.frames), batch = 1 + draw.integer(7);
    return Array.from({ length: Math.ceil(frames.length / batch) }, (_, i): Measured => ({
      ...one,
      frames: frames.slice(i * batch, (i + 1) * batch),
    }));
  }));
  const [a, b] = [whole, parts].map((each) => tabulate(each, makeRng(1))[0]);
  assert.ok(a && b);
  assert.deepEqual([b.people, b.frames], [9, 288]);
  for (const name of namesOf([a])) {
    for (const end of ["mean", "low", "high"] as const) {
      const x: number = a.figures[name]?.[end] ?? NaN;
      const y: number = b.figures[name]?.[end] ?? NaN;
      assert.ok(Math.abs(x - y) <= 1e-9 * Math.abs(x), `${name} ${end}: ${x}, not ${y}`);
    }
  }
});

Deno.test("Markdown and CSV have a line a row", () => {
  const rows = tabulate(measured, makeRng(1));
  assert.equal(toMarkdown(rows).split("\n").length, 4);
  assert.match(toMarkdown(rows), /\| 8 \| x "y" \| 2 \| 3 \| 0\.400 \[/);
  assert.match(toCsv(rows), /^8,"x ""y""",2,3,0\.4/m);
});
