/** Small whole pictures. */
import { deflateSync } from "node:zlib";
import encodeJpegRgba from "npm:@jsquash/jpeg@1.6.0/encode.js";
import encodeWebpRgba from "npm:@jsquash/webp@1.5.0/encode.js";
import { encodeJpeg, encodePng, encodeWebp } from "../../../datasets/codec.ts";
import { withExif } from "../../datasets/exif.ts";
import { right } from "../../datasets/video_fixtures.ts";
import { type Bytes, joined } from "../damage.ts";
import { mendPng } from "../mend.ts";
import { noise, type Seeds, utf8 } from "./basics.ts";

/** A picture with an alpha channel. */
const rgba = (side: number): ImageData => {
  const data = new Uint8ClampedArray(4 * side * side).map((_, i) => (i * 37) % 256);
  return { width: side, height: side, data, colorSpace: "srgb" } as ImageData;
};

export const jpegs: Seeds = async () => {
  const progressive = await right(encodeJpeg(noise(33, 18)));
  const settings = { quality: 80, progressive: false, optimize_coding: false };
  const baseline = new Uint8Array(await encodeJpegRgba(rgba(16), settings));
  return [progressive, baseline, withExif(baseline, 6)].map((file) => joined(file));
};

const chunk = (name: string, data: Uint8Array): Bytes => {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, data.length);
  return joined(length, utf8(name), data, new Uint8Array(4));
};

/** A PNG with a palette of two colours, one bit a pixel, interlaced. */
const palette = mendPng(joined(
  Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 0x1a, 10),
  chunk("IHDR", Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 8, 1, 3, 0, 0, 1)),
  chunk("PLTE", Uint8Array.of(0, 0, 0, 255, 255, 255)),
  chunk("IDAT", joined(deflateSync(new Uint8Array(30)))),
  chunk("IEND", new Uint8Array()),
));

export const pngs: Seeds = async () => [
  joined(await right(encodePng(noise(17, 9)))),
  palette,
];

export const webps: Seeds = async () => [
  joined(await right(encodeWebp(noise(16, 20)))),
  joined(new Uint8Array(await encodeWebpRgba(rgba(12), { lossless: 1 }))),
  joined(new Uint8Array(await encodeWebpRgba(rgba(12), { quality: 50 }))),
];
