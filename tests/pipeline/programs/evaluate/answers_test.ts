/** How long fine-tuning is in an evaluation: as the preset says, or at least as told. */
import assert from "node:assert/strict";
import { owned } from "../../../../pipeline/core/owned.ts";
import { collect } from "../../../../pipeline/core/sinks.ts";
import { fineTuned } from "../../../../pipeline/programs/methods/headshot.ts";
import { methodAnswerers } from "../../../../pipeline/programs/evaluate/answers.ts";
import { expectRight, onBackend } from "../../../models/support.ts";
import { envOf, framesOf, untrainedModel } from "../few_shot_support.ts";

Deno.test("an evaluation fine-tunes as often as its protocol says", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(3), trained = await untrainedModel(env);
    const way = fineTuned(trained, { name: "fine-tuned" });
    using method = owned({ fewShot: [way] as const }, () => {});
    const question = { sources: frames.slice(0, 2), targets: frames.slice(2) };
    const updatesWith = async (least?: number): Promise<number> => {
      const { emit, events } = collect();
      const [answerer] = methodAnswerers([{ label: "ours", trained: method }], least);
      assert.ok(answerer?.name === "ours, fine-tuned");
      await expectRight(answerer.answer(question)({ ...env, emit }));
      return events.filter(({ _tag }) => _tag === "StepDone").length;
    };
    // Four epochs of two frames in batches of two, and the preset's least of four.
    assert.deepEqual([await updatesWith(), await updatesWith(6), await updatesWith(1)], [4, 6, 4]);
    assert.equal(way.practice?.updates(16, 1), 8);
    assert.equal(backend.tensors(), 0);
  }));
