/** Retargeting: the source's proportions, the driver's motion; measured where the truth is known. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import type { Landmarks } from "../../../pipeline/core/image.ts";
import {
  gestureOf,
  LID_PAIRS,
  mapPoints,
  openingOf,
  proportionsOf,
  upright,
} from "../../../datasets/track/geometry.ts";
import type { WholeTrack } from "../../../datasets/track/landmark_track.ts";
import { chooseReference, retarget, type RetargetName } from "../../../datasets/track/retarget.ts";
import { syntheticTrack } from "../../../datasets/track/synthetic_driver.ts";
import { farthest, film, size } from "./support.ts";

const ways = ["relative", "parts"] as const;

/** People whose jaws differ by a quarter in width to height, found among the first 80. */
const unlike: readonly (readonly [source: number, driver: number])[] = [
  [8, 27],
  [27, 8],
  [62, 53],
  [53, 62],
  [26, 11],
  [23, 47],
];

/** Motion of one person on another: what came out, and what the other one looks like moving so. */
const puppeteer = (how: RetargetName, source: number, driver: number) => {
  const frames = 100, motion = { identity: driver, video: 0 };
  const sources = syntheticTrack({
    identity: source,
    video: 1,
    size,
    frames: 8,
    framesPerSecond: 3,
  });
  return {
    driven: retarget(how, sources.frames, film(driver, frames)).frames,
    truth: syntheticTrack({ identity: source, size, frames, motion }).frames,
  };
};

/** How far proportions are from the true ones, worst frame. */
const errors = (driven: readonly Landmarks[], truth: readonly Landmarks[]) => {
  const off = (k: "jaw" | "eyes"): number =>
    Math.max(
      ...driven.map((points, i) =>
        Math.abs(proportionsOf(points)[k] / proportionsOf(truth[i]!)[k] - 1)
      ),
    );
  return { jaw: off("jaw"), eyes: off("eyes") };
};

for (const [source, driver] of unlike) {
  Deno.test(`person ${driver} drives person ${source}: proportions stay, without retargeting not`, () => {
    const plain = puppeteer("none", source, driver), wrong = errors(plain.driven, plain.truth);
    assert.ok(wrong.jaw > 0.2, `jaw ${wrong.jaw}`);
    for (const how of ways) {
      const { driven, truth } = puppeteer(how, source, driver), off = errors(driven, truth);
      assert.ok(off.jaw < 0.1 && off.eyes < 0.1, `${how}: jaw ${off.jaw}, eyes ${off.eyes}`);
    }
  });
}

const correlation = (a: readonly number[], b: readonly number[]): number => {
  const mean = (v: readonly number[]) => v.reduce((x, y) => x + y, 0) / v.length;
  const ma = mean(a), mb = mean(b);
  const dot = (x: readonly number[], y: readonly number[], mx: number, my: number) =>
    x.reduce((sum, v, i) => sum + (v - mx) * (y[i]! - my), 0);
  return dot(a, b, ma, mb) / Math.sqrt(dot(a, a, ma, ma) * dot(b, b, mb, mb));
};

for (const how of ways) {
  Deno.test(`${how}: eyes and mouth are as open as the driver's, shut lids shut`, () => {
    for (const [source, driver] of unlike) {
      const { driven, truth } = puppeteer(how, source, driver);
      const original = film(driver, 100).frames;
      for (const part of ["right", "left", "lips"] as const) {
        const opening = (points: Landmarks): number => openingOf(upright(points), LID_PAIRS[part]);
        const made = driven.map(opening), wanted = truth.map(opening);
        const theirs = original.map(opening);
        assert.ok(correlation(made, theirs) > 0.98, `${part} does not follow`);
        const most = Math.max(...wanted);
        const inside = Math.min(0, ...theirs) - 0.02 * most;
        assert.ok(Math.min(...made) > 2 * inside, `${part} turns inside out`);
        const shut = theirs.indexOf(Math.min(...theirs));
        assert.ok(Math.abs(made[shut]! - wanted[shut]!) < 0.2 * most, `${part} does not shut`);
      }
    }
  });

  Deno.test(`${how}: somebody's own motion comes back unchanged`, () => {
    const track = film(9);
    assert.ok(farthest(retarget(how, track.frames, track).frames, track.frames) < 0.05);
  });

  Deno.test(`${how}: where the driver stands and how large does not matter`, () => {
    const source = film(9, 4).frames, driver = film(27, 30);
    const usual = retarget(how, source, driver).frames;
    fc.assert(
      fc.property(
        fc.double({ min: 0.4, max: 2.5, noNaN: true }),
        fc.double({ min: -200, max: 200, noNaN: true }),
        fc.double({ min: -200, max: 200, noNaN: true }),
        (scale, x, y) => {
          const moved: WholeTrack = {
            ...driver,
            frames: driver.frames.map((points) =>
              mapPoints(points, ([u, v]) => [scale * u + x, scale * v + y])
            ),
          };
          assert.ok(farthest(retarget(how, source, moved).frames, usual) < 0.1);
        },
      ),
      { numRuns: 20, seed: 1 },
    );
  });

  Deno.test(`${how}: a larger source gives a larger face at the same place`, () => {
    const source = film(9, 4).frames, driver = film(27, 30);
    const usual = retarget(how, source, driver).frames;
    const twice = (points: Landmarks): Landmarks => points.map((v) => 2 * v);
    const large = retarget(how, source.map(twice), driver).frames;
    assert.ok(farthest(large, usual.map(twice)) < 0.1);
  });
}

/** A reference pair and what becomes of the driver's frame of it. */
const atReference = (how: RetargetName) => {
  const source = film(9, 6).frames, driver = film(27, 60);
  const { source: from, driver: at } = chooseReference(source, driver.frames);
  return { own: source[from]!, made: retarget(how, source, driver).frames[at]! };
};

Deno.test("relative: the reference frame becomes the source's own", () => {
  const { own, made } = atReference("relative");
  assert.ok(farthest([made], [own]) < 0.02 * size);
});

Deno.test("parts: the reference frame gets the source's widths, its turn stays the driver's", () => {
  const { own, made } = atReference("parts"), ours = upright(own), theirs = upright(made);
  for (
    const [i, j] of [[0, 16], [3, 13], [17, 26], [36, 45], [39, 42], [31, 35], [48, 54]] as const
  ) {
    const [width, wanted] = [theirs, ours].map((up) => up[2 * j]! - up[2 * i]!);
    assert.ok(Math.abs(width! / wanted! - 1) < 0.03, `${i} to ${j}: ${width}, ${wanted}`);
    const [height, high] = [theirs, ours].map((up) => up[2 * j + 1]! + up[2 * i + 1]!);
    assert.ok(Math.abs(height! - high!) < 0.04 * size, `${i} and ${j}: ${height}, ${high}`);
  }
});

Deno.test("the reference is held like the source, whatever the shape of the face", () => {
  // The driver goes through the motion of the source's own film: the same moment is the closest.
  const motion = { identity: 8, video: 0 };
  const source = film(8, 50).frames;
  const driver = syntheticTrack({ identity: 27, size, frames: 50, motion }).frames;
  const turns = source.map((points) => gestureOf(points)[0]!);
  const range = Math.max(...turns) - Math.min(...turns);
  for (const moment of [3, 20, 41]) {
    const { driver: found } = chooseReference([source[moment]!], driver);
    const apart = Math.abs(turns[found]! - turns[moment]!);
    assert.ok(apart < 0.2 * range, `frame ${found} for ${moment}: ${apart} of ${range}`);
  }
});

Deno.test("none gives the driver's own landmarks", () => {
  const driver = film(27, 5);
  assert.equal(retarget("none", film(9, 1).frames, driver), driver);
});

Deno.test("thousands of frames take no more than a moment", () => {
  const driver = film(27, 40).frames;
  const long = {
    framesPerSecond: 25,
    size,
    frames: Array.from({ length: 4000 }, (_, i) => driver[i % 40]!),
  };
  const started = performance.now();
  retarget("relative", film(9, 40).frames, long);
  assert.ok(performance.now() - started < 8000);
});
