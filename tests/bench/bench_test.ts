/** The bench as a command: what it prints, how it compares, how it fails. */
import assert from "node:assert/strict";
import { convolutionShapes } from "../../bench/convolutions.ts";
import { ratiosTo, type Report, timesIn } from "../../bench/report.ts";
import { median, timeOf } from "../../pipeline/core/timing.ts";
import { presets } from "../../models/presets.ts";
import { benchCommand } from "../../pipeline/cli/bench_command.ts";
import type { Parsed } from "../../pipeline/cli/options.ts";

const tiny: Parsed = { preset: "test-16", backend: "wasm", shots: "2", runs: "3", json: true };

const run = async (parsed: Parsed): Promise<Report> => {
  const outcome = await benchCommand.run(parsed);
  if (outcome._tag === "Left") assert.fail(JSON.stringify(outcome.left));
  return outcome.right.json as Report;
};

Deno.test("the bench of a tiny preset prints positive medians and compares with a report", async () => {
  const report = await run({ ...tiny, only: "meta-step,frame,embed,convolutions,content" });
  for (
    const name of ["metaStepSeconds", "frameSeconds", "embedSeconds", "contentSeconds"] as const
  ) {
    const seconds = report[name] ?? NaN;
    assert.ok(seconds > 0 && seconds < 30, `${name}: ${seconds}`);
  }
  assert.ok((report.contentNetworks?.pixels ?? NaN) > 0);
  assert.equal(timesIn(report)["content: pixels"], report.contentNetworks?.pixels);
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

Deno.test("what cannot be measured is said at once, every problem", async () => {
  const outcome = await benchCommand.run({
    preset: "toy",
    only: "frame,film",
    runs: "-1",
    "fail-above": "1.1",
  });
  assert.ok(outcome._tag === "Left" && outcome.left._tag === "Config");
  assert.equal(outcome.left.problems.length, 4);
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
