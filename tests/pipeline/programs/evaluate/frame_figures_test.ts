/** Faces that are not found count as the worst; descriptors are aligned by the real frame's landmarks. */
import assert from "node:assert/strict";
import { E } from "../../../../pipeline/core/fp.ts";
import {
  type Frame,
  type Image,
  type Landmarks,
  makeImage,
} from "../../../../pipeline/core/image.ts";
import {
  describeTruths,
  measureAll,
} from "../../../../pipeline/programs/evaluate/frame_figures.ts";
import type { Judges } from "../../../../pipeline/programs/evaluate/judges.ts";
import { undetectedError } from "../../../../pipeline/metrics/following.ts";
import { fill } from "../../../models/hashed.ts";
import { blindJudges } from "./support.ts";

const landmarks = Float32Array.from(fill("truth", 136), (x) => 50 + 40 * x);
const frames: readonly Frame[] = [10, 20, 30].map((shade) => ({
  image: makeImage(16, 16, [shade, shade, shade]),
  landmarks: landmarks.map((value) => value + shade),
}));
const made: readonly Image[] = [11, 22, 33].map((shade) => makeImage(16, 16, [shade, 0, 0]));

const measure = async (judges: Judges) => {
  const truths = await describeTruths(judges, frames);
  assert.ok(E.isRight(truths));
  const found = await measureAll(judges, made, truths.right);
  return E.isRight(found) ? found.right : assert.fail(found.left.message);
};

Deno.test("a face that is never found is counted in every frame, at the worst value", async () => {
  const figures = await measure(blindJudges);
  assert.deepEqual(
    figures.map(({ landmarkError, undetected }) => [landmarkError, undetected]),
    frames.map(() => [undetectedError, 1]),
  );
  for (const { ssim, csim, l1 } of figures) assert.ok(Number.isFinite(ssim + csim + l1));
});

Deno.test("both pictures are described with the landmarks of the real frame", async () => {
  const seen: (readonly [Image, Landmarks])[] = [];
  const describe: Judges["identity"]["describe"] = (image, points) => () => {
    seen.push([image, points]);
    return Promise.resolve(E.right(Float32Array.of(image.data[0] ?? 0, 1)));
  };
  await measure({ ...blindJudges, identity: { ...blindJudges.identity, describe } });
  assert.equal(seen.length, 6, "each real frame is described once, each made one once");
  for (const [i, { image, landmarks: truth }] of frames.entries()) {
    for (const picture of [image, made[i]]) {
      const [, points] = seen.find(([each]) => each === picture) ?? assert.fail(`frame ${i}`);
      assert.deepEqual(points, truth);
    }
  }
});
