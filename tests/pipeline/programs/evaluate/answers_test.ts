/** How an evaluation fine-tunes: as the preset says, or as told. */
import assert from "node:assert/strict";
import { owned } from "../../../../pipeline/core/owned.ts";
import { collect } from "../../../../pipeline/core/sinks.ts";
import { fineTuned } from "../../../../pipeline/programs/methods/headshot.ts";
import { methodAnswerers } from "../../../../pipeline/programs/evaluate/answers.ts";
import type { FineTuningWay } from "../../../../pipeline/programs/evaluate/protocol.ts";
import { fineTunings } from "../../../../models/fine_tuning.ts";
import { expectRight, onBackend } from "../../../models/support.ts";
import { envOf, framesOf, untrainedModel } from "../few_shot_support.ts";

Deno.test("an evaluation fine-tunes as its protocol says: so many updates, so many moved copies", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(3), trained = await untrainedModel(env);
    const way = fineTuned(trained, { name: "fine-tuned" });
    using method = owned({ fewShot: [way] as const }, () => {});
    const question = { sources: frames.slice(0, 2), targets: frames.slice(2) };
    const answerWith = async (asked?: FineTuningWay) => {
      const { emit, events } = collect();
      const [answerer] = methodAnswerers([{ label: "ours", trained: method }], asked);
      assert.ok(answerer?.name === "ours, fine-tuned");
      const images = await expectRight(answerer.answer(question)({ ...env, emit }));
      return { images, updates: events.filter(({ _tag }) => _tag === "StepDone").length };
    };
    const updatesWith = async (updates?: number) =>
      (await answerWith(updates === undefined ? undefined : { updates })).updates;
    // Four epochs of two frames in batches of two, and the preset's least of four.
    assert.deepEqual([await updatesWith(), await updatesWith(6), await updatesWith(1)], [4, 6, 4]);
    assert.equal(way.practice?.updates(16, 1), 8);
    // Moved copies are the preset's unless told: another person comes of none, the same of as many.
    const usual = await answerWith(), none = await answerWith({ copies: 0 });
    const asMany = await answerWith({ copies: fineTunings["test-16"].movedCopies });
    assert.deepEqual([none.updates, asMany.updates], [usual.updates, usual.updates]);
    assert.deepEqual(asMany.images, usual.images);
    assert.notDeepEqual(none.images, usual.images);
    assert.equal(backend.tensors(), 0);
  }));
