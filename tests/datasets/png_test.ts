/** PNG of every kind: the same pixels as another decoder gives; damage leaves nothing behind. */
import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import decodeOther from "npm:@jsquash/png@3.1.1/decode.js";
import { decodeImage, encodeJpeg, encodePng, encodeWebp } from "../../datasets/codec.ts";
import { decodePng } from "../../datasets/png.ts";
import { E } from "../../pipeline/core/fp.ts";
import { type Draw, makeRng } from "../../pipeline/core/rng.ts";
import { type Bytes, joined } from "../fuzz/damage.ts";
import { mendPng } from "../fuzz/mend.ts";
import { right } from "./video_fixtures.ts";

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);

const chunk = (name: string, data: Uint8Array): Bytes => {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, data.length);
  return joined(length, new TextEncoder().encode(name), data, new Uint8Array(4));
};

const header = (
  width: number,
  height: number,
  depth: number,
  type: number,
  interlaced: boolean,
): Bytes => {
  const data = new Uint8Array(13), view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([depth, type, 0, 0, Number(interlaced)], 8);
  return chunk("IHDR", data);
};

const png = (...chunks: readonly Uint8Array[]): Bytes =>
  mendPng(joined(signature, ...chunks, chunk("IEND", new Uint8Array())));

const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Rows of random filters and samples, as they stand before they are packed. */
const rows = (draw: Draw, columns: number, count: number, bits: number): Uint8Array => {
  const stride = Math.ceil(columns * bits / 8), all = new Uint8Array(count * (1 + stride));
  for (let j = 0; j < all.length; j++) {
    all[j] = j % (1 + stride) === 0 ? draw.integer(5) : draw.integer(256);
  }
  return columns === 0 ? new Uint8Array() : all;
};

const adam7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4]].concat(
  [[1, 0, 2, 2], [0, 1, 1, 2]],
);

Deno.test("a PNG of every kind, depth and order gives the pixels of another decoder", async () => {
  const draw = makeRng(4).fold("png").draw();
  const side = (length: number, from = 0, step = 1) =>
    Math.max(0, Math.ceil((length - from) / step));
  let compared = 0;
  for (const type of [0, 2, 3, 4, 6]) {
    for (const depth of [1, 2, 4, 8, 16]) {
      if ((depth < 8 && type !== 0 && type !== 3) || (depth === 16 && type === 3)) continue;
      for (const interlaced of [false, true]) {
        for (const [width, height] of [[1, 1], [3, 2], [13, 9]] as const) {
          const bits = depth * (channelsOf[type] ?? 1);
          const passes = interlaced ? adam7 : [[0, 0, 1, 1]];
          const raw = joined(
            ...passes.map(([x, y, dx, dy]) =>
              rows(draw, side(width, x, dx), side(height, y, dy), bits)
            ),
          );
          const palette = Uint8Array.from({ length: 3 << depth }, () => draw.integer(256));
          const clear = Uint8Array.from({ length: 5 }, () => draw.integer(256));
          const key = new Uint8Array(type === 2 ? 6 : 2);
          const extra = type === 3
            ? [chunk("PLTE", palette), chunk("tRNS", clear.subarray(0, 1 << Math.min(2, depth)))]
            : type < 3
            ? [chunk("tRNS", key)]
            : [];
          const packed = joined(deflateSync(raw));
          const half = packed.length >> 1;
          const file = png(
            header(width, height, depth, type, interlaced),
            ...extra,
            chunk("IDAT", packed.subarray(0, half)),
            chunk("IDAT", packed.subarray(half)),
          );
          const image = decodePng(file), other = await decodeOther(file.buffer);
          const expected = Array.from({ length: width * height }, (_, i) => {
            const [r = 0, g = 0, b = 0, a = 255] = other.data.subarray(4 * i, 4 * i + 4);
            return [r, g, b].map((v) => Math.floor((v * a + 255 * (255 - a) + 127) / 255));
          }).flat();
          assert.deepEqual([...image.data], expected, `type ${type}, ${depth} bits, ${interlaced}`);
          compared++;
        }
      }
    }
  }
  assert.equal(compared, 90);
});

Deno.test("a PNG that promises more or less than it holds is refused before it is unpacked", () => {
  const bomb = chunk("IDAT", joined(deflateSync(new Uint8Array(50_000_000))));
  const few = chunk("IDAT", joined(deflateSync(new Uint8Array(10))));
  const of = (...chunks: readonly Uint8Array[]) => () => decodePng(png(...chunks));
  const small = header(4, 4, 8, 2, false), large = header(16_000, 6_000, 16, 6, false);
  const before = performance.now();
  assert.throws(of(small, bomb), Error);
  assert.throws(of(large, few), /its pixels are missing/);
  assert.throws(of(small, few), /not as many/);
  assert.throws(of(small), /its pixels are missing/);
  assert.throws(of(header(4, 4, 3, 2, false), few), /a kind that does not exist/);
  assert.throws(
    of(header(4, 4, 8, 3, false), chunk("IDAT", joined(deflateSync(new Uint8Array(20))))),
    /palette/,
  );
  assert.ok(performance.now() - before < 1000);
});

Deno.test("thousands of broken pictures later, whole ones are read as before", async () => {
  const draw = makeRng(6).fold("noise").draw();
  const data = Uint8Array.from({ length: 48 * 48 * 3 }, () => draw.integer(256));
  const image = { width: 48, height: 48, channels: 3, data } as const;
  for (const encode of [encodeJpeg, encodePng, encodeWebp]) {
    const whole = await right(encode(image)), expected = await right(decodeImage(whole, "it"));
    const broken = whole.slice();
    // In the middle of the pixels: the decoder has begun and gives up.
    broken.fill(0xff, whole.length >> 2, (whole.length >> 2) + 40);
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      broken[whole.length >> 2] = i;
      broken[(whole.length >> 2) + 7] = i >> 3;
      // A WebP has no sum and no end mark: it is broken where it is cut.
      const file = encode === encodeWebp ? whole.subarray(0, whole.length - 1 - i) : broken;
      if (E.isLeft(await decodeImage(file, "it")())) refused++;
    }
    assert.deepEqual(await right(decodeImage(whole, "it")), expected);
    assert.ok(refused > 150, `${encode.name}: only ${refused} refused`);
  }
});
