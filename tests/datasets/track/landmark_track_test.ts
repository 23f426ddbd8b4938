/** Track files: what is written reads back, what is broken is refused in one sentence. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E } from "../../../pipeline/core/fp.ts";
import {
  holdLostFace,
  type LandmarkTrack,
  parseTrack,
  readTrack,
  resizeTrack,
  trackText,
  writeTrack,
} from "../../../datasets/track/landmark_track.ts";
import { left, right, withFolder } from "../video_fixtures.ts";
import { farthest, film } from "./support.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const points = (value: number): Float32Array => new Float32Array(136).fill(value);

Deno.test("track: a file reads back to a hundredth of a pixel, lost frames too", () =>
  withFolder(async (folder) => {
    const path = `${folder}/track.json`, whole = film(3, 5);
    const track: LandmarkTrack = { ...whole, frames: [null, ...whole.frames, null] };
    await right(writeTrack(path, track));
    const read = await right(readTrack(path));
    assert.equal(read.framesPerSecond, 25);
    assert.equal(read.size, track.size);
    assert.deepEqual([read.frames[0], read.frames[6]], [null, null]);
    const found = read.frames.flatMap((frame) => frame ?? []);
    assert.ok(farthest(found, whole.frames) < 0.01);
  }));

Deno.test("track: an existing file is not overwritten", () =>
  withFolder(async (folder) => {
    const path = `${folder}/track.json`;
    await Deno.writeTextFile(path, "mine");
    const refused = await left(writeTrack(path, film(3, 2)));
    assert.match(refused.message, /^Cannot write .*track\.json: /);
    assert.equal(await Deno.readTextFile(path), "mine");
  }));

const good = { format: "headshot-track-1", framesPerSecond: 25, size: 64 };
const refusals: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  ["no JSON", "{", /it is no whole JSON/],
  ["another JSON", "[1, 2]", /expected an object/],
  ["another format", JSON.stringify({ ...good, format: "x", frames: [null] }), /format is "x"/],
  ["no frames", JSON.stringify({ ...good, frames: [] }), /frames is \[\], expected a list of/],
  [
    "too few points",
    JSON.stringify({ ...good, frames: [null, [1, 2]] }),
    /frames\[1\] is \[1,2\], expected null or 136 finite numbers/,
  ],
  [
    "an infinite point",
    JSON.stringify({ ...good, frames: [Array(136).fill(7)] }).replace("7", "1e999"),
    /frames\[0\] is .*finite/,
  ],
  ["no speed", JSON.stringify({ ...good, framesPerSecond: 0, frames: [null] }), /PerSecond is 0/],
  ["a strange size", JSON.stringify({ ...good, size: 1e9, frames: [null] }), /size is 1000000000/],
  ["an unknown key", JSON.stringify({ ...good, frames: [null], fps: 3 }), /fps is not a key/],
];
for (const [name, text, says] of refusals) {
  Deno.test(`track: ${name} is refused with the path and the place`, () => {
    const parsed = parseTrack(bytes(text), "film.json");
    assert.ok(E.isLeft(parsed));
    assert.equal(parsed.left._tag, "BadFile");
    assert.equal(parsed.left.path, "film.json");
    assert.match(parsed.left.message, /^Cannot \w+ film\.json: /);
    assert.match(parsed.left.message, says);
    assert.ok(!parsed.left.message.includes("\n"));
  });
}

Deno.test("track: any damage to a file gives a track or one sentence, never an exception", () => {
  const whole = bytes(trackText(film(3, 2)));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
      const broken = cut ? whole.slice(0, at) : whole.slice();
      if (!cut) broken[at] = value;
      const parsed = parseTrack(broken, "t.json");
      assert.ok(E.isRight(parsed) || /^Cannot .*t\.json/.test(parsed.left.message));
    }),
    { numRuns: 150, seed: 1 },
  );
});

Deno.test("track: another size moves points by the same factor", () => {
  const track = film(3, 2), half = resizeTrack(track, track.size / 2);
  assert.equal(half.size, 128);
  assert.equal(half.frames[1]![20], track.frames[1]![20]! / 2);
});

const gaps = (...frames: readonly (number | null)[]): LandmarkTrack => ({
  framesPerSecond: 10,
  size: 64,
  frames: frames.map((value) => value === null ? null : points(value)),
});

Deno.test("lost face: the last good frame is repeated, at the beginning the first one", () => {
  const held = holdLostFace(gaps(null, 1, null, null, 2, null), 0.2, "film.mp4");
  assert.ok(E.isRight(held));
  assert.deepEqual(held.right.frames.map(([x]) => x), [1, 1, 1, 1, 2, 2]);
});

Deno.test("lost face: a gap longer than the time is an error that says where", () => {
  const held = holdLostFace(gaps(1, 1, null, null, null, 2), 0.2, "film.mp4");
  assert.ok(E.isLeft(held));
  assert.equal(held.left.reason, "face lost");
  assert.match(
    held.left.message,
    /not seen from 0\.20 s to 0\.50 s, expected gaps of at most 0\.2/,
  );
});

Deno.test("lost face: a track without any face is another error", () => {
  const held = holdLostFace(gaps(null, null), 10, "film.mp4");
  assert.ok(E.isLeft(held));
  assert.equal(held.left.reason, "no face");
});
