/** SSIM and pixel error against SciPy; landmarks, descriptors and intervals against their meaning. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { makeImage } from "../../../pipeline/core/image.ts";
import { bootstrapInterval } from "../../../pipeline/metrics/bootstrap.ts";
import { csim } from "../../../pipeline/metrics/csim.ts";
import { eyeDistance, landmarkError } from "../../../pipeline/metrics/landmarks.ts";
import { meanAbsoluteError } from "../../../pipeline/metrics/pixels.ts";
import { ssim } from "../../../pipeline/metrics/ssim.ts";
import { fill } from "../../models/hashed.ts";
import golden from "./golden.json" with { type: "json" };
import { blend, picture } from "./support.ts";

Deno.test("SSIM and pixel error of 20 pairs equal SciPy's to 1e-6", () => {
  assert.equal(golden.pairs.length, 20);
  golden.pairs.forEach(({ height, width, keep, ...expected }, i) => {
    const a = picture(`ssim/${i}/a`, height, width), other = picture(`ssim/${i}/b`, height, width);
    const b = blend(a, other, keep);
    const found = { ssim: ssim(a, b), meanAbsoluteError: meanAbsoluteError(a, b) };
    for (const key of ["ssim", "meanAbsoluteError"] as const) {
      const difference = Math.abs(found[key] - expected[key]);
      assert.ok(difference < 1e-6, `pair ${i}: ${key} is ${found[key]}, expected ${expected[key]}`);
    }
  });
});

Deno.test("SSIM is 1 for itself, symmetric, and below 1 for another picture", () => {
  const a = picture("one", 20, 24), b = picture("other", 20, 24);
  assert.equal(ssim(a, a), 1);
  assert.ok(Math.abs(ssim(a, b) - ssim(b, a)) < 1e-12);
  assert.ok(ssim(a, b) < 0.5);
});

Deno.test("pictures of other sizes are refused with a sentence", () => {
  const a = makeImage(16, 16), wide = makeImage(32, 8);
  assert.throws(() => ssim(a, wide), /^RangeError: Cannot compute SSIM: .*16×16.*32×8, expected/);
  assert.throws(() => meanAbsoluteError(a, wide), /expected equal sizes/);
  assert.throws(() => ssim(makeImage(10, 30), makeImage(10, 30)), /10×30, expected 11×11/);
});

Deno.test("pixel error is 2 between black and white", () => {
  assert.equal(meanAbsoluteError(makeImage(3, 2), makeImage(3, 2, [255, 255, 255])), 2);
});

const face = Float32Array.from(fill("face", 136), (x) => 100 + 50 * x);

Deno.test("landmark error counts in eye distances of the truth", () => {
  assert.equal(landmarkError(face, face), 0);
  const moved = face.map((value, i) => i % 2 === 0 ? value + 3 : value + 4);
  // Points 36 and 45 are the outer corners of the eyes.
  const [x = NaN, y = NaN] = face.slice(72, 74), [u = NaN, v = NaN] = face.slice(90, 92);
  assert.equal(eyeDistance(face), Math.hypot(x - u, y - v));
  const expected = 5 / Math.hypot(x - u, y - v);
  assert.ok(Math.abs(landmarkError(face, moved) - expected) < 1e-6);
  const twice = face.map((value) => 2 * value), movedTwice = moved.map((value) => 2 * value);
  assert.ok(Math.abs(landmarkError(twice, movedTwice) - expected) < 1e-6, "it depends on scale");
  const onePoint = face.slice();
  onePoint[20] = (onePoint[20] ?? 0) + 68;
  assert.ok(Math.abs(landmarkError(face, onePoint) - 1 / eyeDistance(face)) < 1e-6);
  assert.throws(() => landmarkError(face.subarray(0, 10), face), /expected 68 and 68/);
  assert.throws(() => landmarkError(new Float32Array(136), face), /do not coincide/);
});

Deno.test("CSIM is the cosine: scale does not count, direction does", () => {
  assert.equal(csim([1, 0], [0, 2]), 0);
  assert.equal(csim([1, 0], [-3, 0]), -1);
  assert.ok(Math.abs(csim([1, 1], [1, 0]) - Math.SQRT1_2) < 1e-12);
  assert.equal(csim([0, 0], [1, 0]), 0);
  assert.throws(() => csim([1], [1, 2]), /expected equally many/);
  const vector = fc.array(fc.integer({ min: -50, max: 50 }), {
    minLength: 3,
    maxLength: 3,
  });
  fc.assert(fc.property(vector, vector, fc.double({ min: 0.5, max: 4, noNaN: true }), (a, b, s) => {
    const value = csim(a, b);
    assert.ok(value >= -1 - 1e-12 && value <= 1 + 1e-12);
    assert.ok(Math.abs(csim(a.map((x) => s * x), b) - value) < 1e-9);
  }));
});

const people = new Map(
  Array.from(
    { length: 30 },
    (_, i) => [`id${i}`, [...fill(`person ${i}`, 5)].map((x) => x + i / 30)],
  ),
);

Deno.test("an interval holds the mean, is repeatable and shrinks with more people", () => {
  const a = bootstrapInterval(people, makeRng(1)), b = bootstrapInterval(people, makeRng(1));
  assert.deepEqual(a, b);
  assert.deepEqual(bootstrapInterval(new Map([...people].reverse()), makeRng(1)), a);
  assert.notDeepEqual(bootstrapInterval(people, makeRng(2)), a);
  assert.ok(a.low < a.mean && a.mean < a.high);
  const few = bootstrapInterval(new Map([...people].slice(10, 15)), makeRng(1));
  assert.ok(few.high - few.low > a.high - a.low);
  const narrow = bootstrapInterval(people, makeRng(1), { level: 0.5 });
  assert.ok(narrow.high - narrow.low < a.high - a.low);
  const lower = narrow.mean - narrow.low, upper = narrow.high - narrow.mean;
  assert.ok(lower < 2 * upper && upper < 2 * lower, "as much is cut off at each end");
});

Deno.test("people are drawn, not frames: many copies of a frame say nothing new", () => {
  const once = bootstrapInterval(new Map([["a", [0]], ["b", [1]], ["c", [2]]]), makeRng(3));
  const often = bootstrapInterval(
    new Map([["a", Array(50).fill(0)], ["b", Array(50).fill(1)], ["c", Array(50).fill(2)]]),
    makeRng(3),
  );
  assert.deepEqual(often, once);
  assert.throws(() => bootstrapInterval(new Map([["a", []]]), makeRng(1)), /no values/);
});

Deno.test("nine intervals of ten hold the true mean where they should hold it", () => {
  let held = 0;
  for (let run = 0; run < 200; run++) {
    const draw = makeRng(run).draw();
    const sample = new Map(Array.from({ length: 40 }, (_, i) => [`${i}`, [draw.normal()]]));
    const { low, high } = bootstrapInterval(sample, makeRng(run), { draws: 300, level: 0.9 });
    if (low <= 0 && 0 <= high) held++;
  }
  assert.ok(held > 165 && held < 195, `${held} of 200, expected about 180`);
});
