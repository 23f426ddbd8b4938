/** Shares of yes-or-no answers against published figures and the equation that defines them. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { wilsonInterval } from "../../../pipeline/metrics/binomial.ts";

const z = 1.959963984540054;

Deno.test("Wilson's interval: the examples of Newcombe (1998), table I, method 3", () => {
  const published = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const;
  for (const [hits, trials, low, high] of published) {
    const interval = wilsonInterval(hits, trials);
    assert.equal(interval.mean, hits / trials);
    assert.ok(Math.abs(interval.low - low) < 5e-5, `${hits} of ${trials}: ${interval.low}`);
    assert.ok(Math.abs(interval.high - high) < 5e-5, `${hits} of ${trials}: ${interval.high}`);
  }
});

Deno.test("Wilson's interval: its ends are where the score test turns", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), (trials, n) => {
    const hits = n % (trials + 1), { mean, low, high } = wilsonInterval(hits, trials);
    assert.ok(low >= 0 && low <= mean && mean <= high && high <= 1 && low < high);
    for (const end of [low, high]) {
      if (end === 0 || end === 1) continue;
      const score = (mean - end) ** 2 / (end * (1 - end) / trials);
      assert.ok(Math.abs(score - z * z) < 1e-6, `${hits} of ${trials}: ${score}`);
    }
  }));
});

Deno.test("Wilson's interval: none of nothing, more than all are bugs", () => {
  for (const [hits, trials] of [[0, 0], [2, 1], [-1, 3], [NaN, 3]] as const) {
    assert.throws(() => wilsonInterval(hits, trials), /expected 0 to all/);
  }
});
