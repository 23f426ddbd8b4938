/** Grids keep their columns where somebody does not answer, and show whom they are told to. */
import assert from "node:assert/strict";
import type { Dataset } from "../../../../datasets/dataset.ts";
import { decodeImage } from "../../../../datasets/codec.ts";
import { syntheticHeads } from "../../../../datasets/synthetic.ts";
import { RTE } from "../../../../pipeline/core/fp.ts";
import type { Answerer } from "../../../../pipeline/programs/evaluate/answers.ts";
import {
  isShown,
  type Questioning,
  questionPerson,
} from "../../../../pipeline/programs/evaluate/question.ts";
import { openEvaluation } from "../../../../pipeline/programs/evaluate/store.ts";
import { inFolder, namesIn } from "../../../e2e/support.ts";
import { expectRight, onBackend } from "../../../models/support.ts";
import { envOf } from "../few_shot_support.ts";
import { blindJudges } from "./support.ts";

const size = 16, gap = 2;
const dataset: Dataset = syntheticHeads({ size, identities: 4, videos: 1, framesPerVideo: 8 });

const everybody: readonly Answerer[] = [
  { name: "first", answer: ({ targets }) => RTE.right(targets.map(({ image }) => image)) },
  { name: "silent", answer: () => RTE.left({ _tag: "NonFinite", step: 1, where: "a test" }) },
  { name: "last", answer: ({ targets }) => RTE.right(targets.map(({ image }) => image)) },
  {
    name: "ceiling",
    trivial: true,
    answer: ({ targets }) => RTE.right(targets.map(({ image }) => image)),
  },
];

for (const [grid, answers] of [["everybody", 4], ["methods", 3]] as const) {
  Deno.test(`a row of a grid of ${grid} has a place for who does not answer`, () =>
    inFolder((out) =>
      onBackend("wasm", async (backend) => {
        const protocol = { shots: [1], people: 1, frames: 2 };
        const questioning: Questioning = { dataset, protocol, out, grid };
        const [sequence] = dataset.heldOut;
        assert.ok(sequence);
        await expectRight(openEvaluation(out, {}));
        const subject = { key: "a/b", sequence, shots: [1] };
        const results = await expectRight(
          questionPerson(questioning, blindJudges, everybody, subject)(envOf(backend)),
        );
        assert.deepEqual(results.unanswered.map(({ answer }) => answer), ["silent"]);
        const name = (await namesIn(`${out}/people`)).find((each) => each.endsWith("-t1.png"));
        assert.ok(name);
        const row = await expectRight(
          decodeImage(await Deno.readFile(`${out}/people/${name}`), name),
        );
        assert.equal(everybody.filter((each) => isShown(questioning, each)).length, answers);
        assert.equal(row.width, (3 + answers) * (size + gap) + gap);
        const left = gap + 4 * (size + gap), at = 3 * ((gap + 3) * row.width + left + 5);
        assert.deepEqual([...row.data.subarray(at, at + 3)], [128, 128, 128]);
      })
    ));
}
