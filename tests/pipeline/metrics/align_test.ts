/** Alignment for recognisers: the transform, the picture, and that the real frame decides. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { paintSyntheticFrame } from "../../../datasets/synthetic.ts";
import { type Image, makeImage } from "../../../pipeline/core/image.ts";
import {
  faceTemplate112,
  fitSimilarity,
  fivePoints,
  type Similarity,
  warp,
} from "../../../pipeline/metrics/align.ts";

const apply = ({ a, b, dx, dy }: Similarity, points: ArrayLike<number>): number[] =>
  Array.from({ length: points.length / 2 }, (_, i) => {
    const x = points[2 * i] ?? NaN, y = points[2 * i + 1] ?? NaN;
    return [a * x - b * y + dx, b * x + a * y + dy];
  }).flat();

const close = (a: readonly number[], b: readonly number[], tolerance: number): void =>
  a.forEach((x, i) => assert.ok(Math.abs(x - (b[i] ?? NaN)) < tolerance, `${a} is not ${b}`));

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

Deno.test("a similarity is found again from points that it moved", () =>
  fc.assert(
    fc.property(
      number(0.1, 5),
      number(-3, 3),
      number(-100, 100),
      number(-100, 100),
      (scale, angle, dx, dy) => {
        const moved = { a: scale * Math.cos(angle), b: scale * Math.sin(angle), dx, dy };
        const found = fitSimilarity(faceTemplate112, apply(moved, faceTemplate112));
        assert.ok(found);
        close(Object.values(found), Object.values(moved), 1e-6);
      },
    ),
  ));

Deno.test("points that are one, or no numbers, have no similarity", () => {
  assert.equal(fitSimilarity([1, 2, 1, 2], [0, 0, 5, 5]), undefined);
  assert.equal(fitSimilarity([NaN, 2, 1, 2], [0, 0, 5, 5]), undefined);
  assert.equal(fitSimilarity([0, 0, 1, 1], [3, 3, 3, 3]), undefined);
});

const noise = (size: number): Image => {
  const image = makeImage(size, size);
  image.data.forEach((_, i) => image.data[i] = (Math.imul(i + 7, 2654435761) >>> 24) & 255);
  return image;
};

Deno.test("warping: the identity, whole shifts, quarter turns; black beyond the picture", () => {
  const image = noise(9),
    at = (
      picture: Image,
      x: number,
      y: number,
    ) => [...picture.data.subarray((y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3)];
  assert.deepEqual(warp(image, { a: 1, b: 0, dx: 0, dy: 0 }, 9).data, image.data);
  const shifted = warp(image, { a: 1, b: 0, dx: 2, dy: -1 }, 9);
  assert.deepEqual(at(shifted, 5, 3), at(image, 3, 4));
  assert.deepEqual(at(shifted, 1, 3), [0, 0, 0]);
  const turned = warp(image, { a: 0, b: 1, dx: 8, dy: 0 }, 9); // (x, y) goes to (8 − y, x)
  assert.deepEqual(at(turned, 6, 3), at(image, 3, 2));
});

Deno.test("warping to a smaller picture averages", () => {
  const image = makeImage(64, 64);
  image.data.forEach((_, i) => image.data[i] = Math.floor(i / 3) % 2 === 0 ? 0 : 200);
  const small = warp(image, { a: 0.125, b: 0, dx: -0.4375, dy: -0.4375 }, 8);
  small.data.forEach((value) => assert.ok(Math.abs(value - 100) <= 26, `${value}`));
});

Deno.test("eyes, nose and mouth of a face come to their places in 112 pixels", () => {
  for (const size of [64, 128]) {
    const { image, landmarks } = paintSyntheticFrame({
      seed: 1,
      identity: 3,
      video: 0,
      seconds: 0.4,
      size,
    });
    const similarity = fitSimilarity(fivePoints(landmarks), faceTemplate112);
    assert.ok(similarity);
    const moved = apply(similarity, fivePoints(landmarks));
    const errors = moved.map((value, i) => (value - (faceTemplate112[i] ?? NaN)) ** 2);
    assert.ok(Math.sqrt(errors.reduce((a, b) => a + b) / 5) < 12, `${moved}`);
    assert.equal(warp(image, similarity, 112).data.length, 112 * 112 * 3);
  }
});
