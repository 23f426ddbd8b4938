/** The area under the ROC curve. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { areaUnderCurve } from "../../../pipeline/metrics/roc.ts";

Deno.test("kinds that do not overlap have 1 or 0, equal ones a half", () => {
  assert.equal(areaUnderCurve([3, 4], [1, 2]), 1);
  assert.equal(areaUnderCurve([1, 2], [3, 4]), 0);
  assert.equal(areaUnderCurve([5, 5], [5]), 0.5);
  assert.ok(Number.isNaN(areaUnderCurve([], [1])));
});

Deno.test("it is the share of pairs that are in order", () =>
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }),
      (above, below) => {
        const pairs = above.flatMap((a) => below.map((b) => a > b ? 1 : a === b ? 0.5 : 0));
        const share = pairs.reduce<number>((sum, x) => sum + x, 0) / pairs.length;
        assert.ok(Math.abs(areaUnderCurve(above, below) - share) < 1e-12);
      },
    ),
  ));
