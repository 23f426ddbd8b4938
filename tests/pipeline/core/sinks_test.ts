import assert from "node:assert/strict";
import type { TrainEvent } from "../../../pipeline/core/events.ts";
import { collect, fanOut, jsonLines } from "../../../pipeline/core/sinks.ts";

const stepDone = (step: number, loss = 0.5): TrainEvent => ({
  _tag: "StepDone",
  step,
  seconds: 1,
  losses: { g: loss },
});

const inFolder = async (use: (folder: string) => void | Promise<void>): Promise<void> => {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

const lines = (path: string): readonly unknown[] =>
  Deno.readTextFileSync(path).split("\n").filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));

Deno.test("events reach every sink in order", () => {
  const a = collect(), b = collect();
  const emit = fanOut(a.emit, b.emit);
  emit(stepDone(1));
  emit(stepDone(2));
  assert.deepEqual(a.events, [stepDone(1), stepDone(2)]);
  assert.deepEqual(b.events, a.events);
});

Deno.test("a file of JSON lines: one event a line with its time, appended, at once", async () => {
  await inFolder((folder) => {
    const path = `${folder}/events.jsonl`;
    for (const step of [1, 2]) {
      using sink = jsonLines(path, assert.fail, () => 86_400_000 * step);
      sink.emit(stepDone(step, step === 1 ? 0.5 : NaN));
      assert.equal(lines(path).length, step); // before it is closed
    }
    assert.deepEqual(lines(path), [
      { time: "1970-01-02T00:00:00.000Z", ...stepDone(1) },
      { time: "1970-01-03T00:00:00.000Z", ...stepDone(2), losses: { g: "NaN" } },
    ]);
  });
});

Deno.test("a line torn by a kill is ended before the next one", async () => {
  await inFolder((folder) => {
    const path = `${folder}/events.jsonl`;
    Deno.writeTextFileSync(path, '{"time":"x"}\n{"time":"1970-01');
    using sink = jsonLines(path, assert.fail);
    sink.emit(stepDone(3));
    sink.emit(stepDone(4));
    const all = Deno.readTextFileSync(path).split("\n");
    assert.equal(all.length, 5);
    assert.match(all[2] ?? "", /"step":3/);
    assert.match(all[3] ?? "", /"step":4/);
  });
});

const hasFull = Deno.build.os === "linux";
Deno.test({
  name: `a full disk is warned of once and the run goes on${hasFull ? "" : " (needs /dev/full)"}`,
  ignore: !hasFull,
  fn: () => {
    const warnings: string[] = [];
    using sink = jsonLines("/dev/full", (message) => warnings.push(message));
    for (let step = 0; step < 5; step++) sink.emit(stepDone(step));
    assert.deepEqual(warnings, [
      "Cannot write /dev/full: the disk is full, the run goes on without these events",
    ]);
  },
});

Deno.test("a file that cannot be opened is warned of once and the run goes on", async () => {
  await inFolder((folder) => {
    const warnings: string[] = [];
    using sink = jsonLines(folder, (message) => warnings.push(message));
    sink.emit(stepDone(1));
    sink.emit(stepDone(2));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^Cannot write .*: it is a folder/);
  });
});
