import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { rasterizeLandmarks } from "../../datasets/rasterize.ts";
import { paintSyntheticFrame, syntheticHeads } from "../../datasets/synthetic.ts";
import { NEUTRAL } from "../../datasets/synthetic/expression.ts";
import { makeRenderer } from "../../datasets/synthetic/render.ts";
import { sceneOf } from "../../datasets/synthetic/scene.ts";
import type { Dataset, Sequence } from "../../datasets/dataset.ts";
import { E } from "../../pipeline/core/fp.ts";
import type { Frame, Image, Landmarks } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";

const AHEAD = { yaw: 0, pitch: 0, roll: 0, x: 0, y: 0, z: 0 } as const;
const DURATION = 2.76;

const rendererOf = (identity: number, video = 0) =>
  makeRenderer(sceneOf(makeRng(1), identity, video, DURATION));

const read = async (
  dataset: Dataset,
  sequence: Sequence | undefined,
  indices: readonly number[],
): Promise<readonly Frame[]> => {
  assert.ok(sequence);
  const frames = await dataset.read(sequence, indices)();
  if (E.isLeft(frames)) assert.fail(frames.left.message);
  return frames.right;
};

const point = (landmarks: Landmarks, i: number): readonly [number, number] => [
  landmarks[2 * i] ?? NaN,
  landmarks[2 * i + 1] ?? NaN,
];

const centre = (landmarks: Landmarks, first: number, last: number): readonly [number, number] => {
  let x = 0, y = 0;
  for (let i = first; i <= last; i++) {
    x += point(landmarks, i)[0] / (last - first + 1);
    y += point(landmarks, i)[1] / (last - first + 1);
  }
  return [x, y];
};

/** How many pixels differ by more than 24 in some channel, as a share. */
const changed = (a: Image, b: Image): number => {
  let count = 0;
  for (let i = 0; i < a.data.length; i += 3) {
    const far = [0, 1, 2].some((c) => Math.abs(a.data[i + c]! - b.data[i + c]!) > 24);
    if (far) count++;
  }
  return count / (a.width * a.height);
};

const meanDifference = (a: Image, b: Image): number =>
  a.data.reduce((sum, v, i) => sum + Math.abs(v - b.data[i]!), 0) / a.data.length;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, v) => sum + v, 0) / values.length;

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

Deno.test("synthetic: landmarks follow the 68-point convention", () => {
  for (let identity = 0; identity < 20; identity++) {
    const { landmarks } = rendererOf(identity)(AHEAD, { ...NEUTRAL, jaw: 10 }, 64);
    assert.ok(landmarks.length === 136 && landmarks.every(Number.isFinite));
    const x = (i: number) => point(landmarks, i)[0], y = (i: number) => point(landmarks, i)[1];
    const rising = (...points: readonly number[]) =>
      points.every((p, i) => i === 0 || x(points[i - 1]!) < x(p));
    const falling = (...points: readonly number[]) =>
      points.every((p, i) => i === 0 || y(points[i - 1]!) < y(p));
    assert.ok(rising(0, 36, 39, 42, 45, 16), "eyes from left to right inside the jaw");
    assert.ok(rising(17, 18, 19, 20, 21, 22, 23, 24, 25, 26), "brows");
    assert.ok(rising(31, 32, 33, 34, 35) && rising(48, 49, 50, 51, 52, 53, 54), "nose and lips");
    assert.ok(rising(59, 58, 57, 56, 55) && rising(60, 61, 62, 63, 64), "lips run clockwise");
    assert.ok(rising(3, 5, 7, 8, 9, 11, 13), "jaw");
    assert.ok(falling(19, 37, 41, 30, 33, 51, 62, 66, 57, 8), "from brow to chin");
    assert.ok(falling(27, 28, 29, 30) && falling(0, 1, 2, 3, 4, 5, 6, 7, 8), "nose and jaw");
    assert.ok(Math.abs(x(8) + 0 - x(27)) < 0.5 && Math.abs(x(0) + x(16) - 2 * x(30)) < 0.5);
  }
});

Deno.test("synthetic: what moves in the picture lies within its landmarks", () => {
  const box = (landmarks: Landmarks, first: number, last: number, margin: number) => {
    const xs: number[] = [], ys: number[] = [];
    for (let i = first; i <= last; i++) {
      xs.push(point(landmarks, i)[0]);
      ys.push(point(landmarks, i)[1]);
    }
    return (px: number, py: number) =>
      px > Math.min(...xs) - margin && px < Math.max(...xs) + margin &&
      py > Math.min(...ys) - margin && py < Math.max(...ys) + margin;
  };
  const outside = (a: Frame, b: Frame, inside: (x: number, y: number) => boolean) => {
    let all = 0, out = 0;
    for (let i = 0; i < a.image.data.length; i++) {
      const d = Math.abs(a.image.data[i]! - b.image.data[i]!);
      const at = Math.floor(i / 3),
        x = at % a.image.width + 0.5,
        y = Math.floor(at / a.image.width);
      all += d;
      if (!inside(x, y + 0.5)) out += d;
    }
    assert.ok(all > 0);
    return out / all;
  };
  for (const identity of [0, 1, 2, 3, 7, 10]) {
    const render = rendererOf(identity), pose = { ...AHEAD, yaw: 0.3, roll: 0.15 };
    const still = render(pose, NEUTRAL, 128), eyes = render(pose, { ...NEUTRAL, blink: 1 }, 128);
    const right = box(still.landmarks, 36, 41, 6), left = box(still.landmarks, 42, 47, 6);
    const away = outside(still, eyes, (x, y) => right(x, y) || left(x, y));
    assert.ok(away < 0.12, `a blink changes ${away} outside the eyes of ${identity}`);
    const smile = render(pose, { ...NEUTRAL, pucker: 0.8 }, 128);
    const mouth = box(still.landmarks, 48, 67, 12);
    const beside = outside(still, smile, mouth);
    assert.ok(beside < 0.12, `pursed lips change ${beside} outside the mouth of ${identity}`);
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

Deno.test("synthetic: another person changes more pixels than another expression", () => {
  const people: number[] = [], expressions: number[] = [];
  for (let identity = 0; identity < 12; identity++) {
    const scene = sceneOf(makeRng(1), identity, 0, DURATION), render = makeRenderer(scene);
    // The other one in the same clothes, light and place: what changes is the person.
    const stranger = sceneOf(makeRng(1), identity + 100, 0, DURATION).identity;
    const other = makeRenderer({ ...scene, identity: stranger });
    const still = render(AHEAD, NEUTRAL, 64).image;
    people.push(changed(still, other(AHEAD, NEUTRAL, 64).image));
    for (const part of [{ jaw: 18 }, { smile: 1 }, { blink: 1 }, { brows: 1, pucker: 0.8 }]) {
      expressions.push(changed(still, render(AHEAD, { ...NEUTRAL, ...part }, 64).image));
    }
  }
  assert.ok(Math.min(...people) > Math.max(...expressions), `${people} against ${expressions}`);
  assert.ok(mean(people) > 5 * mean(expressions), `${mean(people)} against ${mean(expressions)}`);
  assert.ok(mean(expressions) > 0.005, "an expression is seen");
});

Deno.test("synthetic: a person stays the same from video to video, the place does not", () => {
  const skin = (frame: Frame): readonly number[] => {
    const [x, y] = centre(frame.landmarks, 27, 30), at = Math.round(y) * 64 + Math.round(x);
    const [r = 0, g = 0, b = 0] = frame.image.data.subarray(3 * at, 3 * at + 3);
    return [r / (r + g + b), g / (r + g + b)];
  };
  const apart = (a: readonly number[], b: readonly number[]) =>
    Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);
  const shape = (frame: Frame): Landmarks => {
    const [x, y] = point(frame.landmarks, 30), [ex] = centre(frame.landmarks, 36, 41);
    const scale = centre(frame.landmarks, 42, 47)[0] - ex;
    return frame.landmarks.map((v, i) => (v - (i % 2 === 0 ? x : y)) / scale);
  };
  const differ = (a: Landmarks, b: Landmarks) => mean([...a].map((v, i) => Math.abs(v - b[i]!)));
  const same: number[] = [], other: number[] = [], skins: number[] = [], places: number[] = [];
  for (let identity = 0; identity < 16; identity++) {
    const [a, b] = [0, 1].map((video) => rendererOf(identity, video)(AHEAD, NEUTRAL, 64));
    const c = rendererOf(identity + 50)(AHEAD, NEUTRAL, 64);
    assert.ok(a && b);
    same.push(differ(shape(a), shape(b)));
    other.push(differ(shape(a), shape(c)));
    skins.push(apart(skin(a), skin(b)));
    const corner = (frame: Frame) => [...frame.image.data.subarray(0, 3)];
    places.push(mean(corner(a).map((v, i) => Math.abs(v - corner(b)[i]!))));
  }
  assert.ok(mean(same) < 0.4 * mean(other), `${mean(same)} against ${mean(other)}`);
  assert.ok(mean(skins) < 0.06 && mean(places) > 20);
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

Deno.test("synthetic: the landmark picture lies on the head", () => {
  const frame = rendererOf(5)(AHEAD, NEUTRAL, 64);
  const map = rasterizeLandmarks(frame.landmarks, 64);
  assert.ok(map.data.filter((v) => v === 255).length > 300);
});
