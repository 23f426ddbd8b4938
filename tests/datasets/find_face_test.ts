import assert from "node:assert/strict";
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import { readImage } from "../../datasets/codec.ts";
import { faceCentre, faceSide } from "../../datasets/crop.ts";
import { findFace } from "../../datasets/video/find_face.ts";
import { makeFaceTracker } from "../../datasets/video/track.ts";
import { uprightView } from "../../datasets/video/turned.ts";
import { makeImage } from "../../pipeline/core/image.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { groupPhoto, personFrames, right } from "./video_fixtures.ts";

const withAnalyzer = async (use: (analyzer: FaceAnalyzer) => Promise<void>): Promise<void> => {
  const analyzer = await right(createFaceAnalyzer());
  try {
    await use(analyzer);
  } finally {
    await analyzer.close();
  }
};

Deno.test("faces: of several the one nearby, with a word about its rivals; on a wall none", () =>
  withAnalyzer(async (analyzer) => {
    const photo = await groupPhoto();
    const part = { x: 280, y: 250, width: 900, height: 600 };
    const two = resample(photo, part, 450, 300);
    const largest = await right(findFace(analyzer, two));
    assert(largest !== undefined && largest.rival && largest.score >= 0.5);
    const [x] = faceCentre(largest.landmarks);
    const other = largest.landmarks.map((v, i) => i % 2 === 0 ? v + (x < 225 ? 210 : -210) : v);
    const second = await right(findFace(analyzer, two, { near: other }));
    assert(second !== undefined);
    assert(Math.abs(faceCentre(second.landmarks)[0] - x) > 100, "the other person");
    assert.equal(await right(findFace(analyzer, makeImage(300, 200, [99, 120, 60]))), undefined);
  }));

Deno.test("faces: a head that tilts and moves is followed with few detections", () =>
  withAnalyzer(async (analyzer) => {
    const photo = await groupPhoto();
    const tracker = makeFaceTracker(analyzer, 8);
    const tilt = (i: number) => 0.6 * Math.sin(i / 4);
    const frames = Array.from(
      { length: 16 },
      (_, i) => uprightView(photo, { x: 500 + 4 * i, y: 470, side: 420, roll: tilt(i) }, 200),
    );
    for (const [i, frame] of frames.entries()) {
      const landmarks = await right(tracker.next(frame));
      assert(landmarks !== undefined, `frame ${i}`);
      const eyes = Math.atan2(
        landmarks[91]! - landmarks[73]!, // 45 and 36: outer corners of the eyes
        landmarks[90]! - landmarks[72]!,
      );
      // The person holds the head a little tilted; what is tested is that the turn is seen.
      assert(Math.abs(eyes + tilt(i) - 0.05) < 0.2, `frame ${i}: ${eyes} for ${-tilt(i)}`);
    }
    assert(tracker.result().detections <= 6, `${tracker.result().detections} detections`);
  }));

Deno.test("faces: where the face is gone, frames that were only followed do not count", () =>
  withAnalyzer(async (analyzer) => {
    const tracker = makeFaceTracker(analyzer, 4);
    const wall = makeImage(192, 192, [120, 100, 90]);
    for (const frame of await personFrames(0, 3)) await right(tracker.next(frame));
    for (let i = 0; i < 5; i++) await right(tracker.next(wall));
    const seen = tracker.result().landmarks.map((landmarks) => landmarks !== undefined);
    assert.deepEqual(seen, [true, true, true, false, false, false, false, false]);
  }));

const portraits = new URL("../../../shared/portraits/", import.meta.url);
const isThere = await Deno.stat(portraits).then(() => true, () => false);
Deno.test({
  name: `faces: paintings are people, animals are not${
    isThere ? "" : " (skipped: no ../shared/portraits)"
  }`,
  ignore: !isThere,
  fn: () =>
    withAnalyzer(async (analyzer) => {
      for await (const { name } of Deno.readDir(portraits)) {
        const path = decodeURIComponent(new URL(encodeURIComponent(name), portraits).pathname);
        const image = await right(readImage(path));
        const face = await right(findFace(analyzer, image));
        assert.equal(face !== undefined, !name.startsWith("no_human_face"), name);
        if (face !== undefined) assert(faceSide(face.landmarks) > image.width / 10, name);
      }
    }),
});
