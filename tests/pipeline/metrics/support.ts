/** What the tests of the metrics share: the generators of golden.py. */
import type { Image } from "../../../pipeline/core/image.ts";
import { fill } from "../../models/hashed.ts";

/** Flat squares of 4×4 pixels with noise on top, the same bytes as golden.py makes. */
export const picture = (name: string, height: number, width: number): Image => {
  const across = Math.ceil(width / 4);
  const coarse = fill(`${name}/coarse`, Math.ceil(height / 4) * across * 3);
  const fine = fill(`${name}/fine`, height * width * 3);
  const data = Uint8Array.from(fine, (noise, i) => {
    const c = i % 3, x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    const square = coarse[(Math.floor(y / 4) * across + Math.floor(x / 4)) * 3 + c] ?? 0;
    return Math.min(255, Math.max(0, Math.floor((square * 3 + noise + 4) * 32)));
  });
  return { width, height, channels: 3, data };
};

/** Some of one picture and the rest of another, in eighths. */
export const blend = (a: Image, b: Image, keep: number): Image => ({
  ...a,
  data: a.data.map((value, i) => Math.floor((value * keep + (b.data[i] ?? 0) * (8 - keep)) / 8)),
});

/** Rows of hashed numbers. */
export const rows = (name: string, count: number, length: number): readonly Float64Array[] => {
  const values = Float64Array.from(fill(name, count * length));
  return Array.from({ length: count }, (_, i) => values.slice(i * length, (i + 1) * length));
};
