import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { type Landmarks, makeImage } from "../../pipeline/core/image.ts";
import { resample } from "../../pipeline/core/resample.ts";
import {
  cropFrame,
  cropSquare,
  faceCentre,
  faceSide,
  fromCrop,
  median,
  steadyFrames,
  toCrop,
} from "../../datasets/crop.ts";
import {
  fromUprightView,
  plausible,
  rollOf,
  squareAround,
  uprightView,
} from "../../datasets/video/turned.ts";
import { splitIdentities } from "../../datasets/video/split.ts";

/** Landmarks that fill a box: the corners first, the rest along its diagonal. */
const boxed = (x: number, y: number, width: number, height: number): Landmarks => {
  const points = Float32Array.from({ length: 136 }, (_, i) => {
    const part = Math.floor(i / 2) / 67;
    return i % 2 === 0 ? x + part * width : y + part * height;
  });
  return points;
};

const number = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true });

const near = (a: ArrayLike<number>, b: ArrayLike<number>, by: number): void => {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) {
    assert(Math.abs(a[i]! - b[i]!) <= by, `${i}: ${a[i]}, ${b[i]}`);
  }
};

Deno.test("crop: the square of one face, by hand", () => {
  // 60 wide, 48 high: side 2 × 60, centre (130, 74), up by 10.
  assert.deepEqual(cropSquare([boxed(100, 50, 60, 48)]), { x: 70, y: 4, side: 120 });
  assert.equal(faceSide(boxed(100, 50, 60, 48)), 60);
  assert.deepEqual(faceCentre(boxed(100, 50, 60, 48)), [130, 74]);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert(Number.isNaN(median([])));
});

Deno.test("crop: a face that moves far gets a square that holds all of it", () => {
  const moving = [0, 50, 100].map((x) => boxed(x, 20, 60, 60));
  const square = cropSquare(moving);
  near([square.side], [1.15 * 160], 1e-4);
  near([square.x, square.y], [80 - 92, 50 - 92 - 10], 1e-4);
});

Deno.test("crop: every landmark lies inside, whatever the movement", () =>
  fc.assert(fc.property(
    fc.array(
      fc.tuple(number(-300, 300), number(-300, 300), number(10, 200), number(10, 200)),
      { minLength: 1, maxLength: 8 },
    ),
    (boxes) => {
      const tracks = boxes.map(([x, y, w, h]) => boxed(x, y, w, h));
      const square = cropSquare(tracks);
      for (const track of tracks) {
        for (const v of toCrop(track, square, 64)) assert(v >= -0.01 && v <= 64.01, `${v}`);
      }
    },
  )));

Deno.test("crop: landmarks of the crop lead back to the picture", () =>
  fc.assert(fc.property(
    number(-100, 100),
    number(-100, 100),
    number(5, 500),
    fc.constantFrom(16, 64, 256),
    (x, y, side, size) => {
      const landmarks = boxed(30, 40, 50, 60), square = { x, y, side };
      near(fromCrop(toCrop(landmarks, square, size), square, size), landmarks, 0.01);
    },
  )));

Deno.test("crop: at scale 1 on whole pixels the crop is the picture, outside its edge repeats", () => {
  const picture = makeImage(16, 12);
  crypto.getRandomValues(picture.data);
  const { image, landmarks } = cropFrame(picture, boxed(4, 4, 4, 4), { x: -3, y: 2, side: 16 }, 16);
  for (let y = 0; y < 16; y++) {
    for (let x = 0; x < 16; x++) {
      const fromX = Math.min(15, Math.max(0, x - 3)), fromY = Math.min(11, y + 2);
      const from = (fromY * 16 + fromX) * 3, to = (y * 16 + x) * 3;
      assert.deepEqual(image.data.slice(to, to + 3), picture.data.slice(from, from + 3));
    }
  }
  near(landmarks, boxed(7, 2, 4, 4), 1e-4);
});

Deno.test("crop: a mark in the picture stays under its landmark", () => {
  const picture = makeImage(200, 160);
  const [markX, markY] = [120, 70]; // the middle of 6 × 6 bright pixels
  for (let y = markY - 3; y < markY + 3; y++) {
    picture.data.fill(255, (y * 200 + markX - 3) * 3, (y * 200 + markX + 3) * 3);
  }
  const landmarks = boxed(markX, markY, 0, 0);
  for (const side of [40, 97.3, 180]) {
    const square = { x: 61.4, y: 13.7, side };
    const { image, landmarks: [x = 0, y = 0] } = cropFrame(picture, landmarks, square, 64);
    let sum = 0, sumX = 0, sumY = 0;
    image.data.forEach((value, i) => {
      const pixel = Math.floor(i / 3);
      sum += value;
      sumX += value * (pixel % 64 + 0.5);
      sumY += value * (Math.floor(pixel / 64) + 0.5);
    });
    if (x < 60 && y < 60) near([sumX / sum, sumY / sum], [x, y], 0.1);
  }
});

Deno.test("resample: shrinking averages, so that a fine pattern becomes grey and not noise", () => {
  const picture = makeImage(64, 64);
  for (let i = 0; i < 64 * 64; i++) {
    picture.data.fill((i + (i >> 6)) % 2 === 0 ? 255 : 0, 3 * i, 3 * i + 3);
  }
  const { data } = resample(picture, { x: 0, y: 0, width: 64, height: 64 }, 9, 9);
  for (const value of data) assert(Math.abs(value - 127.5) < 12, `${value}`);
  assert.throws(() => resample(picture, { x: 0, y: 0, width: 0, height: 4 }, 4, 4), RangeError);
  assert.throws(() => resample(picture, { x: NaN, y: 0, width: 4, height: 4 }, 4, 4), RangeError);
});

Deno.test("crop: frames off in size or place, without a face or not finite do not count", () => {
  const usual = boxed(100, 100, 60, 60);
  const broken = boxed(100, 100, 60, 60);
  broken[77] = NaN;
  assert.deepEqual(
    steadyFrames([
      usual,
      undefined,
      boxed(102, 99, 62, 60),
      boxed(85, 85, 90, 90), // 1.5 times as large
      boxed(105, 105, 40, 40), // 1.5 times smaller
      boxed(140, 100, 60, 60), // 0.67 sides away
      broken,
      boxed(130, 100, 60, 60), // half a side away
      usual,
    ]),
    [0, 2, 7, 8],
  );
  assert.deepEqual(steadyFrames([undefined]), []);
});

Deno.test("turned views: upright, and their points lead back", () => {
  const head = boxed(80, 60, 60, 60);
  // Eyes on a line that falls by 20 degrees, the mouth below it.
  const roll = Math.PI / 9;
  const place = (i: number, u: number, v: number) => {
    head[2 * i] = 110 + Math.cos(roll) * u - Math.sin(roll) * v;
    head[2 * i + 1] = 90 + Math.sin(roll) * u + Math.cos(roll) * v;
  };
  for (let i = 0; i < 68; i++) place(i, (i % 17) * 3 - 24, i < 17 ? 0 : 5);
  for (let i = 36; i < 42; i++) place(i, -14, -10);
  for (let i = 42; i < 48; i++) place(i, 14, -10);
  for (let i = 48; i < 68; i++) place(i, 0, 18);
  near([rollOf(head)], [roll], 1e-5);
  assert(plausible(head));
  const square = squareAround(head, 2);
  const picture = makeImage(220, 180);
  for (const i of [36, 42, 48]) {
    const [x, y] = [Math.round(head[2 * i]!), Math.round(head[2 * i + 1]!)];
    for (let v = y - 2; v < y + 2; v++) {
      picture.data.fill(255, (v * 220 + x - 2) * 3, (v * 220 + x + 2) * 3);
    }
  }
  const size = 112;
  const view = uprightView(picture, square, size);
  const bright: (readonly [number, number])[] = [];
  for (let i = 0; i < size * size; i++) {
    if (view.data[3 * i]! > 180) bright.push([i % size + 0.5, Math.floor(i / size) + 0.5]);
  }
  assert(bright.length > 10);
  for (const [x, y] of bright) {
    const points = new Float32Array(136);
    points.set([x, y]);
    const [u = 0, v = 0] = fromUprightView(points, square, size);
    const off = Math.min(
      ...[36, 42, 48].map((i) => Math.hypot(head[2 * i]! - u, head[2 * i + 1]! - v)),
    );
    assert(off < 3.5, `${x}, ${y} leads to ${u}, ${v}: ${off} px off`);
  }
  const eyes = bright.filter(([, y]) => y < size / 2).map(([, y]) => y);
  assert(Math.max(...eyes) - Math.min(...eyes) < 6, "both eyes are on one line");
  assert(!plausible(boxed(0, 0, 60, 60)), "points on a line are no face");
  assert(!plausible(head.map((v) => v * NaN)));
});

Deno.test("split: by the name alone, both sides taken, disjoint", async () => {
  const names = Array.from({ length: 200 }, (_, i) => `id${i}`);
  const held = await splitIdentities(names, 0.2);
  assert(held.size > 20 && held.size < 60, `${held.size}`);
  const again = await splitIdentities([...names.slice(50), "someone new"], 0.2);
  for (const name of names.slice(50)) assert.equal(again.has(name), held.has(name), name);
  assert.equal((await splitIdentities(["a", "b", "a"], 0.001)).size, 1);
  assert.equal((await splitIdentities(["a", "b"], 1)).size, 1);
  assert.equal((await splitIdentities(["a"], 0.5)).size, 0);
  assert.equal((await splitIdentities(names, 0)).size, 0);
});
