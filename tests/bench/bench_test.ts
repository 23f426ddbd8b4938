/** The bench as a command: what it prints, how it compares, how it fails. */
import assert from "node:assert/strict";
import { convolutionShapes } from "../../bench/convolutions.ts";
import { measureCurve, parseCurve } from "../../bench/curves.ts";
import { drivePartNames } from "../../bench/drive.ts";
import { ratiosTo, type Report, reportText, timesIn } from "../../bench/report.ts";
import { makeEnv } from "../../pipeline/core/env.ts";
import type { DeviceStep } from "../../pipeline/programs/device_batch.ts";
import { withWasm } from "../backends/wasm/support.ts";
import { processorTime } from "../../pipeline/core/machine.ts";
import { median, seconds, timeOf } from "../../pipeline/core/timing.ts";
import { presets } from "../../models/presets.ts";
import { benchCommand } from "../../pipeline/cli/bench_command.ts";
import type { Parsed } from "../../pipeline/cli/options.ts";

const tiny: Parsed = { preset: "test-16", backend: "wasm", shots: "2", runs: "3", json: true };

const run = async (parsed: Parsed): Promise<Report> => {
  const outcome = await benchCommand.run(parsed);
  if (outcome._tag === "Left") assert.fail(JSON.stringify(outcome.left));
  return outcome.right.json as Report;
};

/** What a step is made of, in words. */
const shapesIn = (made: unknown): string => {
  const { rows, parts: [part] } = made as DeviceStep;
  return `${rows.length} rows, ${part?.sources.shape[0]} sources`;
};

Deno.test("the bench of a tiny preset prints positive medians and compares with a report", async () => {
  const all = "meta-step,frame,embed,convolutions,content,fine-tune,drive";
  const report = await run({ ...tiny, only: all, frames: "5" });
  for (
    const name of ["metaStepSeconds", "frameSeconds", "embedSeconds", "contentSeconds"] as const
  ) {
    const seconds = report[name] ?? NaN;
    assert.ok(seconds > 0 && seconds < 30, `${name}: ${seconds}`);
  }
  assert.ok((report.contentNetworks?.pixels ?? NaN) > 0);
  assert.equal(timesIn(report)["content: pixels"], report.contentNetworks?.pixels);
  const times = timesIn(report);
  for (const count of [1, 8]) {
    const seconds = times[`update of fine-tuning, T = ${count}`] ?? NaN;
    assert.ok(seconds > 0 && seconds === report.fineTuneSeconds?.[count], `T = ${count}`);
  }
  const driven = report.driveSeconds;
  assert.ok(driven);
  for (const part of drivePartNames) {
    assert.ok(driven[part] > 0 && driven[part] === times[`driven frame: ${part}`], part);
  }
  assert.equal(report.driveFramesPerSecond, 1 / driven.whole);
  assert.equal(report.preset, "test-16");
  assert.equal(report.discriminatorSteps, 2);
  assert.match(report.device, /wasm/);
  assert.ok(report.peakBytes > 2 ** 20);
  assert.ok((report.convolutions ?? []).every(({ gflops }) => gflops > 0));
  assert.equal(
    report.convolutions?.length,
    3 * convolutionShapes(presets["test-16"].architecture, 2).length,
  );

  const file = await Deno.makeTempFile({ suffix: ".json" });
  const compare = (baseline: unknown, failAbove: string) =>
    Deno.writeTextFile(file, JSON.stringify(baseline)).then(() =>
      benchCommand.run({ ...tiny, only: "frame", baseline: file, "fail-above": failAbove })
    );
  try {
    const fine = await compare({ frameSeconds: 1000 }, "1");
    assert.equal(fine._tag, "Right");
    const ratio = fine._tag === "Right" ? (fine.right.json as Report).ratios?.frameSeconds : 0;
    assert.ok(ratio !== undefined && ratio > 0 && ratio < 1, `${ratio}`);
    const other = await compare({ frameSeconds: 1, clock: "processor" }, "1");
    assert.ok(other._tag === "Left" && other.left._tag === "Config");
    assert.match(other.left.problems.join(), /by the processor clock, expected --clock processor/);
    const slow = await compare({ frameSeconds: 1e-9 }, "1.5");
    assert.ok(slow._tag === "Left" && slow.left._tag === "Backend");
    assert.match(
      slow.left.message,
      /frameSeconds took .* times the baseline, expected at most 1.5/,
    );
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("cost curves: a point for every value, in the table, and drawn", async () => {
  const folder = await Deno.makeTempDir(), svg = `${folder}/curves.svg`;
  try {
    const curve = ["shots=1,3", "videos=2,50", "preset=test-16"];
    const report = await run({ ...tiny, curve, svg });
    assert.equal(report.metaStepSeconds, undefined);
    const [shots, videos, preset] = report.curves ?? [];
    assert.deepEqual(shots?.points.map(({ at }) => at), [1, 3]);
    assert.deepEqual(videos?.points.map(({ value }) => value), ["2", "50"]);
    assert.deepEqual(preset?.points.map(({ at, value }) => [at, value]), [[16, "test-16"]]);
    const times = timesIn(report), text = reportText(report);
    for (const [name, seconds] of Object.entries(times)) {
      assert.ok(seconds > 0 && text.includes(name), name);
    }
    assert.deepEqual(Object.keys(times), [
      "step at shots = 1",
      "step at shots = 3",
      "step at videos = 2",
      "step at videos = 50",
      "step at preset = test-16",
    ]);
    const picture = await Deno.readTextFile(svg);
    assert.match(picture, /^<svg [^]*K, source frames of a step[^]*videos in W[^]*<\/svg>\n$/);
    assert.equal(picture.match(/<circle/g)?.length, 5);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a step with more source frames, or of more sequences, is a larger step", async () => {
  const seen: string[] = [];
  for (const [axis, value] of [["shots", "4"], ["batch", "3"], ["videos", "9"]] as const) {
    const request = parseCurve(`${axis}=${value}`);
    assert.ok(typeof request !== "string");
    await withWasm(async (backend) => {
      const env = makeEnv({ backend }), run = backend.run;
      const spied = {
        ...backend,
        run: <A>(op: string, f: () => A) =>
          run(op, () => {
            const made = f();
            if (op === "inputs") seen.push(shapesIn(made));
            return made;
          }),
      };
      const effort = { runs: 3, warmUpSeconds: 0, mostSeconds: 0 };
      const base = { preset: "test-16", shots: 2, batch: 1 } as const;
      await measureCurve({ ...env, backend: spied }, base, request, effort);
    });
  }
  assert.deepEqual([...new Set(seen)], [
    "1 rows, 4 sources",
    "3 rows, 6 sources",
    "1 rows, 2 sources",
  ]);
});

Deno.test("the processor's clock stands still while nothing is computed", async () => {
  // In a process of its own: the tests beside this one compute too.
  const machine = new URL("../../pipeline/core/machine.ts", import.meta.url).href;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { processorTime } from "${machine}"; const before = processorTime();
      await new Promise((go) => setTimeout(go, 500)); console.log(processorTime() - before);`,
    ],
  }).output();
  const idle = Number(new TextDecoder().decode(stdout));
  assert.ok(idle >= 0 && idle < 250, `${idle} ms`);
  const busy = await seconds(() => {
    const end = processorTime() + 50;
    while (processorTime() < end);
    return Promise.resolve();
  }, processorTime);
  assert.ok(busy >= 0.05, `${busy}`);
  const report = await run({ ...tiny, only: "frame", clock: "processor" });
  assert.equal(report.clock, "processor");
  assert.match(report.device, /1 thread,/);
});

Deno.test("what cannot be measured is said at once, every problem", async () => {
  const outcome = await benchCommand.run({
    preset: "toy",
    only: "frame,film",
    runs: "-1",
    "fail-above": "1.1",
    curve: ["size=64", "shots=0", "shots=1,two", "preset=toy", "shots=1=2"],
    film: "avi",
    clock: "sun",
  });
  assert.ok(outcome._tag === "Left" && outcome.left._tag === "Config");
  assert.equal(outcome.left.problems.length, 11);
  const picture = await benchCommand.run({ svg: "curves.svg" });
  assert.ok(picture._tag === "Left" && picture.left._tag === "Config");
  assert.match(picture.left.problems.join(), /Cannot draw curves\.svg: there is no --curve/);
});

Deno.test("ratios are ours over theirs, only where both have a time", () => {
  const ours = { metaStepSeconds: 3, frameSeconds: 1, convolutions: [{ name: "a", seconds: 4 }] };
  const theirs = { metaStepSeconds: 2, embedSeconds: 1, convolutions: [{ name: "a", seconds: 2 }] };
  const ratios = ratiosTo(ours as unknown as Report, theirs);
  assert.deepEqual(ratios, { metaStepSeconds: 1.5, a: 2 });
  assert.deepEqual(timesIn(null), {});
  assert.deepEqual(timesIn({ frameSeconds: "fast", convolutions: [null, 3] }), {});
});

Deno.test("the median is of timed runs only, and there are at least three", async () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  let calls = 0;
  const time = await timeOf(() => Promise.resolve(++calls), {
    runs: 9,
    warmUpSeconds: 0,
    mostSeconds: 0,
  });
  assert.deepEqual([calls, time], [5, 4]);
});

Deno.test("a preset's convolutions: E over all shots, D over two frames, G over one", () => {
  const shapes = convolutionShapes(presets["toy-64"].architecture, 8);
  assert.deepEqual(shapes[0], { batch: 8, side: 64, inputs: 32, outputs: 32 });
  assert.ok(shapes.some(({ batch, side, inputs }) => batch === 2 && side === 4 && inputs === 128));
  assert.ok(
    shapes.some(({ batch, side, outputs }) => batch === 1 && side === 64 && outputs === 32),
  );
});
