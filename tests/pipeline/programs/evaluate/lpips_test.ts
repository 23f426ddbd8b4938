/** LPIPS is a column where its weights are given, and nowhere else. */
import assert from "node:assert/strict";
import { syntheticHeads } from "../../../../datasets/synthetic.ts";
import { E, RTE } from "../../../../pipeline/core/fp.ts";
import { makeRng } from "../../../../pipeline/core/rng.ts";
import type { PerceptualDistance } from "../../../../pipeline/metrics/lpips.ts";
import { meanAbsoluteError } from "../../../../pipeline/metrics/pixels.ts";
import type { Answerer } from "../../../../pipeline/programs/evaluate/answers.ts";
import {
  differencesOf,
  differencesToMarkdown,
} from "../../../../pipeline/programs/evaluate/differences.ts";
import {
  type Judges,
  judgesProblem,
  judgesText,
} from "../../../../pipeline/programs/evaluate/judges.ts";
import { questionPerson } from "../../../../pipeline/programs/evaluate/question.ts";
import { toHtml } from "../../../../pipeline/programs/evaluate/report.ts";
import { openEvaluation, readPerson } from "../../../../pipeline/programs/evaluate/store.ts";
import { tabulate, toCsv, toMarkdown } from "../../../../pipeline/programs/evaluate/table.ts";
import { inFolder } from "../../../e2e/support.ts";
import { expectRight, onBackend } from "../../../models/support.ts";
import { envOf } from "../few_shot_support.ts";
import { blindJudges } from "./support.ts";

const dataset = syntheticHeads({ size: 16, identities: 4, videos: 1, framesPerVideo: 8 });

/** A distance that is known without a network: ten times the pixel error. */
const lpips: PerceptualDistance = {
  name: "LPIPS (a test)",
  leastSide: 12,
  distances: (made, real) => () =>
    Promise.resolve(
      E.right(made.map((image, i) => 10 * meanAbsoluteError(image, real[i] ?? image))),
    ),
  dispose: () => {},
};

const everybody: readonly Answerer[] = [
  { name: "a copy", answer: ({ targets }) => RTE.right(targets.map(({ image }) => image)) },
  {
    name: "nearest, copy",
    answer: ({ sources, targets }) => RTE.right(targets.flatMap(() => sources[0]?.image ?? [])),
  },
];

const tableOf = async (out: string, judges: Judges) => {
  let measured: Awaited<ReturnType<typeof readPerson>>;
  await onBackend("wasm", async (backend) => {
    const [sequence] = dataset.heldOut;
    assert.ok(sequence);
    await expectRight(openEvaluation(out, {}));
    const subject = { key: "a/b", sequence, shots: [1] };
    const questioning = { dataset, protocol: { shots: [1], people: 1, frames: 3 }, out };
    await expectRight(questionPerson(questioning, judges, everybody, subject)(envOf(backend)));
    measured = await readPerson(out, "a/b");
  });
  assert.ok(measured, "what was written cannot be read back");
  const rows = tabulate(measured.measured, makeRng(1));
  const differences = differencesOf(measured.measured, { learnt: ["a copy"] }, makeRng(1));
  const more = { columns: [], grids: [], tooShort: [], unanswered: [] };
  return {
    rows,
    differences,
    texts: [
      toMarkdown(rows),
      toCsv(rows),
      differencesToMarkdown(differences),
      toHtml({ about: "", rows, differences, ...more }),
    ],
  };
};

Deno.test("where LPIPS is given it is a column with its interval, in every form of the table", () =>
  inFolder(async (folder) => {
    const { rows, differences, texts } = await tableOf(`${folder}/with`, { ...blindJudges, lpips });
    assert.deepEqual(rows.map(({ people, frames }) => [people, frames]), [[1, 3], [1, 3]]);
    assert.deepEqual(rows[0]?.figures.lpips, { mean: 0, low: 0, high: 0 });
    const { lpips: found, l1 } = rows[1]?.figures ?? assert.fail();
    assert.ok(found && Math.abs(found.mean - 10 * l1.mean) < 1e-9 && found.mean > 0);
    assert.ok(Math.abs((differences[0]?.figures.lpips?.mean ?? NaN) + found.mean) < 1e-9);
    for (const text of texts) assert.match(text, /lpips/i);
    assert.match(texts[1] ?? "", /undetected_high,lpips,lpips_low,lpips_high,frechet,frechet_low,/);
    assert.match(judgesText({ ...blindJudges, lpips }), /^ Judged by .*LPIPS \(a test\)\.$/);
    assert.equal(judgesProblem({ ...blindJudges, lpips }, 12), undefined);
    const problem = judgesProblem({ ...blindJudges, lpips }, 11)?.problems[0] ?? "";
    assert.match(problem, /are 11×11, expected at least 12×12$/);
  }));

Deno.test("where LPIPS is not given, nothing speaks of it", () =>
  inFolder(async (folder) => {
    const { rows, differences, texts } = await tableOf(`${folder}/without`, blindJudges);
    for (const { figures } of [...rows, ...differences]) assert.ok(!("lpips" in figures));
    for (const text of texts) assert.doesNotMatch(text, /lpips/i);
    assert.equal(judgesText(blindJudges), "");
  }));
