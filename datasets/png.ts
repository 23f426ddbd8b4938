/**
 * PNG files to pixels (ISO/IEC 15948). Its own, because the decoders in WebAssembly and JavaScript
 * that there are fall into a state of their own after a thousand broken files, or unpack whatever a
 * file holds; here nothing is larger than what the header promises, and nothing is left behind.
 *
 * @module
 */
import { crc32, inflateSync } from "node:zlib";
import type { Image } from "../pipeline/core/image.ts";

/** What the first chunk says. */
interface Layout {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  readonly channels: number;
  readonly indexed: boolean;
  /** Whether the last channel is alpha. */
  readonly alpha: boolean;
  readonly interlaced: boolean;
}

/** Chunks that are of use. */
interface Chunks {
  readonly layout: Layout;
  /** R, G, B one after the other. */
  readonly palette: Uint8Array;
  /** Alphas of the palette, or the one colour that is transparent, 16 bits a sample. */
  readonly transparency: Uint8Array;
  readonly packed: Uint8Array;
}

/** A rectangle of rows: every `dx`-th pixel of every `dy`-th row. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}

const whole: readonly Pass[] = [{ x: 0, y: 0, dx: 1, dy: 1 }];
/** Adam7. */
const interlace: readonly Pass[] = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];

/** Channels and possible depths by colour type. */
const kinds: Readonly<Record<number, readonly [channels: number, depths: readonly number[]]>> = {
  0: [1, [1, 2, 4, 8, 16]],
  2: [3, [8, 16]],
  3: [1, [1, 2, 4, 8]],
  4: [2, [8, 16]],
  6: [4, [8, 16]],
};

/** Deflate makes at most so many bytes out of one. */
const mostInflation = 1032;

const refuse = (problem: string): never => {
  throw new Error(problem);
};

const readLayout = (data: Uint8Array): Layout => {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length !== 13) return refuse("its header is of another length");
  const [depth = 0, type = -1, compression, filter, interlaced = 2] = data.subarray(8);
  const [channels = 0, depths = []] = kinds[type] ?? [];
  if (!depths.includes(depth) || compression !== 0 || filter !== 0 || interlaced > 1) {
    return refuse("its header tells a kind that does not exist");
  }
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    ...{ depth, channels, indexed: type === 3, alpha: type > 3, interlaced: interlaced === 1 },
  };
};

const readChunks = (bytes: Uint8Array): Chunks => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data: Uint8Array[] = [];
  let layout: Layout | undefined, type = "";
  let palette = new Uint8Array() as Uint8Array, transparency = palette;
  for (let at = 8; type !== "IEND";) {
    if (at + 12 > bytes.length) return refuse("it is cut off");
    const length = view.getUint32(at), end = at + 8 + length;
    if (end + 4 > bytes.length) return refuse("it is cut off");
    const content = bytes.subarray(at + 8, end);
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const critical = /^[A-Z]/.test(type);
    if (
      (critical || type === "tRNS") && crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)
    ) {
      return refuse(`its ${type} is damaged`);
    }
    if (type === "IHDR" && !layout) layout = readLayout(content);
    else if (type === "PLTE") palette = content;
    else if (type === "tRNS") transparency = content;
    else if (type === "IDAT") data.push(content);
    else if (critical && type !== "IEND") return refuse(`it has a chunk ${type}`);
    at = end + 4;
  }
  if (!layout) return refuse("it has no header");
  const packed = new Uint8Array(data.reduce((sum, { length }) => sum + length, 0));
  data.reduce((at, piece) => {
    packed.set(piece, at);
    return at + piece.length;
  }, 0);
  return { layout, palette, transparency, packed };
};

const sideOf = (length: number, start: number, step: number): number =>
  Math.max(0, Math.ceil((length - start) / step));

const rowBytes = ({ channels, depth }: Layout, width: number): number =>
  Math.ceil(width * channels * depth / 8);

/** Undoes the filter of a row in place; `above` is the row before it, unfiltered. */
const unfilter = (kind: number, row: Uint8Array, above: Uint8Array, step: number): void => {
  const start = Math.min(step, row.length);
  switch (kind) { // a loop for each: one for all takes three times as long
    case 0:
      return;
    case 1:
      for (let i = step; i < row.length; i++) row[i]! += row[i - step]!;
      return;
    case 2:
      for (let i = 0; i < row.length; i++) row[i]! += above[i]!;
      return;
    case 3:
      for (let i = 0; i < start; i++) row[i]! += above[i]! >> 1;
      for (let i = step; i < row.length; i++) row[i]! += (row[i - step]! + above[i]!) >> 1;
      return;
    case 4:
      for (let i = 0; i < start; i++) row[i]! += above[i]!;
      for (let i = step; i < row.length; i++) {
        const left = row[i - step]!, up = above[i]!, corner = above[i - step]!;
        const a = Math.abs(up - corner), b = Math.abs(left - corner);
        const c = Math.abs(left + up - 2 * corner);
        row[i]! += a <= b && a <= c ? left : b <= c ? up : corner;
      }
      return;
    default:
      refuse("a row has a filter that does not exist");
  }
};

/** The samples of a row as they are stored. */
const unpack = (row: Uint8Array, depth: number, samples: Uint16Array): void => {
  const mask = (1 << depth) - 1;
  for (let i = 0; i < samples.length; i++) {
    if (depth === 8) samples[i] = row[i] ?? 0;
    else if (depth === 16) samples[i] = ((row[2 * i] ?? 0) << 8) | (row[2 * i + 1] ?? 0);
    else samples[i] = ((row[(i * depth) >> 3] ?? 0) >> (8 - depth - (i * depth) % 8)) & mask;
  }
};

/** Writes the colour of a pixel; `samples` are those of its row, from `from` on. */
type Paint = (samples: Uint16Array, from: number, data: Uint8Array, to: number) => void;

/** A colour on white, which shows where it is transparent, as on a page. */
const put = (data: Uint8Array, to: number, r: number, g: number, b: number, alpha: number) => {
  const under = 255 * (255 - alpha) + 127;
  data[to] = (r * alpha + under) / 255;
  data[to + 1] = (g * alpha + under) / 255;
  data[to + 2] = (b * alpha + under) / 255;
};

/** Writes a row of 8-bit R, G, B, with or without alpha. */
const copyRow = (row: Uint8Array, channels: number, data: Uint8Array, to: number): void => {
  if (channels === 3) return data.set(row, to);
  for (let from = 0; from < row.length; from += 4, to += 3) {
    put(data, to, row[from]!, row[from + 1]!, row[from + 2]!, row[from + 3]!);
  }
};

const painter = ({ layout, palette, transparency }: Chunks): Paint => {
  const { depth, channels, indexed, alpha } = layout;
  if (indexed) {
    return (samples, from, data, to) => {
      const index = samples[from] ?? 0;
      if (3 * index + 3 > palette.length) refuse("it uses a colour that its palette has not");
      const [r = 0, g = 0, b = 0] = palette.subarray(3 * index);
      put(data, to, r, g, b, transparency[index] ?? 255);
    };
  }
  const byte = (value = 0): number =>
    depth === 8 ? value : depth === 16 ? value >> 8 : value * 255 / ((1 << depth) - 1);
  const colours = channels - (alpha ? 1 : 0), [green, blue] = colours === 1 ? [0, 0] : [1, 2];
  const clear = transparency.length === 2 * colours
    ? Array.from(
      { length: colours },
      (_, c) => ((transparency[2 * c] ?? 0) << 8) | (transparency[2 * c + 1] ?? 0),
    )
    : undefined;
  return (samples, from, data, to) => {
    const isClear = clear?.every((value, c) => samples[from + c] === value);
    const opacity = alpha ? byte(samples[from + colours]) : isClear ? 0 : 255;
    const r = byte(samples[from]), g = byte(samples[from + green]), b = byte(samples[from + blue]);
    put(data, to, r, g, b, opacity);
  };
};

/** The pixels of a PNG file; throws an `Error` that says what is wrong where it is not whole. */
export const decodePng = (bytes: Uint8Array): Image => {
  const chunks = readChunks(bytes), { layout, packed } = chunks;
  const { width, height, depth, channels } = layout;
  const passes = (layout.interlaced ? interlace : whole).map((pass) => ({
    ...pass,
    columns: sideOf(width, pass.x, pass.dx),
    rows: sideOf(height, pass.y, pass.dy),
  })).filter(({ columns, rows }) => columns > 0 && rows > 0);
  const length = passes.reduce(
    (sum, { columns, rows }) => sum + rows * (1 + rowBytes(layout, columns)),
    0,
  );
  if (length > mostInflation * packed.length) return refuse("its pixels are missing");
  const rows = new Uint8Array(inflateSync(packed, { maxOutputLength: length }));
  if (rows.length !== length) return refuse("its pixels are not as many as its header tells");
  const data = new Uint8Array(3 * width * height), paint = painter(chunks);
  const step = Math.max(1, channels * depth >> 3);
  // Most pictures are stored nearly as they are wanted.
  const plain = depth === 8 && channels > 2 && !layout.interlaced &&
    chunks.transparency.length === 0;
  let at = 0;
  for (const { x, y, dx, dy, columns, rows: count } of passes) {
    const stride = rowBytes(layout, columns), samples = new Uint16Array(columns * channels);
    let before = new Uint8Array(stride);
    for (let j = 0; j < count; j++) {
      const row = rows.subarray(at + 1, at + 1 + stride);
      unfilter(rows[at] ?? 0, row, before, step);
      const line = (y + j * dy) * width + x;
      before = row;
      if (plain) copyRow(row, channels, data, 3 * line);
      else {
        unpack(row, depth, samples);
        for (let i = 0; i < columns; i++) paint(samples, i * channels, data, 3 * (line + i * dx));
      }
      at += 1 + stride;
    }
  }
  return { width, height, channels: 3, data };
};
