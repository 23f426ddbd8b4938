/** Intervals of figures of whole sets. */
import assert from "node:assert/strict";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { bootstrapInterval } from "../../../pipeline/metrics/bootstrap.ts";
import { kernelDistance } from "../../../pipeline/metrics/frechet.ts";
import { leaveOutInterval } from "../../../pipeline/metrics/leave_out.ts";

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;

Deno.test("for a mean it is the bootstrap of the mean: pseudo-values are the values", () => {
  const draw = makeRng(3).draw();
  const people = new Map(Array.from({ length: 12 }, (_, i) => [`p${10 + i}`, draw.normal()]));
  const expected = bootstrapInterval(
    new Map([...people.values()].map((value, i) => [String(i), [value]])),
    makeRng(1),
  );
  const found = leaveOutInterval(people, mean, makeRng(1));
  for (const end of ["mean", "low", "high"] as const) {
    assert.ok(Math.abs((found?.[end] ?? NaN) - expected[end]) < 1e-12, end);
  }
  const shuffled = new Map([...people].reverse());
  assert.deepEqual(leaveOutInterval(shuffled, mean, makeRng(1)), found);
});

Deno.test("the interval of a distance between equal distributions holds 0 as often as it should", () => {
  let held = 0;
  const trials = 60;
  for (let trial = 0; trial < trials; trial++) {
    const draw = makeRng(trial).draw();
    const vectors = () =>
      Array.from({ length: 3 }, () => Float64Array.from({ length: 4 }, () => draw.normal()));
    const people = new Map(
      Array.from({ length: 15 }, (_, i) => [String(i), { made: vectors(), real: vectors() }]),
    );
    const found = leaveOutInterval(
      people,
      (left) => kernelDistance(left.flatMap(({ made }) => made), left.flatMap(({ real }) => real)),
      makeRng(trial),
    );
    assert.ok(found && found.low < found.mean && found.mean < found.high);
    if (found.low <= 0 && found.high >= 0) held++;
  }
  // 95 % is what is asked for; a percentile bootstrap of fifteen people gives a little less.
  assert.ok(held / trials >= 0.8, `${held} of ${trials}`);
});

Deno.test("as often as asked, and without width where nobody can be left out", () => {
  const people = new Map(Array.from({ length: 9 }, (_, i) => [String(i), i]));
  let calls = 0;
  const counted = (values: readonly number[]): number | undefined => {
    calls++;
    return mean(values);
  };
  leaveOutInterval(people, counted, makeRng(1), { groups: 3 });
  assert.equal(calls, 4);
  assert.deepEqual(leaveOutInterval(new Map([["a", 5]]), mean, makeRng(1)), {
    mean: 5,
    low: 5,
    high: 5,
  });
  assert.equal(leaveOutInterval(new Map<string, number>(), mean, makeRng(1)), undefined);
});
