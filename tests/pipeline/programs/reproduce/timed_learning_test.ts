/** Times of learning, with a clock that says what each piece of work took. */
import assert from "node:assert/strict";
import { RTE } from "../../../../pipeline/core/fp.ts";
import { makeEnv } from "../../../../pipeline/core/env.ts";
import type { Frame, Image } from "../../../../pipeline/core/image.ts";
import { makeImage } from "../../../../pipeline/core/image.ts";
import { owned } from "../../../../pipeline/core/owned.ts";
import type { FewShot, LearntPerson } from "../../../../pipeline/programs/method.ts";
import { timeFrame, timeLearning } from "../../../../pipeline/programs/reproduce/timed_learning.ts";
import { expectRight, onBackend } from "../../../models/support.ts";

const frame: Frame = { image: makeImage(16, 16), landmarks: new Float32Array(136) };
const image: Image = makeImage(16, 16);

/** A method whose learning takes `start` seconds and `update` seconds for each of its updates. */
const pretend = (start: number, update: number, updates?: number) => {
  let now = 0, open = 0;
  const done: number[] = [];
  const learn = (count: number): FewShot["learn"] => () =>
    RTE.fromIO(() => {
      now += 1000 * (start + update * count);
      done.push(count);
      open++;
      return owned<LearntPerson>(
        {
          render: () =>
            RTE.fromIO(() => {
              now += 250;
              return [image];
            }),
        },
        () => open--,
      );
    });
  const fewShot: FewShot = {
    name: "pretended",
    learn: learn(updates ?? 0),
    ...(updates !== undefined && { practice: { updates: () => updates, learn } }),
  };
  return { fewShot, done, now: () => now, open: () => open };
};

Deno.test("quick learning: warm-up is left out, then as often as told", () =>
  onBackend("wasm", async (backend) => {
    const { fewShot, done, now, open } = pretend(0.5, 0);
    const env = makeEnv({ backend, now });
    const timing = await expectRight(
      timeLearning(fewShot, [frame], { iterations: 7, seconds: 60 })(env),
    );
    assert.deepEqual(timing, { seconds: 0.5, iterations: 7, projected: false });
    assert.deepEqual([done.length, open()], [3 + 7, 0]);
    const few = await expectRight(
      timeLearning(fewShot, [frame], { iterations: 100, seconds: 2 })(env),
    );
    assert.deepEqual(few, { seconds: 0.5, iterations: 4, projected: false });
    const frames = await expectRight(
      timeFrame(fewShot, [frame], frame, { iterations: 3, seconds: 60 })(env),
    );
    assert.deepEqual(frames, { seconds: 0.25, iterations: 3, projected: false });
    assert.deepEqual([open(), backend.tensors()], [0, 0]);
  }));

Deno.test("fine-tuning: whole ones while the budget lasts, else projected from short ones", () =>
  onBackend("wasm", async (backend) => {
    const { fewShot, done, now } = pretend(1, 0.25, 40), whole = 1 + 0.25 * 40;
    const env = makeEnv({ backend, now });
    const measured = await expectRight(
      timeLearning(fewShot, [frame], { iterations: 2, seconds: 60 })(env),
    );
    assert.deepEqual(measured, { seconds: whole, iterations: 2, projected: false });
    assert.deepEqual(done, [2, 2, 6, 40, 40]);
    done.length = 0;
    const projected = await expectRight(
      timeLearning(fewShot, [frame], { iterations: 100, seconds: 10 })(env),
    );
    // A pair of short ones takes 1.5 + 2.5 seconds: three of them begin within ten.
    assert.deepEqual(projected, { seconds: whole, iterations: 3, projected: true });
    assert.ok(!done.includes(40));
  }));

Deno.test("a time ends where the run is aborted", () =>
  onBackend("wasm", async (backend) => {
    const { fewShot, now } = pretend(1, 0);
    const stop = new AbortController();
    stop.abort();
    const env = makeEnv({ backend, now, signal: stop.signal });
    const ended = await timeLearning(fewShot, [frame], { iterations: 1, seconds: 1 })(env)();
    assert.equal(ended._tag === "Left" && ended.left._tag, "Aborted");
  }));
