/** What `prepare` does with the frames of a clip: smoothing, sharpness, repetition. */
import assert from "node:assert/strict";
import { E } from "../../pipeline/core/fp.ts";
import { type Image, type Landmarks, makeImage } from "../../pipeline/core/image.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { faceSide } from "../../datasets/crop.ts";
import { polishClip } from "../../datasets/prepare/pack_clip.ts";
import { difference, sharpness } from "../../datasets/prepare/sharpness.ts";
import { jitter, smoothLandmarks } from "../../datasets/prepare/smooth.ts";

/** A face-like set of points around (x, y). */
const face = (x: number, y: number): Landmarks =>
  Float32Array.from(
    { length: 136 },
    (_, i) => i % 2 === 0 ? x + 32 * Math.cos(i * 2.4) : y + 32 * Math.sin(i * 2.4),
  );

Deno.test("prepare: smoothing takes noise out, and leaves movement and sparse frames alone", () => {
  let state = 1;
  const noise = () => ((state = (state * 48271) % 2147483647) / 2147483647 - 0.5) * 0.8;
  const indices = Array.from({ length: 60 }, (_, i) => i);
  const seen = (rate: number, shift: (i: number) => number) =>
    indices.map((i) => ({
      landmarks: face(64 + shift(i), 64).map((v) => v + noise()),
      time: i / rate,
    }));
  const still = seen(25, () => 0);
  const smooth = smoothLandmarks(still);
  const [raw, calm] = [still.map(({ landmarks }) => landmarks), smooth]
    .map((tracks) => jitter(tracks, indices));
  assert(raw! > 0.003 && calm! < 0.7 * raw!, `${raw} to ${calm}`);
  // A jump of a quarter of the face stays where it was, to the pixel's tenth.
  const jump = smoothLandmarks(
    indices.map((i) => ({ landmarks: face(i < 30 ? 64 : 80, 64), time: i / 25 })),
  );
  for (const [i, landmarks] of jump.entries()) {
    const expected = face(i < 30 ? 64 : 80, 64);
    landmarks.forEach((v, j) => assert(Math.abs(v - expected[j]!) < 0.1));
  }
  const sparse = seen(4, (i) => 0.3 * i);
  smoothLandmarks(sparse).forEach((landmarks, i) =>
    landmarks.forEach((v, j) => assert(Math.abs(v - sparse[i]!.landmarks[j]!) < 0.01))
  );
  assert(Number.isNaN(jitter(smooth.slice(0, 2), [0, 1])));
  assert(Number.isNaN(jitter(smooth.slice(0, 4), [0, 2, 4, 6])), "not in a row");
  assert(faceSide(face(0, 0)) > 60);
});

Deno.test("prepare: sharpness falls with blur, not with light; repetition is seen", () => {
  const size = 64, sharp = makeImage(size, size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const grey = (Math.floor(x / 14) + Math.floor(y / 18)) % 2 === 0 ? 200 : 60;
      sharp.data.fill(grey, (y * size + x) * 3, (y * size + x) * 3 + 3);
    }
  }
  const of = (image: Image): number => sharpness({ image, landmarks: face(32, 32) });
  const whole = { x: 0, y: 0, width: size, height: size };
  const reduced = resample(sharp, whole, size / 4, size / 4);
  const part = { x: 0, y: 0, width: size / 4, height: size / 4 };
  const blurred = resample(reduced, part, size, size);
  const tiny = resample(sharp, whole, size / 8, size / 8);
  const blurry = resample(tiny, { ...part, width: size / 8, height: size / 8 }, size, size);
  const dark = { ...sharp, data: sharp.data.map((v) => v / 2) };
  assert(of(sharp) > 0.7 && of(blurred) < 0.5 * of(sharp), `${of(sharp)}, ${of(blurred)}`);
  assert(Math.abs(of(dark) - of(sharp)) < 0.05);
  assert.equal(of(makeImage(size, size, [90, 90, 90])), 0);
  assert.equal(difference(sharp, sharp), 0);
  assert(difference(sharp, dark) > 30);

  /** A clip that shows these pictures, its face in the middle. */
  const polish = (images: readonly Image[]) =>
    polishClip("clip", {
      frames: images.map((image) => ({ image, landmarks: face(32, 32) })),
      square: { x: 0, y: 0, side: 128 },
      numbers: images.map((_, i) => 2 * i),
      info: { width: 200, height: 200, frames: 2 * images.length, framesPerSecond: 10 },
      figures: {
        ...{ probeSeconds: 0, decodeSeconds: 0, analyseSeconds: 0, cropSeconds: 0 },
        ...{ decoded: images.length + 1, detections: 1 },
      },
    }, 3);
  const fine = polish([sharp, sharp, dark, blurry, sharp]);
  assert(E.isRight(fine));
  assert.deepEqual(fine.right.frames.map(({ number, time }) => [number, time]), [
    [0, 0],
    [4, 0.4],
    [8, 0.8],
  ]);
  const { lost, blurred: hazy, duplicate, face: side } = fine.right.quality;
  assert.deepEqual([lost, hazy, duplicate, Math.round(side / 10)], [1, 1, 1, 13]);
  const rejected = (images: readonly Image[]) => {
    const polished = polish(images);
    return E.isLeft(polished) ? polished.left.reason : undefined;
  };
  assert.equal(rejected([blurry, blurry, blurry, sharp]), "blurred");
  assert.equal(rejected([sharp, sharp, sharp, dark]), "duplicate");
});
