/** On which size of picture a face is followed: a fake detector that always sees one face. */
import assert from "node:assert/strict";
import type { FaceAnalyzer } from "../../backends/face.ts";
import { faceCentre, faceSide } from "../../datasets/crop.ts";
import { syntheticTrack } from "../../datasets/track/synthetic_driver.ts";
import { decodedSize, type DecodeOptions } from "../../datasets/video/decode.ts";
import { followClip } from "../../datasets/video/follow_clip.ts";
import type { ClipSource } from "../../datasets/video/source.ts";
import { E, TE } from "../../pipeline/core/fp.ts";
import { type Landmarks, makeImage } from "../../pipeline/core/image.ts";

const [model] = syntheticTrack({ identity: 1, size: 128, frames: 1 }).frames;
assert.ok(model);
const side = faceSide(model), centre = faceCentre(model);

/** A face of so many pixels around a point. */
const faceAt = (x: number, y: number, size: number): Landmarks =>
  model.map((v, i) => (v - centre[i % 2]!) * size / side + (i % 2 === 0 ? x : y));

const CLOSE = 160; // side of the picture in which a face is looked for again

/** Sees one face in the middle of everything: `part` of a picture's width, or as close as it is. */
const seer = (part: number): FaceAnalyzer => ({
  detect: ({ width, height }) => {
    const isClose = width === CLOSE && height === CLOSE;
    const landmarks = faceAt(width / 2, height / 2, isClose ? CLOSE / 2 : part * width);
    const box = { x: width / 4, y: height / 4, width: width / 2, height: height / 2 };
    return TE.right(part === 0 ? [] : [{ box, score: 0.9, landmarks }]);
  },
  landmarks: ({ width }) => TE.right(faceAt(width / 2, width / 2, width / 1.25)),
  descriptor: () => assert.fail("not asked for"),
  close: () => Promise.resolve(),
});

/** Grey pictures, and how many of which size were asked for. */
const source = (width: number, height: number) => {
  const info = { width, height, frames: 12, framesPerSecond: 25 }, given: number[] = [];
  const clip: ClipSource = {
    info,
    frames: (options: DecodeOptions) =>
      async function* () {
        const size = decodedSize(info, options);
        for (let i = 0; i < info.frames; i++) {
          given.push(size.width);
          await Promise.resolve();
          yield E.right(makeImage(size.width, size.height, [90, 90, 90]));
        }
      },
  };
  return { clip, given };
};

const follow = async (width: number, part: number) => {
  const { clip, given } = source(width, width * 9 / 16);
  const wanted = { frames: 12, framesPerSecond: 25 };
  const followed = await followClip(seer(part), clip, wanted, new AbortController().signal);
  assert.ok(E.isRight(followed));
  const { looked, tracks } = followed.right;
  const found = tracks.landmarks.filter((points) => points !== undefined);
  return { longest: looked.longest, given, found };
};

Deno.test("a face that is large on small pictures is followed there, once", async () => {
  const { longest, given, found } = await follow(1920, 0.25);
  assert.equal(longest, 640);
  assert.deepEqual(given, Array(12).fill(640));
  assert.equal(found.length, 12);
  assert.ok(Math.abs(faceSide(found[0]!) - 160) < 16, `${faceSide(found[0]!)}`);
});

Deno.test("a small face is looked at again on larger pictures, after a few frames", async () => {
  const { longest, given, found } = await follow(1920, 0.1);
  assert.equal(longest, 960);
  assert.ok(given.filter((width) => width === 640).length < 10, `${given}`);
  assert.equal(given.filter((width) => width === 960).length, 12);
  assert.equal(found.length, 12);
});

Deno.test("no face on small pictures is no answer where larger ones can be had", async () => {
  assert.deepEqual((await follow(1280, 0)).given, [...Array(12).fill(640), ...Array(12).fill(960)]);
  assert.deepEqual((await follow(512, 0)).given, Array(12).fill(512));
  const small = await follow(640, 0.1);
  assert.deepEqual([small.longest, small.found.length], [640, 12]);
  assert.deepEqual(small.given, Array(12).fill(640));
});
