/** What is counted in a study, against figures known beforehand. */
import assert from "node:assert/strict";
import { E } from "../../../../pipeline/core/fp.ts";
import {
  countStudy,
  reportStudy,
  studyMarkdown,
} from "../../../../pipeline/programs/study/report.ts";
import { addRater, keepVote } from "../../../../pipeline/programs/study/votes.ts";
import { inFolder } from "../../../e2e/support.ts";
import { expectRight } from "../../../models/support.ts";
import { sketchStudy, withStudy } from "./support.ts";

const at = "2026-01-01T00:00:00Z";

Deno.test("report: accuracy of each method and T, its interval, who rated, who is not shown", () =>
  inFolder(async (folder) => {
    // 29 people: a triplet each of two methods.
    await sketchStudy(folder, { people: 29, targets: 1, methods: ["good", "bad", "unseen"] });
    await withStudy(folder, (study) => {
      const { database } = study;
      const idsOf = (method: string): readonly number[] =>
        database.prepare("SELECT id FROM triplet WHERE method = ? ORDER BY id").all(method)
          .map(({ id }) => Number(id));
      const [ada, bob] = [addRater(database, "a", at), addRater(database, "b", at)];
      assert.ok(ada && bob);
      addRater(database, "nobody", at);
      // Newcombe (1998): 1 of 29 is in [0.0061, 0.1718].
      idsOf("good").forEach((triplet, i) =>
        keepVote(database, { rater: ada, triplet, place: 1, slot: i === 0 ? 0 : 2, seconds: i, at })
      );
      // 20 of 20 is in [0.8389, 1], the mirror of 0 of 20 in [0, 0.1611].
      idsOf("bad").slice(0, 20).forEach((triplet, i) =>
        keepVote(database, { rater: i < 10 ? ada : bob, triplet, place: 3, slot: 0, at })
      );
      const report = countStudy(study), [good, bad, unseen] = report.rows;
      assert.ok(good?.accuracy && bad?.accuracy && unseen);
      const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 5e-5, `${a} ${b}`);
      near(good.accuracy.low, 0.0061);
      near(good.accuracy.high, 0.1718);
      near(bad.accuracy.low, 0.8389);
      assert.equal(bad.accuracy.high, 1);
      assert.deepEqual([good.found, good.votes, good.raters, good.people], [1, 29, 1, 29]);
      assert.deepEqual([bad.found, bad.votes, bad.raters, bad.triplets], [20, 20, 2, 29]);
      assert.deepEqual([good.chance, bad.chance], ["below", "above"]);
      assert.deepEqual([unseen.votes, unseen.accuracy, unseen.chance], [0, null, null]);
      assert.deepEqual(report.raters, { begun: 3, voted: 2, finished: 0 });
      assert.deepEqual([report.votes, report.places, report.medianSeconds], [49, [29, 0, 20], 14]);
      assert.deepEqual(report.excluded, [
        { person: "lonely", reason: "fewer than three videos", detail: "2 of 3 videos" },
      ]);
    });
  }));

Deno.test("report: many votes about few people are less sure than they look", () =>
  inFolder(async (folder) => {
    await sketchStudy(folder, { people: 3, targets: 1 });
    await withStudy(folder, (study) => {
      // Everybody finds the first person's fake, nobody the others': one person in three.
      for (let i = 0; i < 100; i++) {
        const rater = addRater(study.database, `${i}`, at);
        study.facts.triplets.forEach(({ id: triplet }, k) =>
          keepVote(study.database, { rater, triplet, place: 1, slot: k === 0 ? 0 : 1, at })
        );
      }
      const [row] = countStudy(study).rows;
      assert.ok(row?.accuracy && row.overPeople);
      assert.deepEqual([row.accuracy.mean, row.overPeople.mean], [1 / 3, 1 / 3]);
      assert.ok(row.accuracy.high - row.accuracy.low < 0.12);
      assert.deepEqual([row.overPeople.low, row.overPeople.high], [0, 1]);
    });
  }));

Deno.test("report: one third of answers is within chance; it is told in Markdown and in files", () =>
  inFolder(async (folder) => {
    await sketchStudy(folder, { people: 10, targets: 3 });
    await withStudy(folder, ({ database, facts }) => {
      const rater = addRater(database, "a", at);
      facts.triplets.forEach(({ id: triplet }, i) =>
        keepVote(database, { rater, triplet, place: i % 3 + 1, slot: i % 3, at })
      );
    });
    const report = await expectRight(reportStudy(folder)), [row] = report.rows;
    assert.ok(row);
    assert.deepEqual([row.chance, row.accuracy?.mean], ["within", 1 / 3]);
    assert.equal(report.raters.finished, 1);
    const text = studyMarkdown(report);
    assert.match(
      text,
      /\| 8 \| ours, feed-forward \| 10 \| 30 \| 1 \| 10 \| 0\.333 \| \[0\.192, 0\.512\] \| \[/,
    );
    assert.match(text, /Excluded: 1 person: fewer than three videos\./);
    assert.equal(await Deno.readTextFile(`${folder}/report.md`), `${text}\n`);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${folder}/report.json`)), report);
    const missing = await reportStudy(`${folder}/none`)();
    assert.ok(E.isLeft(missing) && missing.left._tag === "BadFile");
  }));

Deno.test("report: what a rater finds out is that rater's: orders of two raters differ, keys agree", () =>
  inFolder(async (folder) => {
    await sketchStudy(folder, { people: 1, targets: 1 });
    await withStudy(folder, (study) => {
      const { database } = study;
      const raters = ["a", "b", "c"].map((token) => addRater(database, token, at));
      raters.forEach((rater, i) =>
        keepVote(database, { rater, triplet: 1, place: 1, slot: i, at })
      );
      const [row] = countStudy(study).rows;
      assert.deepEqual([row?.found, row?.votes, row?.raters], [1, 3, 3]);
    });
  }));
