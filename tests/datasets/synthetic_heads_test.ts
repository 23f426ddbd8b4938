/** One synthetic head: its landmarks, what of it moves, what makes it somebody. */
import assert from "node:assert/strict";
import { rasterizeLandmarks } from "../../datasets/rasterize.ts";
import { NEUTRAL } from "../../datasets/synthetic/expression.ts";
import { makeRenderer } from "../../datasets/synthetic/render.ts";
import { sceneOf } from "../../datasets/synthetic/scene.ts";
import type { Frame, Landmarks } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";
import { AHEAD, centre, changed, DURATION, mean, point, rendererOf } from "./synthetic_frames.ts";

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

Deno.test("synthetic: the landmark picture lies on the head", () => {
  const frame = rendererOf(5)(AHEAD, NEUTRAL, 64);
  const map = rasterizeLandmarks(frame.landmarks, 64);
  assert.ok(map.data.filter((v) => v === 255).length > 300);
});
