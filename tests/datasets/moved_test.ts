/** A moved frame is the same head elsewhere: picture and landmarks go together. */
import assert from "node:assert/strict";
import { besideMoved, drawMovement, moveFrame, type Movement } from "../../datasets/moved.ts";
import { syntheticHeads } from "../../datasets/synthetic.ts";
import { type Frame, makeImage } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";
import { ssim } from "../../pipeline/metrics/ssim.ts";
import { right } from "./video_fixtures.ts";

const SIZE = 64;
const still: Movement = { right: 0, down: 0, scale: 1, roll: 0 };

/** Landmarks on a grid in the middle, a white spot of 2 × 2 pixels about the first one. */
const dotted = (x: number, y: number): Frame => {
  const image = makeImage(SIZE, SIZE);
  for (const [dx, dy] of [[-1, -1], [0, -1], [-1, 0], [0, 0]] as const) {
    image.data.fill(255, 3 * ((y + dy) * SIZE + x + dx), 3 * ((y + dy) * SIZE + x + dx) + 3);
  }
  const landmarks = Float32Array.from({ length: 136 }, (_, i) => 24 + (i * 7) % 16);
  landmarks.set([x, y]);
  return { image, landmarks };
};

/** The middle of what is bright. */
const brightest = ({ image }: Frame): readonly [number, number] => {
  let x = 0, y = 0, sum = 0;
  for (let i = 0; i < SIZE * SIZE; i++) {
    const value = image.data[3 * i] ?? 0;
    sum += value;
    x += value * (i % SIZE + 0.5);
    y += value * (Math.floor(i / SIZE) + 0.5);
  }
  return [x / sum, y / sum];
};

Deno.test("what is under a landmark is under it after a movement", () => {
  const movements: readonly Movement[] = [
    { ...still, right: 0.06 },
    { ...still, down: -0.05 },
    { ...still, scale: 1.1 },
    { ...still, roll: 0.4 },
    { right: -0.1, down: 0.05, scale: 0.9, roll: -0.3 },
  ];
  for (const movement of movements) {
    for (const [x, y] of [[22, 30], [40, 20]] as const) {
      const moved = moveFrame(dotted(x, y), movement);
      const [brightX, brightY] = brightest(moved);
      const off = Math.hypot(
        brightX - (moved.landmarks[0] ?? NaN),
        brightY - (moved.landmarks[1] ?? NaN),
      );
      assert.ok(off < 0.15, `${JSON.stringify(movement)}: ${off} pixels apart`);
    }
  }
});

Deno.test("a movement goes where it says: right, down, larger, clockwise", () => {
  const frame = dotted(40, 32), [x = 0, y = 0] = frame.landmarks;
  const to = (movement: Partial<Movement>): readonly [number, number] => {
    const { landmarks: [u = 0, v = 0] } = moveFrame(frame, { ...still, ...movement });
    return [u - x, v - y];
  };
  const near = ([u, v]: readonly [number, number], wanted: readonly [number, number]) =>
    assert.ok(Math.hypot(u - wanted[0], v - wanted[1]) < 1e-3, `${[u, v]}, expected ${wanted}`);
  near(to({ right: 0.05 }), [3.2, 0]);
  near(to({ down: 0.05 }), [0, 3.2]);
  near(to({ scale: 1.25 }), [2, 0]); // the spot is 8 to the right of the middle
  near(to({ roll: Math.PI / 6 }), [8 * Math.cos(Math.PI / 6) - 8, 4]);
});

Deno.test("no movement changes nothing", () => {
  const frame = dotted(20, 44), same = moveFrame(frame, still);
  assert.deepEqual(same.image, frame.image);
  frame.landmarks.forEach((value, i) =>
    assert.ok(Math.abs(value - (same.landmarks[i] ?? 0)) < 1e-4)
  );
});

Deno.test("half of what stands beside its copies is real; the copies differ, and follow from the seed", async () => {
  const heads = syntheticHeads({ size: SIZE }), [sequence] = heads.train;
  assert.ok(sequence);
  const frames = await right(heads.read(sequence, [0, 12]));
  const beside = besideMoved(makeRng(1), frames, 5);
  assert.equal(beside.length, 20);
  for (const frame of frames) assert.equal(beside.filter((each) => each === frame).length, 5);
  const copies = beside.filter((each) => !frames.includes(each));
  assert.equal(new Set(copies.map(({ landmarks }) => landmarks.join())).size, 10);
  for (const { image } of copies) {
    const likeness = Math.max(...frames.map((frame) => ssim(frame.image, image)));
    assert.ok(likeness > 0.3 && likeness < 0.999, `SSIM ${likeness}: the same person, moved`);
  }
  assert.deepEqual(besideMoved(makeRng(1), frames, 5), beside);
  assert.notDeepEqual(besideMoved(makeRng(2), frames, 5), beside);
  assert.deepEqual(besideMoved(makeRng(1), frames, 0), []);
});

Deno.test("movements that are drawn are small and go both ways", () => {
  const drawn = Array.from({ length: 200 }, (_, i) => drawMovement(makeRng(i).draw()));
  for (const key of ["right", "down", "roll"] as const) {
    const values = drawn.map((movement) => movement[key]);
    assert.ok(Math.min(...values) < -0.02 && Math.max(...values) > 0.02, key);
    assert.ok(values.every((value) => Math.abs(value) <= 0.06), key);
  }
  const scales = drawn.map(({ scale }) => scale);
  assert.ok(Math.min(...scales) > 0.95 && Math.max(...scales) < 1.06);
  assert.ok(Math.min(...scales) < 0.98 && Math.max(...scales) > 1.02);
});
