/** Curves from a log, torn and rolled back, and a picture that holds them. */
import assert from "node:assert/strict";
import { eventLine } from "../../../../pipeline/core/sinks.ts";
import type { TrainEvent } from "../../../../pipeline/core/events.ts";
import { curvesOf, readCurves } from "../../../../pipeline/programs/plot/curves.ts";
import { drawCurves } from "../../../../pipeline/programs/plot/draw.ts";
import { inFolder } from "../../../e2e/support.ts";

const done = (step: number, losses: Record<string, number>): TrainEvent => ({
  _tag: "StepDone",
  step,
  seconds: 1,
  losses,
});

const logOf = (events: readonly TrainEvent[]): string =>
  events.map((event) => eventLine(event, new Date(0))).join("\n");

Deno.test("what came after a checkpoint that training went back to counts no more", () => {
  const log = logOf([
    done(1, { match: 1 }),
    done(2, { match: 2 }),
    { _tag: "Evaluated", step: 2, of: "unseen people", figures: { l1: 0.5 } },
    done(3, { match: NaN }),
    { _tag: "RolledBack", step: 1, reason: "NaN", rollbacks: 1 },
    done(2, { match: 4 }),
  ]);
  assert.deepEqual(curvesOf(`${log}\n{"_tag":"StepDone","step":3,"lo`), {
    training: [{ name: "match", step: 1, value: 1 }, { name: "match", step: 2, value: 4 }],
    unseen: [],
    rollbacks: [1],
  });
});

Deno.test("no log, and a log without a step, are one sentence", () =>
  inFolder(async (folder) => {
    const none = await readCurves(folder)();
    assert.ok(none._tag === "Left");
    assert.match(none.left.message, /events\.jsonl: it does not exist/);
    await Deno.writeTextFile(`${folder}/events.jsonl`, "hello\n");
    const empty = await readCurves(folder)();
    assert.ok(empty._tag === "Left");
    assert.match(empty.left.message, /tells of no step, expected the log of a run/);
  }));

Deno.test("a picture has a diagram a kind of figure, with names, curves and the rollback", () => {
  const names = ["content/pixels", "match", "fakeScore", "generatorGradient", "my own"];
  const training = Array.from(
    { length: 2000 },
    (_, i) => names.map((name, j) => ({ name, step: i + 1, value: 1 + j + Math.sin(i / 50) / 2 })),
  ).flat();
  const unseen = [100, 2000].map((step) => ({ name: "l1", step, value: 1 / step }));
  const picture = drawCurves({ training, unseen, rollbacks: [700] }, "runs/<first> & last");
  assert.ok(picture.startsWith("<svg ") && picture.endsWith("</svg>\n"));
  assert.ok(picture.includes("runs/&#60;first&#62; &#38; last"));
  const titles = ["Content loss", "Norms of gradients", "Other figures", "People never trained on"];
  for (const word of [...titles, ...names, "l1"]) assert.ok(picture.includes(word), word);
  assert.ok(!picture.includes("dead units"), "a diagram of nothing");
  assert.ok(!/NaN|Infinity|undefined/.test(picture));
  assert.ok(picture.length < 400_000, "a long run makes a huge picture");
  const paths = [...picture.matchAll(/ d="(M[^"]+)"/g)].filter(([, d = ""]) => d.length > 1000);
  assert.ok(paths.length >= names.length, "there are no curves");
});
