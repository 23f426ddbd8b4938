/** What ends a stream early, and what is skipped. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E, F, RTE } from "../../../pipeline/core/fp.ts";
import type { BadSample } from "../../../pipeline/core/errors.ts";
import type { TrainEvent } from "../../../pipeline/core/events.ts";
import {
  runCollect,
  runFold,
  runForEach,
  skipBadSamples,
  through,
} from "../../../pipeline/core/flow.ts";
import type { Stage } from "../../../pipeline/core/stage.ts";
import { calm, watched } from "./watched.ts";

const bad = (key: string, reason: BadSample["reason"] = "no face"): BadSample => ({
  _tag: "BadSample",
  key,
  reason,
  message: "invented",
});

Deno.test("runFold stops at the first failure and always closes its source", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom("step", "source"),
      async (n, who) => {
        const { flow, seen } = watched();
        const source = who === "source"
          ? through((i: number) => i === n ? RTE.left("source") : RTE.right(i))(flow)
          : flow;
        const sum = runFold(
          0,
          (s: number, i: number) => i === n ? RTE.left("step") : RTE.right(s + i),
        );
        assert.deepEqual(await F.pipe(source, sum)(calm)(), E.left(who));
        assert.deepEqual(seen, { pulled: n + 1, closed: 1 });
      },
    ),
  );
});

Deno.test("runFold looks at the signal between elements: before the first, and after each", async () => {
  const { flow, seen } = watched();
  const controller = new AbortController();
  const done: number[] = [];
  const work = runForEach((i: number) =>
    RTE.fromIO(() => {
      done.push(i);
      if (i === 2) {
        controller.abort({ _tag: "Aborted", reason: "SIGINT was received", signal: "SIGINT" });
      }
    })
  );
  const stopped = E.left({ _tag: "Aborted", reason: "SIGINT was received", signal: "SIGINT" });
  assert.deepEqual(await F.pipe(flow, work)({ signal: controller.signal })(), stopped);
  assert.deepEqual(done, [0, 1, 2]); // the step under way was finished
  assert.equal(seen.closed, 1);
  assert.deepEqual(await F.pipe(flow, work)({ signal: controller.signal })(), stopped);
  assert.deepEqual(done, [0, 1, 2]);
});

const everyThirdBad: Stage<unknown, BadSample, number, number> = (i) =>
  i % 3 === 2 ? RTE.left(bad(`clip ${i}`, i % 2 ? "no face" : "too short")) : RTE.right(i);

Deno.test("bad samples are skipped and told, up to the allowed number", async () => {
  const events: TrainEvent[] = [];
  const env = { ...calm, emit: (event: TrainEvent) => void events.push(event) };
  const flow = F.pipe(watched(9).flow, through(everyThirdBad), skipBadSamples(3), runCollect);
  assert.deepEqual(await flow(env)(), E.right([0, 1, 3, 4, 6, 7]));
  assert.deepEqual(
    events.map((event) => event._tag === "SampleSkipped" ? event.error.key : event._tag),
    ["clip 2", "clip 5", "clip 8"],
  );
});

Deno.test("one bad sample too many ends the stream with the reasons, and closes it", async () => {
  const { flow, seen } = watched();
  const env = { ...calm, emit: () => {} };
  const all = F.pipe(
    flow,
    through(everyThirdBad),
    skipBadSamples(4, "the folder clips"),
    runCollect,
  );
  const result = await all(env)();
  assert.ok(E.isLeft(result) && result.left._tag === "Data");
  assert.equal(
    result.left.message,
    "Cannot go on with the folder clips: 5 samples are bad (too short 3, no face 2; the last: " +
      "clip 14, invented), expected at most 4",
  );
  assert.deepEqual(seen, { pulled: 15, closed: 1 });
});

Deno.test("skipBadSamples lets other failures through", async () => {
  const lost: Stage<unknown, BadSample | { readonly _tag: "Odd" }, number, number> = (i) =>
    RTE.left(i === 0 ? bad("a") : { _tag: "Odd" });
  const flow = F.pipe(watched().flow, through(lost), skipBadSamples(9), runCollect);
  assert.deepEqual(await flow({ ...calm, emit: () => {} })(), E.left({ _tag: "Odd" }));
});
