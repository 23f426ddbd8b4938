/** Small whole files of every kind that is read, made on the spot. */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import encodeJpegRgba from "npm:@jsquash/jpeg@1.6.0/encode.js";
import encodeWebpRgba from "npm:@jsquash/webp@1.5.0/encode.js";
import { encodeJpeg, encodePng, encodeWebp } from "../../datasets/codec.ts";
import { packMembers, TAR_END } from "../../datasets/prepare/tar.ts";
import { trackText } from "../../datasets/track/landmark_track.ts";
import { writeClip } from "../../datasets/video/clip_file.ts";
import type { HostTensors } from "../../pipeline/core/elements.ts";
import type { Frame, Image } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";
import { writeSafetensors } from "../../pipeline/core/safetensors.ts";
import { encodePerson } from "../../pipeline/programs/person_file.ts";
import { decodeRunConfig } from "../../pipeline/programs/run_config.ts";
import { withExif } from "../datasets/exif.ts";
import { right } from "../datasets/video_fixtures.ts";
import { fill } from "../models/hashed.ts";
import {
  asHost,
  type Floats,
  writeCaffemodel,
  writeTorchLegacy,
  writeTorchZip,
} from "../models/weights/writers.ts";
import { testPerson } from "../pipeline/programs/driven.ts";
import { type Bytes, joined } from "./damage.ts";
import { bundle, mendPng } from "./mend.ts";

type Seeds = () => Promise<readonly Bytes[]>;

const always = (...files: readonly Uint8Array[]): Seeds => () =>
  Promise.resolve(files.map((file) => joined(file)));
const utf8 = (text: string): Bytes => joined(new TextEncoder().encode(text));
const json = (value: unknown): Bytes => utf8(JSON.stringify(value, undefined, 1));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const floats = (shapes: Readonly<Record<string, readonly number[]>>): Floats =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { shape, data: fill(name, shape.reduce((a, b) => a * b, 1)) },
    ]),
  );

/** The first layer of VGG19, as Caffe and as PyTorch call it: weights that can be converted. */
const caffe = floats({ "conv1_1/0": [64, 3, 3, 3], "conv1_1/1": [64] });
const torch = floats({ "features.0.weight": [64, 3, 3, 3], "features.0.bias": [64] });
const tiny = floats({ "a/0": [2, 1, 3, 3], "a/1": [2] });

const mixed: HostTensors = {
  ...asHost(floats({ "E/block0/conv1/kernel": [1, 1, 2, 3], "E/gamma": [] })),
  "D/steps": { dtype: "I32", shape: [2], data: Int32Array.of(1, -1) },
  "wide": { dtype: "F64", shape: [1], data: Float64Array.of(0.5) },
};
const halves = joined(
  Uint8Array.of(112, 0, 0, 0, 0, 0, 0, 0),
  utf8(
    '{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},' +
      '"b":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}}'.padEnd(58),
  ),
  new Uint8Array(12),
);

export const safetensors = always(
  writeSafetensors(mixed, { preset: "toy-64", note: 'a "quoted" word' }),
  writeSafetensors({}),
  halves,
);

export const caffemodels = always(
  ...[writeCaffemodel(tiny), writeCaffemodel(tiny, { old: true }), writeCaffemodel(caffe)],
);

const golden = (name: string): Promise<Bytes> =>
  Deno.readFile(new URL(`../models/weights/golden/${name}`, import.meta.url));

export const zips: Seeds = async () => [
  await golden("tiny_zip.pth"),
  await writeTorchZip(tiny),
  await writeTorchZip(torch),
];

export const legacies: Seeds = async () => [
  await golden("tiny_legacy.pth"),
  writeTorchLegacy(tiny),
  writeTorchLegacy(torch),
];

const manifestOf = (weights: Floats, dtype: string): Bytes => {
  const listed = Object.entries(weights).map(([name, { shape }]) => ({ name, shape, dtype }));
  const shard = Object.values(weights).map(({ data }) =>
    dtype === "float16" ? new Uint8Array(new Float16Array(data).buffer) : new Uint8Array(
      data.buffer,
    )
  );
  return bundle(json([{ paths: ["weights.bin"], weights: listed }]), joined(...shard));
};

export const manifests = always(
  ...[manifestOf(tiny, "float32"), manifestOf(tiny, "float16"), manifestOf(torch, "float32")],
);

const noise = (width: number, height: number): Image => {
  const draw = makeRng(5).fold(width).fold(height).draw();
  const data = Uint8Array.from({ length: 3 * width * height }, () => draw.integer(256));
  return { width, height, channels: 3, data };
};

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

const points = (size: number): Float32Array =>
  Float32Array.from({ length: 136 }, (_, i) => (i * 7919) % size);

const sample = (frame: number): Bytes =>
  utf8(JSON.stringify({
    ...{ identity: "ada", video: "v", clip: "c", frame, time: frame / 5, sharpness: 0.5 },
    landmarks: [...points(16)],
  }));

const id = "0123456789abcdef";
const members = async () => {
  const picture = await right(encodeJpeg(noise(16, 16), 80));
  return [0, 1].flatMap((frame) => [
    { name: `${id}-00000${frame}.jpg`, data: picture },
    { name: `${id}-00000${frame}.json`, data: sample(frame) },
  ]);
};

export const shards: Seeds = async () => [joined(await packMembers(await members()), TAR_END)];

export const prepared: Seeds = async () => {
  const all = await members(), shard = joined(await packMembers(all), TAR_END);
  const [first = 0, firstText = 0, second = 0, secondText = 0] = all.map(({ data }) => data.length);
  const quality = {
    ...{ face: 8, sharpness: 1, rawJitter: null, jitter: 0.1 },
    ...{ decoded: 2, lost: 0, blurred: 0, duplicate: 0 },
  };
  const list = json({
    ...{ format: "headshot-shard-1", name: "train-00000", split: "train", plan: sha256(shard) },
    ...{ bytes: shard.length, sha256: sha256(shard), rejects: [] },
    clips: [{
      ...{ key: "ada/v/c", identity: "ada", video: "v", id, numbers: [0, 1], times: [0, 0.2] },
      ...{ sizes: [[first, firstText], [second, secondText]], bytes: shard.length - 1024, quality },
      offset: 0,
    }],
  });
  const none = { identities: 0, sequences: 0, clips: 0, frames: 0 };
  const index = json({
    format: "headshot-prepared-1",
    settings: {
      ...{ size: 16, fps: 5, frames: 9, minFrames: 1, format: "jpeg", quality: 80 },
      ...{ validation: 0, test: 0, clipsPerShard: 1 },
    },
    splits: {
      train: { identities: 1, sequences: 1, clips: 1, frames: 2 },
      validation: none,
      test: none,
    },
    rejected: 0,
    shards: [{
      ...{ name: "train-00000", split: "train", clips: 1, frames: 2, bytes: shard.length },
      ...{ sha256: sha256(shard), list: sha256(list) },
    }],
  });
  return [bundle(index, list, shard)];
};

export const clips: Seeds = async () => {
  const folder = await Deno.makeTempDir(), path = `${folder}/clip`;
  const frames: readonly Frame[] = [1, 2, 3].map(() => ({
    image: noise(8, 8),
    landmarks: points(8),
  }));
  try {
    await right(writeClip(path, 8, frames));
    return [await Deno.readFile(path)];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

export const tracks = always(
  utf8(trackText({ framesPerSecond: 25, size: 64, frames: [points(64), null, points(64)] })),
  utf8(trackText({ framesPerSecond: 0.5, size: 16, frames: [null] })),
);

const settings = {
  preset: "test-16",
  seed: 3,
  training: {
    steps: 20,
    generatorRate: 5e-5,
    match: { start: 0, end: 80, from: 0, to: 100 },
    content: [{ network: "pixels", taps: [], weight: 1 }],
  },
};

export const configs = always(
  utf8(
    '{\n  // A comment.\n  "preset": "test-16", /* another */\n  "training": { "steps": 5, },\n}',
  ),
  json({ ...settings, judge: { people: 2, shots: 1, targets: 1 }, data: "synthetic" }),
  utf8("null"),
);

const whole = decodeRunConfig(settings);
export const runs = always(
  bundle(
    json("right" in whole ? whole.right : settings),
    json([{ step: 4, reason: "the generator paints one flat colour" }]),
  ),
);

export const tables = always(
  utf8('file,identity,video\n"a, b.mp4",ada,v1\r\nc.mp4,"ada ""the"" first",v2\n'),
  utf8("\ufeffidentity,file\rada,a.mp4\r"),
);

export const people = (): Promise<readonly Bytes[]> =>
  Promise.resolve([encodePerson(testPerson())]);

export const checkpoints: Seeds = () => {
  const parts = [writeSafetensors(mixed, { step: "1" }), writeSafetensors(asHost(tiny))];
  const [weights, state] = parts.map((part) => ({ bytes: part.length, sha256: sha256(part) }));
  const meta = json({
    ...{ format: 1, step: 1, seed: 1, architecture: "test-16/1", config: settings, score: 0.5 },
    ...{ time: "2026-01-01T00:00:00.000Z", files: { weights, state } },
  });
  return Promise.resolve([bundle(meta, ...parts)]);
};
