import assert from "node:assert/strict";
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import { E } from "../../pipeline/core/fp.ts";
import { makeImage } from "../../pipeline/core/image.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { groupPhoto, right } from "../datasets/video_fixtures.ts";

const withAnalyzer = async (use: (analyzer: FaceAnalyzer) => Promise<void>): Promise<void> => {
  const analyzer = await right(createFaceAnalyzer());
  try {
    await use(analyzer);
  } finally {
    await analyzer.close();
  }
};

const distance = (a: Float32Array, b: Float32Array): number =>
  Math.hypot(...a.map((v, i) => v - b[i]!));

Deno.test("face: detectors agree on three faces, landmarks lie in them, descriptors tell people apart", () =>
  withAnalyzer(async (analyzer) => {
    const photo = await groupPhoto();
    const tiny = await right(analyzer.detect(photo, { inputSize: 416 }));
    const ssd = await right(analyzer.detect(photo, { detector: "ssd" }));
    assert.equal(tiny.length, 3);
    assert.equal(ssd.length, 3);
    const centre = (points: Float32Array) => [points[60]!, points[61]!] as const; // nose tip
    for (const face of ssd) {
      assert.equal(face.landmarks.length, 136);
      const [x, y] = centre(face.landmarks);
      const { box } = face;
      assert(x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height);
      const nearest = Math.min(...tiny.map((other) => {
        const [u, v] = centre(other.landmarks);
        return Math.hypot(u - x, v - y);
      }));
      assert(nearest < 0.15 * box.width, `nose ${nearest} px apart, box ${box.width} px`);
      const eyes = Math.hypot(
        face.landmarks[72]! - face.landmarks[90]!,
        face.landmarks[73]! - face.landmarks[91]!,
      );
      assert(eyes > 0.25 * box.width && eyes < box.width, `eyes ${eyes} px apart`);
    }
    const [first, second] = ssd;
    const described = await right(analyzer.descriptor(photo, first!.landmarks));
    const smaller = resample(
      photo,
      { x: 0, y: 0, width: photo.width, height: photo.height },
      photo.width / 2,
      photo.height / 2,
    );
    const half = first!.landmarks.map((v) => v / 2);
    const again = await right(analyzer.descriptor(smaller, half));
    const other = await right(analyzer.descriptor(photo, second!.landmarks));
    assert.equal(described.length, 128);
    assert(distance(described, again) < 0.3, "one person at two resolutions");
    assert(distance(described, other) > 0.5, "two people");
  }));

Deno.test("face: no face is an empty list; a box without area is a value", () =>
  withAnalyzer(async (analyzer) => {
    assert.deepEqual(await right(analyzer.detect(makeImage(320, 200, [90, 120, 30]))), []);
    assert.deepEqual(await right(analyzer.detect(makeImage(1, 1))), []);
    const box = { x: 0, y: 0, width: NaN, height: 10 };
    const refused = await analyzer.landmarks(makeImage(64, 64), box)();
    assert(E.isLeft(refused) && refused.left._tag === "Backend");
  }));

Deno.test("face: overlapping calls get their own answers", () =>
  withAnalyzer(async (analyzer) => {
    const picture = makeImage(200, 200, [100, 100, 100]);
    const boxes = [0, 40, 80].map((x) => ({ x, y: x, width: 60, height: 60 }));
    const found = await Promise.all(boxes.map((box) => right(analyzer.landmarks(picture, box))));
    // A flat picture gives the mean face wherever the box is: the answers differ by the offset.
    for (const [i, { x }] of boxes.entries()) {
      assert(Math.abs(found[i]![60]! - found[0]![60]! - x) < 1e-3);
    }
  }));

Deno.test("face: after close, and when the worker cannot start or dies, errors are values", async () => {
  const analyzer = await right(createFaceAnalyzer());
  const open = analyzer.detect(makeImage(640, 640))();
  await analyzer.close();
  for (const either of [await open, await analyzer.detect(makeImage(8, 8))()]) {
    assert(E.isLeft(either) && either.left._tag === "Backend");
    assert.match(either.left.message, /closed/);
  }
  const missing = await createFaceAnalyzer(new URL("./no_such_worker.ts", import.meta.url))();
  assert(E.isLeft(missing) && missing.left._tag === "Backend");
  const dying = `data:text/javascript,onmessage = ({ data: { id, kind } }) => {
    if (kind !== "load") throw new Error("boom");
    postMessage({ id, values: new Float32Array(0) });
  };`;
  const mortal = await right(createFaceAnalyzer(new URL(dying)));
  for (let call = 0; call < 2; call++) {
    const died = await mortal.detect(makeImage(8, 8))();
    assert(E.isLeft(died) && died.left._tag === "Backend");
    assert.match(died.left.message, /died.*boom/);
  }
});
