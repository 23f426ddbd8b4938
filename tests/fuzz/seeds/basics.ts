/** What seeds are made of: bytes, words, sums, made-up numbers. */
import { createHash } from "node:crypto";
import type { HostTensors } from "../../../pipeline/core/elements.ts";
import type { Image } from "../../../pipeline/core/image.ts";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { fill } from "../../models/hashed.ts";
import { asHost, type Floats } from "../../models/weights/writers.ts";
import { type Bytes, joined } from "../damage.ts";

/** Makes the seeds of a kind. */
export type Seeds = () => Promise<readonly Bytes[]>;

/** Seeds that are the same files each time. */
export const always = (...files: readonly Uint8Array[]): Seeds => () =>
  Promise.resolve(files.map((file) => joined(file)));

/** A text as bytes. */
export const utf8 = (text: string): Bytes => joined(new TextEncoder().encode(text));

/** A value as the bytes of its JSON. */
export const json = (value: unknown): Bytes => utf8(JSON.stringify(value, undefined, 1));

/** A sum in hexadecimal digits. */
export const sha256 = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

/** Made-up tensors of these shapes. */
export const floats = (shapes: Readonly<Record<string, readonly number[]>>): Floats =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { shape, data: fill(name, shape.reduce((a, b) => a * b, 1)) },
    ]),
  );

/** A layer of next to nothing. */
export const tiny = floats({ "a/0": [2, 1, 3, 3], "a/1": [2] });

/** Tensors of several types and shapes. */
export const mixed: HostTensors = {
  ...asHost(floats({ "E/block0/conv1/kernel": [1, 1, 2, 3], "E/gamma": [] })),
  "D/steps": { dtype: "I32", shape: [2], data: Int32Array.of(1, -1) },
  "wide": { dtype: "F64", shape: [1], data: Float64Array.of(0.5) },
};

/** A picture of noise. */
export const noise = (width: number, height: number): Image => {
  const draw = makeRng(5).fold(width).fold(height).draw();
  const data = Uint8Array.from({ length: 3 * width * height }, () => draw.integer(256));
  return { width, height, channels: 3, data };
};

/** 68 points within a side. */
export const points = (size: number): Float32Array =>
  Float32Array.from({ length: 136 }, (_, i) => (i * 7919) % size);
