import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { LANDMARK_GROUPS, landmarkMap, rasterizeLandmarks } from "../../datasets/rasterize.ts";
import type { Image, Landmarks } from "../../pipeline/core/image.ts";

/** Landmarks of which only those given are finite. */
const only = (points: Readonly<Record<number, readonly [number, number]>>): Landmarks => {
  const landmarks = new Float32Array(136).fill(NaN);
  for (const [i, point] of Object.entries(points)) landmarks.set(point, 2 * Number(i));
  return landmarks;
};

const LETTERS: Readonly<Record<string, string>> = {
  "0,0,0": ".",
  "255,255,255": "W",
  "255,0,0": "R",
  "0,255,0": "G",
  "0,0,255": "B",
  "255,0,255": "M",
  "0,255,255": "C",
  "255,255,0": "Y",
};

const show = (image: Image): string =>
  Array.from({ length: image.height }, (_, y) =>
    Array.from({ length: image.width }, (_, x) => {
      const at = (y * image.width + x) * 3;
      return LETTERS[image.data.subarray(at, at + 3).join()] ?? "?";
    }).join("")).join("\n");

const drawing = (...rows: readonly string[]): string => rows.join("\n");

Deno.test("rasterize: one pixel wide, points rounded, both ends drawn", () => {
  const map = rasterizeLandmarks(only({ 0: [0.4, 0.6], 1: [5.5, 2.4] }), 8);
  assert.equal(
    show(map),
    drawing(
      "........",
      "WWW.....",
      "...WWWW.",
      "........",
      "........",
      "........",
      "........",
      "........",
    ),
  );
});

Deno.test("rasterize: two pixels wide, centred on the point", () => {
  const map = rasterizeLandmarks(only({ 27: [3, 2], 28: [3, 5] }), 8, { thickness: 2 });
  assert.equal(
    show(map),
    drawing(
      "........",
      "..BB....",
      "..BB....",
      "..BB....",
      "..BB....",
      "..BB....",
      "........",
      "........",
    ),
  );
});

Deno.test("rasterize: the thickness is 1 to 128 px, 2 at 256 px, 4 at 512 px", () => {
  for (const [size, expected] of [[16, 1], [64, 1], [128, 1], [256, 2], [512, 4]] as const) {
    const map = rasterizeLandmarks(only({ 0: [8, 0], 1: [8, 15] }), size);
    const row = map.data.subarray(8 * size * 3, 9 * size * 3);
    assert.equal(row.filter((v) => v === 255).length, 3 * expected, `${size} px`);
  }
});

Deno.test("rasterize: groups have the colours of the contract, eyes and lips are closed", () => {
  const square = (first: number, last: number, x: number, y: number) =>
    Object.fromEntries(
      Array.from({ length: last - first + 1 }, (_, i) => {
        const corner = Math.floor(4 * i / (last - first + 1));
        return [first + i, [x + (corner % 3 > 0 ? 2 : 0), y + (corner > 1 ? 2 : 0)]] as const;
      }),
    );
  const line = (first: number, last: number, x: number, y: number) =>
    Object.fromEntries(
      Array.from({ length: last - first + 1 }, (_, i) => [first + i, [x, y + (i > 0 ? 2 : 0)]]),
    ) as Record<number, [number, number]>;
  const map = rasterizeLandmarks(
    only({
      ...line(0, 16, 0, 0),
      ...line(17, 21, 2, 0),
      ...line(22, 26, 4, 0),
      ...line(27, 30, 6, 0),
      ...line(31, 35, 8, 0),
      ...square(36, 41, 0, 4),
      ...square(42, 47, 4, 4),
      ...square(48, 59, 8, 4),
    }),
    11,
  );
  assert.equal(
    show(map),
    drawing(
      "W.R.G.B.B..",
      "W.R.G.B.B..",
      "W.R.G.B.B..",
      "...........",
      "MMM.CCC.YYY",
      "M.M.C.C.Y.Y",
      "MMM.CCC.YYY",
      "...........",
      "...........",
      "...........",
      "...........",
    ),
  );
  assert.ok(LANDMARK_GROUPS.every(({ first, last }) => first < last && last < 60));
});

Deno.test("rasterize: the inner lips are not drawn, later groups cover earlier ones", () => {
  const inner = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [60 + i, [i, i]] as const));
  assert.ok(rasterizeLandmarks(only(inner), 16).data.every((v) => v === 0));
  const crossing = rasterizeLandmarks(
    only({ 0: [0, 2], 1: [4, 2], 36: [2, 0], 37: [2, 4] }),
    5,
  );
  assert.equal(show(crossing), drawing("..M..", "..M..", "WWMWW", "..M..", "..M.."));
});

Deno.test("rasterize: the scale maps landmarks of another size", () => {
  const small = only({ 0: [10, 20], 1: [30, 40], 2: [50, 21] });
  const large = small.map((v) => v * 4);
  assert.deepEqual(
    rasterizeLandmarks(large, 64, { scale: 0.25 }),
    rasterizeLandmarks(small, 64),
  );
});

Deno.test("rasterize: hostile points are clipped without harm, and quickly", () => {
  const coordinate = fc.oneof(
    fc.double({ min: -100, max: 200, noNaN: true }),
    fc.constantFrom(NaN, Infinity, -Infinity, 1e9, -1e9, 3e38, 0, -0),
    fc.double(),
  );
  const started = performance.now();
  fc.assert(
    fc.property(fc.array(coordinate, { minLength: 136, maxLength: 136 }), (values) => {
      const map = rasterizeLandmarks(Float32Array.from(values), 32, { thickness: 2 });
      assert.equal(map.data.length, 32 * 32 * 3);
      assert.ok(map.data.every((v) => v === 0 || v === 255));
    }),
    { numRuns: 300, seed: 4 },
  );
  assert.ok(performance.now() - started < 5000);
});

Deno.test("rasterize: a line that comes from outside is where it would be on a larger picture", () => {
  const inside = rasterizeLandmarks(only({ 0: [32 - 20, 32 + 9], 1: [32 + 70, 32 - 3] }), 96);
  const outside = rasterizeLandmarks(only({ 0: [-20, 9], 1: [70, -3] }), 32);
  for (let y = 0; y < 32; y++) {
    const row = (y + 32) * 96 * 3 + 32 * 3;
    assert.deepEqual(
      outside.data.subarray(y * 96, (y + 1) * 96),
      inside.data.subarray(row, row + 96),
    );
  }
  const far = rasterizeLandmarks(only({ 0: [-1e7, 16], 1: [1e7, 16] }), 32);
  assert.equal(far.data.filter((v) => v === 255).length, 32 * 3);
});

Deno.test("rasterize: as a stage it has the frame's size", async () => {
  const landmarks = only({ 0: [1, 1], 1: [20, 20] });
  const image: Image = { width: 24, height: 24, channels: 3, data: new Uint8Array(24 * 24 * 3) };
  const made = await landmarkMap({ image, landmarks })({})();
  assert.deepEqual(made, { _tag: "Right", right: rasterizeLandmarks(landmarks, 24) });
});
