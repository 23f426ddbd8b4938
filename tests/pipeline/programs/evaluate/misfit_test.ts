/** A method whose pictures cannot be compared ends the evaluation in a sentence that names it. */
import assert from "node:assert/strict";
import { syntheticHeads } from "../../../../datasets/synthetic.ts";
import { renderError } from "../../../../pipeline/core/errors.ts";
import { makeImage } from "../../../../pipeline/core/image.ts";
import { E, RTE } from "../../../../pipeline/core/fp.ts";
import type { Answerer } from "../../../../pipeline/programs/evaluate/answers.ts";
import { questionPerson } from "../../../../pipeline/programs/evaluate/question.ts";
import { openEvaluation } from "../../../../pipeline/programs/evaluate/store.ts";
import { inFolder } from "../../../e2e/support.ts";
import { expectRight, onBackend } from "../../../models/support.ts";
import { envOf } from "../few_shot_support.ts";
import { blindJudges } from "./support.ts";

const dataset = syntheticHeads({ size: 16, identities: 4, videos: 1, framesPerVideo: 8 });

const refused = (answer: Answerer["answer"], sentence: string): Promise<void> =>
  inFolder((out) =>
    onBackend("wasm", async (backend) => {
      const protocol = { shots: [1], people: 1, frames: 2 }, [sequence] = dataset.heldOut;
      assert.ok(sequence);
      await expectRight(openEvaluation(out, {}));
      const asked = await questionPerson(
        { dataset, protocol, out },
        blindJudges,
        [{ name: "mine", answer }],
        { key: "a/b", sequence, shots: [1] },
      )(envOf(backend))();
      assert.ok(E.isLeft(asked));
      assert.equal(renderError(asked.left), sentence);
    })
  );

Deno.test("an answer of another size than the frames is refused, and named", () =>
  refused(
    ({ targets }) => RTE.right(targets.map((_, i) => makeImage(i === 0 ? 16 : 8, 16))),
    'Cannot measure "mine": it answers with a picture of 8×16, expected 16×16 as the frames are',
  ));

Deno.test("an answer with a picture too few is refused, and named", () =>
  refused(
    ({ targets }) => RTE.right(targets.slice(1).map(({ image }) => image)),
    'Cannot measure "mine": it answers with pictures of 1 frames, expected 2',
  ));
