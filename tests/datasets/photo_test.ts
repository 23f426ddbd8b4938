/** Photos to frames: whose face, wherever it is, however the camera was held. */
import assert from "node:assert/strict";
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import { encodeJpeg, writeImage } from "../../datasets/codec.ts";
import { faceCentre, faceSide } from "../../datasets/crop.ts";
import { findFaces, frameOfPhoto, readPhoto } from "../../datasets/photo.ts";
import { movement } from "../../datasets/video/find_face.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { withExif } from "./exif.ts";
import { groupPhoto, right } from "./video_fixtures.ts";

type Step = (analyzer: FaceAnalyzer) => Promise<void>;
const steps: (readonly [name: string, step: Step])[] = [];

/** One analyzer serves all: starting it takes longer than a photo does. */
const photos = (name: string, step: Step): void => void steps.push([name, step]);

/** A picture inside another one. */
const paste = (under: Image, over: Image, left: number, top: number): Image => {
  const data = Uint8Array.from(under.data);
  for (let y = 0; y < over.height; y++) {
    const row = over.data.subarray(y * over.width * 3, (y + 1) * over.width * 3);
    data.set(row, ((top + y) * under.width + left) * 3);
  }
  return { ...under, data };
};

/** Turned a quarter to the left: what a camera stores that was turned to the right. */
const quarterTurn = ({ width, height, data }: Image): Image => {
  const turned = makeImage(height, width);
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < height; x++) {
      for (let c = 0; c < 3; c++) {
        turned.data[(y * height + x) * 3 + c] = data[(x * width + width - 1 - y) * 3 + c] ?? 0;
      }
    }
  }
  return turned;
};

photos(
  "the N-th largest face is cut out; one too many is an error that counts",
  async (analyzer) => {
    const photo = await groupPhoto();
    const two = resample(photo, { x: 280, y: 250, width: 900, height: 600 }, 450, 300);
    const faces = await right(findFaces(analyzer, two, 2));
    assert.ok(faces.length >= 2);
    const sides = faces.map(faceSide);
    assert.deepEqual(sides, sides.toSorted((a, b) => b - a));
    for (const face of [1, 2]) {
      const frame = await right(frameOfPhoto(analyzer, { size: 32, face })("two.jpg", two));
      assert.equal(frame.image.width, 32);
      const [x, y] = faceCentre(frame.landmarks);
      assert.ok(Math.abs(x - 16) < 2 && y > 12 && y < 24, `${x}, ${y}`);
    }
    const ninth = await frameOfPhoto(analyzer, { size: 32, face: 9 })("two.jpg", two)();
    assert.ok(ninth._tag === "Left" && ninth.left._tag === "BadSample");
    assert.match(`${ninth.left.key}: ${ninth.left.message}`, /two\.jpg: .*expected number 9/);
  },
);

photos("a small face in the corner of a large picture is found", async (analyzer) => {
  const photo = await groupPhoto();
  const [face] = await right(
    findFaces(analyzer, resample(photo, { x: 280, y: 250, width: 900, height: 600 }, 450, 300)),
  );
  assert.ok(face);
  const [x, y] = faceCentre(face), side = 3 * faceSide(face);
  const head = resample(
    photo,
    { x: 280 + 2 * x - side, y: 250 + 2 * y - side, width: 2 * side, height: 2 * side },
    150,
    150,
  );
  const large = paste(makeImage(1300, 900, [110, 120, 100]), head, 1130, 730);
  const [found] = await right(findFaces(analyzer, large));
  assert.ok(found, "no face was found");
  const [u, v] = faceCentre(found);
  assert.ok(Math.hypot(u - 1205, v - 805) < 25, `found at ${u}, ${v}`);
});

photos("lying on its side by EXIF is as good as upright", async (analyzer) => {
  const photo = await groupPhoto();
  const upright = resample(photo, { x: 280, y: 250, width: 900, height: 600 }, 450, 300);
  const folder = await Deno.makeTempDir();
  try {
    await right(writeImage(`${folder}/upright.jpg`, upright));
    const lying = await right(encodeJpeg(quarterTurn(upright)));
    await Deno.writeFile(`${folder}/lying.jpg`, withExif(lying, 6));
    const [a, b] = await Promise.all(
      ["upright", "lying"].map((name) =>
        right(readPhoto(analyzer, { size: 64 })(`${folder}/${name}.jpg`))
      ),
    );
    assert.ok(a && b && movement(a.landmarks, b.landmarks) < 0.05);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

photos("a wall is refused by name, and so is a face of a few pixels", async (analyzer) => {
  const cut = frameOfPhoto(analyzer, { size: 64 });
  const wall = await cut("wall.png", makeImage(300, 200, [99, 120, 60]))();
  assert.ok(wall._tag === "Left" && wall.left._tag === "BadSample");
  assert.deepEqual([wall.left.key, wall.left.reason], ["wall.png", "no face"]);
  const photo = await groupPhoto();
  const two = resample(photo, { x: 280, y: 250, width: 900, height: 600 }, 450, 300);
  const small = await frameOfPhoto(analyzer, { size: 512 })("small.png", two)();
  assert.ok(small._tag === "Left" && small.left._tag === "BadSample");
  assert.equal(small.left.reason, "face too small");
});

Deno.test("photos", async (t) => {
  const analyzer = await right(createFaceAnalyzer());
  try {
    for (const [name, step] of steps) await t.step(name, () => step(analyzer));
  } finally {
    await analyzer.close();
  }
});
