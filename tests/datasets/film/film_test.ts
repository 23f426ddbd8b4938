/** Marks, labels and names of films. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { encodePng } from "../../../datasets/codec.ts";
import { crc32, gifComment, gifHeadLength, labelPng } from "../../../datasets/film/label.ts";
import { enlarge, markSynthetic } from "../../../datasets/film/mark.ts";
import { filmKind, putInPlace } from "../../../datasets/film/output.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { type Image, makeImage } from "../../../pipeline/core/image.ts";
import { left, right, withFolder } from "../video_fixtures.ts";

const pixel = ({ data, width }: Image, x: number, y: number): readonly number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

Deno.test("mark: 9 × 7 pixels in the corner of the panel, black and white, nothing else", () => {
  const grey = makeImage(128, 64, [90, 90, 90]), marked = markSynthetic(grey, 64, 64);
  for (let y = 0; y < 64; y++) {
    for (let x = 0; x < 128; x++) {
      const inside = x >= 128 - 9 && y >= 64 - 7, [value = 0] = pixel(marked, x, y);
      assert.ok(inside ? value === 0 || value === 255 : value === 90, `${x}, ${y}: ${value}`);
    }
  }
  assert.ok(marked.data.includes(255));
  assert.ok(!grey.data.includes(255), "the picture itself was changed");
});

Deno.test("mark: twice as large at 256, and whole pictures smaller than it survive", () => {
  const large = markSynthetic(makeImage(256, 256, [90, 90, 90]));
  assert.deepEqual(pixel(large, 256 - 18, 256 - 14), [0, 0, 0]);
  assert.deepEqual(pixel(large, 256 - 19, 255), [90, 90, 90]);
  assert.equal(markSynthetic(makeImage(4, 3)).data.length, 36);
});

Deno.test("enlarge: every pixel becomes a square", () => {
  const image: Image = {
    width: 3,
    height: 2,
    channels: 3,
    data: Uint8Array.from({ length: 18 }, (_, i) => i),
  };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), (times) => {
      const large = enlarge(image, times);
      assert.deepEqual([large.width, large.height], [3 * times, 2 * times]);
      for (let y = 0; y < large.height; y++) {
        for (let x = 0; x < large.width; x++) {
          const from = pixel(image, Math.floor(x / times), Math.floor(y / times));
          assert.deepEqual(pixel(large, x, y), from);
        }
      }
    }),
  );
});

Deno.test("label: the chunk of a PNG has its length and checksum", async () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  const png = await right(encodePng(makeImage(2, 2)));
  const labelled = labelPng(png, "made up – by us");
  const view = new DataView(labelled.buffer), length = view.getUint32(33);
  const content = labelled.subarray(37, 41 + length);
  assert.equal(new TextDecoder().decode(content), "tEXtComment\0made up ? by us");
  assert.equal(view.getUint32(41 + length), crc32(content));
  assert.deepEqual(labelled.subarray(45 + length), png.subarray(33));
});

Deno.test("label: a GIF comment is one block, its place is behind the colour table", () => {
  const comment = gifComment("x".repeat(300));
  assert.deepEqual([...comment.subarray(0, 3)], [0x21, 0xfe, 255]);
  assert.equal(comment.length, 3 + 255 + 1);
  assert.equal(comment.at(-1), 0);
  const start = new Uint8Array(13);
  assert.equal(gifHeadLength(start), 13);
  start[10] = 0x80 | 7;
  assert.equal(gifHeadLength(start), 13 + 768);
});

Deno.test("names: mp4, gif and folders are films, other endings are not", () => {
  for (
    const [path, kind] of [["a.MP4", "mp4"], ["b/c.gif", "gif"], ["d", "folder"], ["e.f", "folder"]]
  ) {
    assert.deepEqual(filmKind(path!), E.right(kind));
  }
  for (const path of ["a.png", "b.webm", "c.safetensors"]) assert.ok(E.isLeft(filmKind(path)));
});

Deno.test("names: a file or a folder that exists is not replaced", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/new`, "new");
    await Deno.writeTextFile(`${folder}/old`, "old");
    const error = await left(putInPlace(`${folder}/new`, `${folder}/old`));
    assert.match(error.message, /old: it exists by now, expected a new name$/);
    assert.equal(await Deno.readTextFile(`${folder}/old`), "old");
    await Deno.mkdir(`${folder}/pictures`);
    await left(putInPlace(`${folder}/pictures`, `${folder}/old`));
    await right(putInPlace(`${folder}/pictures`, `${folder}/film/`));
    await right(putInPlace(`${folder}/new`, `${folder}/newer`));
    assert.equal(await Deno.readTextFile(`${folder}/newer`), "new");
  }));
