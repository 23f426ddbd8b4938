/** Who cannot be asked is a line in the table: too few frames, one picture, no face in any clip. */
import assert from "node:assert/strict";
import type { Dataset } from "../../../../datasets/dataset.ts";
import { syntheticHeads } from "../../../../datasets/synthetic.ts";
import { lostPeople } from "../../../../datasets/video/lost.ts";
import type { BadSample } from "../../../../pipeline/core/errors.ts";
import { evaluate } from "../../../../pipeline/programs/evaluate.ts";
import { inFolder } from "../../../e2e/support.ts";
import { expectRight, onBackend } from "../../../models/support.ts";
import { envOf } from "../few_shot_support.ts";

Deno.test("whom nobody can answer for is named in the table, in its pages and in its numbers", () =>
  inFolder((out) =>
    onBackend("wasm", async (backend) => {
      const heads = syntheticHeads({ size: 16, identities: 4, videos: 1, framesPerVideo: 8 });
      const [whole] = heads.heldOut;
      assert.ok(whole);
      const dataset: Dataset = {
        ...heads,
        heldOut: [
          whole,
          { identity: "short", video: "v", frames: 6 },
          { identity: "one", video: "picture", frames: 1 },
        ],
        lost: [{ identity: "faceless", problem: "none of 2 clips can be used (no face)" }],
      };
      const { rows, tooShort, unanswered } = await expectRight(
        evaluate({
          ...{ dataset, methods: [], judges: {}, out, settings: {} },
          protocol: { shots: [1, 4], people: 9, frames: 2 },
        })(envOf(backend)),
      );
      // Of "short" there are frames enough for T = 1, and they cannot be read.
      assert.deepEqual(rows.map(({ people, frames }) => [people, frames])[0], [1, 2]);
      assert.deepEqual(
        tooShort.map(({ key, shots, frames }) => [key, shots, frames]).toSorted(),
        [["one/picture", 1, 1], ["one/picture", 4, 1], ["short/v", 4, 6]],
      );
      assert.deepEqual(
        unanswered.map(({ key, shots }) => [key, shots]),
        [["short/v", 1], ["faceless", 1], ["faceless", 4]],
      );
      const text = await Deno.readTextFile(`${out}/table.md`);
      const page = await Deno.readTextFile(`${out}/report.html`);
      for (
        const line of [
          "one/picture: 1 frames, T = 1 needs 4",
          "short/v: 6 frames, T = 4 needs 8",
          "faceless, T = 4: none of 2 clips can be used (no face)",
        ]
      ) {
        assert.ok(text.includes(line), `${line} is not in table.md`);
        assert.ok(page.includes(line), `${line} is not in report.html`);
      }
    })
  ));

const reject = (key: string): BadSample => ({
  _tag: "BadSample",
  key,
  reason: "no face",
  message: `Cannot use ${key}: no face, expected one`,
});

Deno.test("lost people: only those without any sequence, and only on the side that is held out", async () => {
  const sequences = [{ identity: "ada", video: "v", frames: 9 }];
  const rejected = ["ada/v/2", "bob/v/1", "bob/w/1", "eve/v/1"].map(reject);
  assert.deepEqual(await lostPeople(sequences, rejected, 0), []);
  const all = await lostPeople(sequences, rejected, 0.999);
  assert.deepEqual(all.map(({ identity }) => identity), ["bob", "eve"]);
  assert.match(
    all[0]?.problem ?? "",
    /^none of 2 clips can be used \(Cannot use bob\/v\/1: no face/,
  );
  const some = await lostPeople(
    sequences,
    Array.from({ length: 200 }, (_, i) => reject(`p${i}/v/1`)),
    0.25,
  );
  assert.ok(some.length > 25 && some.length < 75, `${some.length}`);
  assert.deepEqual(await lostPeople(sequences, [], 0.5), []);
});
