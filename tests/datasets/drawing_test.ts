import assert from "node:assert/strict";
import { contactSheet, markLandmarks } from "../../datasets/drawing.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";

const pixel = (image: Image, x: number, y: number): readonly number[] => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

Deno.test("drawing: a contact sheet keeps order, size and gaps", () => {
  const colors = [[9, 0, 0], [0, 9, 0], [0, 0, 9], [9, 9, 0], [0, 9, 9]] as const;
  const images = colors.map((color) => makeImage(4, 3, color));
  const sheet = contactSheet(images, 2, { gap: 1, background: [1, 2, 3] });
  assert.deepEqual([sheet.width, sheet.height], [2 * 5 + 1, 3 * 4 + 1]);
  colors.forEach((color, i) => {
    const x = 1 + (i % 2) * 5, y = 1 + Math.floor(i / 2) * 4;
    assert.deepEqual(pixel(sheet, x, y), color);
    assert.deepEqual(pixel(sheet, x + 3, y + 2), color);
    assert.deepEqual(pixel(sheet, x - 1, y), [1, 2, 3]);
    assert.deepEqual(pixel(sheet, x, y + 3), [1, 2, 3]);
  });
  assert.deepEqual(pixel(sheet, 8, 10), [1, 2, 3], "the empty place");
});

Deno.test("drawing: pictures of different sizes, one, none", () => {
  const sheet = contactSheet([makeImage(2, 5, [9, 9, 9]), makeImage(6, 1)], 8);
  assert.deepEqual([sheet.width, sheet.height], [12, 5]);
  assert.deepEqual(pixel(sheet, 3, 0), [255, 255, 255]);
  assert.deepEqual(contactSheet([makeImage(2, 2)], 5), makeImage(2, 2));
  assert.equal(contactSheet([], 3).width, 1);
});

Deno.test("drawing: marks are drawn on a copy, and clipped", () => {
  const image = makeImage(8, 8);
  const marked = markLandmarks(
    image,
    Float32Array.of(4, 4, -20, 3, NaN, 2, 7.9, 7.9),
    [0, 255, 0],
    2,
  );
  assert.ok(image.data.every((v) => v === 0));
  assert.deepEqual([3, 4].map((at) => pixel(marked, at, at)), [[0, 255, 0], [0, 255, 0]]);
  assert.equal(marked.data.filter((v) => v === 255).length, 4 + 1);
});
