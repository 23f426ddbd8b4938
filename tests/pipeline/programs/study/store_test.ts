/** What the file of a study does not let anybody write, and what is no study. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { E } from "../../../../pipeline/core/fp.ts";
import { keepPerson, openStudy, sizeOf } from "../../../../pipeline/programs/study/store.ts";
import { addRater, countVotes, keepVote } from "../../../../pipeline/programs/study/votes.ts";
import { inFolder } from "../../../e2e/support.ts";
import { sketchStudy, withStudy } from "./support.ts";

const at = "2026-01-01T00:00:00Z";

Deno.test("one vote a rater and triplet: by the schema, whoever writes", () =>
  inFolder(async (folder) => {
    await sketchStudy(folder);
    await withStudy(folder, ({ database }) => {
      const rater = addRater(database, "secret", at);
      const vote = { rater, triplet: 1, place: 2, slot: 0, seconds: 1.5, at };
      assert.equal(keepVote(database, vote), true);
      assert.equal(keepVote(database, { ...vote, place: 3, slot: 1 }), false);
      const again = database.prepare(
        "INSERT INTO vote (rater, triplet, place, slot, at) VALUES (?, 1, 1, 1, '')",
      );
      assert.throws(() => again.run(rater), /UNIQUE constraint failed: vote.rater, vote.triplet/);
      const kept = database.prepare("SELECT place, slot, seconds FROM vote").all();
      assert.deepEqual(kept.map((row) => ({ ...row })), [{ place: 2, slot: 0, seconds: 1.5 }]);
      assert.equal(countVotes(database, rater), 1);
    });
  }));

Deno.test("no vote of nobody, for nothing, for a fourth picture, of a negative time", () =>
  inFolder(async (folder) => {
    await sketchStudy(folder);
    await withStudy(folder, ({ database }) => {
      const rater = addRater(database, "secret", at);
      const vote = { rater, triplet: 1, place: 1, slot: 0, at };
      for (
        const wrong of [{ rater: 99 }, { triplet: 99 }, { place: 4 }, { place: 0 }, { slot: 3 }, {
          seconds: -1,
        }]
      ) {
        assert.throws(() => keepVote(database, { ...vote, ...wrong }), /constraint failed/);
      }
      assert.throws(() => addRater(database, "secret", at), /UNIQUE constraint failed/);
      assert.equal(countVotes(database), 0);
    });
  }));

Deno.test("a triplet of two videos, or one that is there already, is kept with nothing of its person", () =>
  inFolder(async (folder) => {
    await sketchStudy(folder);
    await withStudy(folder, ({ database }) => {
      const before = sizeOf(database), png = new Uint8Array(4);
      const [a, b, c] = ["a", "b", "c"].map((video) => ({ video, frame: 0, png }));
      assert.ok(a && b && c);
      const triplet = { person: "new", method: "ours", shots: 1, target: 0 };
      const keep = (pictures: readonly [typeof a, typeof a, typeof a], times = 1) => () =>
        keepPerson(database, "new/a", Array(times).fill({ ...triplet, pictures }), []);
      assert.throws(keep([a, b, b]), /UNIQUE constraint failed: picture.triplet, picture.video/);
      assert.throws(keep([a, b, c], 2), /UNIQUE constraint failed: triplet/);
      assert.deepEqual(sizeOf(database), before);
      keep([a, b, c])();
      assert.equal(sizeOf(database).triplets, before.triplets + 1);
    });
  }));

Deno.test("what is no study is told: nothing, noise, another database, a newer format", () =>
  inFolder(async (folder) => {
    const problem = async (): Promise<string> => {
      const opened = await openStudy(folder);
      assert.ok(E.isLeft(opened) && opened.left._tag === "BadFile");
      assert.match(opened.left.message, /^Cannot open the study in .*, expected a folder that/);
      return opened.left.message;
    };
    const file = `${folder}/study.sqlite`;
    assert.match(await problem(), /there is no study\.sqlite/);
    await Deno.mkdir(file);
    assert.match(await problem(), /there is no study\.sqlite/);
    await Deno.remove(file);
    await Deno.writeFile(file, crypto.getRandomValues(new Uint8Array(5000)));
    assert.match(await problem(), /file is not a database/);
    await Deno.remove(file);
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE stamps (price REAL)");
    other.close();
    assert.match(await problem(), /it is another database/);
    await Deno.remove(file);
    await sketchStudy(folder);
    const newer = new DatabaseSync(file);
    newer.exec("PRAGMA user_version = 2");
    newer.close();
    assert.match(await problem(), /its format is 2, and 1 is read/);
  }));
