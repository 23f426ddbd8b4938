/** The dataset of synthetic heads: who, in which videos, at which size, how they move. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { paintSyntheticFrame, syntheticHeads } from "../../datasets/synthetic.ts";
import type { Sequence } from "../../datasets/dataset.ts";
import { E } from "../../pipeline/core/fp.ts";
import { changed, mean, meanDifference, point, read } from "./synthetic_frames.ts";

Deno.test("synthetic: at least 1000 people in several videos, nobody on both sides", () => {
  const heads = syntheticHeads({ size: 64 });
  const people = (sequences: readonly Sequence[]) => new Set(sequences.map((s) => s.identity));
  const train = people(heads.train), heldOut = people(heads.heldOut);
  assert.ok(train.size + heldOut.size >= 1000);
  assert.equal(heads.train.length, 3 * train.size);
  assert.equal(heads.heldOut.length, 3 * heldOut.size);
  assert.ok(heldOut.size >= 50 && [...heldOut].every((name) => !train.has(name)));
  const all = [...heads.train, ...heads.heldOut];
  assert.equal(new Set(all.map((s) => `${s.identity}/${s.video}`)).size, all.length);
  assert.ok(all.every((s) => s.frames === 24));
});

Deno.test("synthetic: a frame is a function of seed, person, video, index and size", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(3599), fc.nat(23), fc.nat(23), async (at, first, second) => {
      const one = syntheticHeads({ size: 32 });
      const other = syntheticHeads({ size: 32, cacheBytes: 0 });
      const sequence = [...one.train, ...one.heldOut][at];
      const forwards = await read(one, sequence, [first, second]);
      const backwards = await read(other, sequence, [second, first]);
      assert.deepEqual(forwards, [...backwards].reverse());
      assert.deepEqual(await read(one, sequence, [first, second]), forwards, "from the cache");
    }),
    { numRuns: 8, seed: 2 },
  );
  const [a] = await read(syntheticHeads({ size: 32 }), syntheticHeads({ size: 32 }).train[0], [0]);
  const seeded = syntheticHeads({ size: 32, seed: 2 });
  const [b] = await read(seeded, seeded.train[0], [0]);
  assert.ok(a && b && changed(a.image, b.image) > 0.3);
});

Deno.test("synthetic: another size shows the same picture", () => {
  for (const identity of [3, 4]) {
    const at = { seed: 1, identity, video: 1, seconds: 0.6 };
    const small = paintSyntheticFrame({ ...at, size: 64 });
    const large = paintSyntheticFrame({ ...at, size: 128 });
    const largest = paintSyntheticFrame({ ...at, size: 256 });
    small.landmarks.forEach((v, i) => {
      assert.ok(Math.abs(2 * v - large.landmarks[i]!) < 0.01);
      assert.ok(Math.abs(4 * v - largest.landmarks[i]!) < 0.02);
    });
    for (const [from, factor] of [[large, 2], [largest, 4]] as const) {
      const half = small.image.data.map((_, i) => {
        const c = i % 3, x = Math.floor(i / 3) % 64, y = Math.floor(i / 192);
        let sum = 0;
        for (let v = 0; v < factor; v++) {
          for (let u = 0; u < factor; u++) {
            sum += from.image.data[((y * factor + v) * 64 * factor + x * factor + u) * 3 + c]!;
          }
        }
        return sum / factor ** 2;
      });
      const difference = meanDifference(small.image, { ...small.image, data: half });
      assert.ok(difference < 3, `${factor} times larger differs by ${difference}`);
    }
  }
});

Deno.test("synthetic: the crop is the one of real video, constant through a clip", async () => {
  const heads = syntheticHeads({ size: 128 });
  for (const at of [0, 100, 1000, 3000]) {
    const frames = await read(heads, heads.train[at], Array.from({ length: 24 }, (_, i) => i));
    const boxes = frames.map(({ landmarks }) => {
      const x = [...landmarks].filter((_, i) => i % 2 === 0);
      const y = [...landmarks].filter((_, i) => i % 2 === 1);
      return [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)] as const;
    });
    const sides = boxes.map(([x0, x1, y0, y1]) => Math.max(x1 - x0, y1 - y0));
    const side = [...sides].sort((a, b) => a - b)[12] ?? 0;
    assert.ok(Math.abs(side - 64) < 5, `the landmarks' box is ${side} px of 128`);
    const middle = mean(boxes.map(([x0, x1]) => (x0 + x1) / 2));
    const height = mean(boxes.map(([, , y0, y1]) => (y0 + y1) / 2));
    assert.ok(Math.abs(middle - 64) < 8 && Math.abs(height - 64 - 64 / 6) < 6);
    assert.ok(boxes.every(([x0, x1, y0, y1]) => x0 > 0 && x1 < 128 && y0 > 0 && y1 < 128));
  }
});

Deno.test("synthetic: videos move smoothly, and do move", async () => {
  const heads = syntheticHeads({ size: 64 });
  for (const at of [5, 500, 2500]) {
    const frames = await read(heads, heads.train[at], Array.from({ length: 24 }, (_, i) => i));
    const noses = frames.map(({ landmarks }) => point(landmarks, 30));
    const steps = noses.slice(1).map(([x, y], i) => Math.hypot(x - noses[i]![0], y - noses[i]![1]));
    assert.ok(Math.max(...steps) < 6, `${Math.max(...steps)} px in one frame`);
    const xs = noses.map(([x]) => x);
    assert.ok(Math.max(...xs) - Math.min(...xs) > 1);
  }
});

Deno.test("synthetic: motion can be borrowed from another video, the ground truth of driving", () => {
  const at = { seed: 1, seconds: 0.5, size: 64 };
  const own = paintSyntheticFrame({ ...at, identity: 4, video: 0 });
  const driver = paintSyntheticFrame({ ...at, identity: 9, video: 2 });
  const driven = paintSyntheticFrame({ ...at, identity: 4, video: 0 }, { identity: 9, video: 2 });
  const self = paintSyntheticFrame({ ...at, identity: 4, video: 0 }, { identity: 4, video: 0 });
  assert.deepEqual(self, own);
  assert.notDeepEqual(driven.landmarks, own.landmarks);
  assert.ok(meanDifference(driven.image, own.image) < meanDifference(driven.image, driver.image));
});

Deno.test("synthetic: what does not exist is a value, nonsense is refused", async () => {
  const heads = syntheticHeads({ size: 16, identities: 3, heldOut: 1, framesPerVideo: 5 });
  const [sequence] = heads.train;
  assert.ok(sequence);
  for (const index of [5, -1, 0.5, NaN]) {
    const frames = await heads.read(sequence, [0, index])();
    assert.ok(E.isLeft(frames) && frames.left.reason === "unreadable");
    assert.match(frames.left.message, /does not exist, expected 0 to 4/);
  }
  const nobody = await heads.read({ ...sequence, identity: "nobody" }, [0])();
  assert.ok(E.isLeft(nobody) && nobody.left.key === "nobody/0");
  for (const options of [{ size: 0 }, { size: 1.5 }, { size: 8, identities: 2, heldOut: 2 }]) {
    assert.throws(() => syntheticHeads(options), RangeError);
  }
});
