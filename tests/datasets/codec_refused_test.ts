/** Files that are no pictures, or too large ones. */
import assert from "node:assert/strict";
import { decodeImage, encodeJpeg, encodePng, readImage, writeImage } from "../../datasets/codec.ts";
import { MAX_SIDE, readImageHeader } from "../../datasets/image_header.ts";
import { E } from "../../pipeline/core/fp.ts";
import type { Image } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";
import { bytesOf, message, noise, right, smooth } from "./codec_pictures.ts";

/** A PNG that ends after its header chunk. */
const pngHeader = (width: number, height: number): Uint8Array => {
  const bytes = new Uint8Array(33), view = new DataView(bytes.buffer);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 2], 24);
  return bytes;
};

/** Of this test file: others run beside it in the same process. */
const ownMemory = (): number => {
  const { heapTotal, external } = Deno.memoryUsage();
  return heapTotal + external;
};

Deno.test("codec: too large is refused by the header alone", async () => {
  const before = ownMemory();
  assert.match(
    await message(pngHeader(60_000, 60_000), "bomb.png"),
    /^Cannot read bomb\.png: it is 60000×60000 px, expected at most 16384 px a side and 100 mega/,
  );
  assert.ok(ownMemory() - before < 100e6);
  assert.match(await message(pngHeader(10_001, 10_000)), /expected at most/);
  assert.match(await message(pngHeader(MAX_SIDE + 1, 1)), /expected at most/);
  assert.match(await message(pngHeader(0, 5)), /it is 0×5 px, expected at least 1×1/);
  assert.ok(E.isRight(readImageHeader(pngHeader(10_000, 10_000))));
  const jpeg = await right(encodeJpeg(smooth(16, 16)));
  const frame = jpeg.findIndex((b, i) => b === 0xff && [0xc0, 0xc2].includes(jpeg[i + 1] ?? 0));
  jpeg.set([0xff, 0xff, 0xff, 0xff], frame + 5);
  assert.match(await message(jpeg, "bomb.jpg"), /65535×65535/);
  const webp = bytesOf("lossless.webp").slice();
  webp.set([0xff, 0xff, 0xff, 0x0f], 21);
  assert.ok(E.isRight(readImageHeader(bytesOf("lossless.webp"))));
  assert.match(await message(webp, "bomb.webp"), /16384×16384 px, expected at most/);
});

Deno.test("codec: broken files are values, and the codec goes on working", async () => {
  const files = {
    "a.png": await right(encodePng(smooth(40, 30))),
    "a.jpg": await right(encodeJpeg(smooth(40, 30))),
    "a.webp": bytesOf("lossy.webp"),
  };
  assert.match(await message(new Uint8Array(0)), /neither PNG, JPEG nor WebP/);
  assert.match(await message(new TextEncoder().encode("GIF89a")), /neither PNG, JPEG nor WebP/);
  const draw = makeRng(11).draw();
  for (const [name, whole] of Object.entries(files)) {
    for (const part of [5, 20, whole.length >> 1, whole.length - 8]) {
      assert.match(await message(whole.slice(0, part), name), /^Cannot read a\.\w+: .+, expected/);
    }
    for (let i = 0; i < 40; i++) { // any damage gives a picture or a value, never a throw
      const damaged = whole.slice();
      for (let k = 0; k < 4; k++) damaged[draw.integer(damaged.length)] = draw.integer(256);
      await decodeImage(damaged, name)();
    }
    await right(decodeImage(whole, name));
  }
  const animated = bytesOf("lossy.webp").slice();
  animated.set(new TextEncoder().encode("VP8X"), 12);
  animated[20] = 2;
  assert.match(await message(animated), /it is an animation, expected a still picture/);
});

Deno.test("codec: pictures without pixels or with too few bytes are refused", async () => {
  const empty: Image = { width: 0, height: 5, channels: 3, data: new Uint8Array(0) };
  const short: Image = { width: 2, height: 2, channels: 3, data: new Uint8Array(3) };
  for (const image of [empty, short]) {
    assert.ok(E.isLeft(await encodePng(image)()) && E.isLeft(await encodeJpeg(image)()));
  }
});

Deno.test("codec: files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const image = noise(8, 8);
    await right(writeImage(`${folder}/a.png`, image));
    assert.deepEqual(await right(readImage(`${folder}/a.png`)), image);
    await right(writeImage(`${folder}/a.JPG`, image));
    assert.equal((await right(readImage(`${folder}/a.JPG`))).width, 8);
    for (const path of [`${folder}/none.png`, folder]) {
      const missing = await readImage(path)();
      assert.ok(E.isLeft(missing) && missing.left.message.startsWith(`Cannot read ${path}: `));
    }
    const unwritable = await writeImage(`${folder}/none/a.png`, image)();
    assert.ok(E.isLeft(unwritable) && unwritable.left.message.startsWith("Cannot write "));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
