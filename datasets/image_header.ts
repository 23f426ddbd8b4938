/**
 * Sizes of PNG, JPEG and WebP files from their first bytes, so that a picture that is too large is
 * refused before anything is allocated for it.
 *
 * @module
 */
import { E } from "../pipeline/core/fp.ts";

/** File formats that can be read. */
export type ImageFormat = "png" | "jpeg" | "webp";

/** What a header says of a picture, in pixels. */
export interface ImageHeader {
  /** The format, told by the first bytes, not by the name. */
  readonly format: ImageFormat;
  /** Pixels across, before EXIF turns the picture. */
  readonly width: number;
  /** Pixels down. */
  readonly height: number;
}

/** The longest side of a picture that is read, in pixels. */
export const MAX_SIDE = 16_384;
/** The most pixels of a picture that is read. */
export const MAX_PIXELS = 100_000_000;

const startsWith = (bytes: Uint8Array, at: number, text: string): boolean =>
  bytes.length >= at + text.length &&
  Array.from(text).every((letter, i) => bytes[at + i] === letter.charCodeAt(0));

const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const u16be = (b: Uint8Array, at: number): number => byte(b, at) * 256 + byte(b, at + 1);
const u16le = (b: Uint8Array, at: number): number => byte(b, at + 1) * 256 + byte(b, at);
const u32be = (b: Uint8Array, at: number): number => u16be(b, at) * 65536 + u16be(b, at + 2);
const u24le = (b: Uint8Array, at: number): number => u16le(b, at) + byte(b, at + 2) * 65536;

const pngSize = (bytes: Uint8Array): readonly [number, number] | undefined =>
  startsWith(bytes, 12, "IHDR") && bytes.length >= 33
    ? [u32be(bytes, 16), u32be(bytes, 20)]
    : undefined;

// Start-of-frame markers are C0–CF without DHT (C4), JPG (C8) and DAC (CC).
const isStartOfFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

const jpegFrameHeader = (bytes: Uint8Array): number | undefined => {
  let at = 2;
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = byte(bytes, at + 1);
    if (marker === 0xff) at++; // a fill byte
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2; // no length
    else if (isStartOfFrame(marker)) return at;
    else if (marker === 0xd9 || marker === 0xda) return undefined; // pixels before a frame header
    else at += 2 + Math.max(2, u16be(bytes, at + 2));
  }
  return undefined;
};

const jpegSize = (bytes: Uint8Array): readonly [number, number] | undefined => {
  const at = jpegFrameHeader(bytes);
  return at === undefined ? undefined : [u16be(bytes, at + 7), u16be(bytes, at + 5)];
};

/**
 * True where a JPEG's pixels end as they should (an EOI marker after the last start of scan): the
 * decoder fills a cut-off picture with grey instead of failing.
 */
export const isWholeJpeg = (bytes: Uint8Array): boolean => {
  const last = (marker: number): number => {
    let at = bytes.length - 2;
    while (at >= 0 && (bytes[at] !== 0xff || bytes[at + 1] !== marker)) at--;
    return at;
  };
  return last(0xd9) > last(0xda);
};

const webpSize = (bytes: Uint8Array): readonly [number, number] | undefined => {
  if (bytes.length < 30) return undefined;
  if (startsWith(bytes, 12, "VP8X")) return [1 + u24le(bytes, 24), 1 + u24le(bytes, 27)];
  if (startsWith(bytes, 12, "VP8L") && bytes[20] === 0x2f) {
    const b = (i: number): number => byte(bytes, 21 + i);
    return [1 + (((b(1) & 0x3f) << 8) | b(0)), 1 + (((b(3) & 15) << 10) | (b(2) << 2) | b(1) >> 6)];
  }
  if (
    startsWith(bytes, 12, "VP8 ") && bytes[23] === 0x9d && bytes[24] === 1 && bytes[25] === 0x2a
  ) {
    return [u16le(bytes, 26) & 0x3fff, u16le(bytes, 28) & 0x3fff];
  }
  return undefined;
};

const animatedWebp = (bytes: Uint8Array): string | undefined =>
  startsWith(bytes, 12, "VP8X") && (byte(bytes, 20) & 2) !== 0
    ? "it is an animation, expected a still picture"
    : undefined;

const cmykJpeg = (bytes: Uint8Array): string | undefined => {
  const at = jpegFrameHeader(bytes);
  return at !== undefined && bytes[at + 9] === 4
    ? "it is a CMYK picture for print, expected RGB or grey"
    : undefined;
};

/** Scans of a JPEG; progressive ones have about ten, and each may go over all pixels. */
const MAX_SCANS = 100;
/** A JPEG takes a bit at least for every block of 8 × 8 pixels. */
const MAX_PIXELS_A_BYTE = 512;

const scansOf = (bytes: Uint8Array): number => {
  let scans = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0xda) scans++;
  }
  return scans;
};

/** Why a JPEG would keep a decoder busy for nothing, in words. */
const hollowJpeg = (
  bytes: Uint8Array,
  [width, height]: readonly [number, number],
): string | undefined => {
  if (width * height > MAX_PIXELS_A_BYTE * bytes.length) {
    return `it tells ${width}×${height} px in ${bytes.length} bytes, expected a whole file`;
  }
  const scans = scansOf(bytes);
  return scans > MAX_SCANS ? `it has ${scans} scans, expected at most ${MAX_SCANS}` : undefined;
};

const formatOf = (bytes: Uint8Array): ImageFormat | undefined => {
  if (bytes[0] === 0x89 && startsWith(bytes, 1, "PNG\r\n\x1a\n")) return "png";
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (startsWith(bytes, 0, "RIFF") && startsWith(bytes, 8, "WEBP")) return "webp";
  return undefined;
};

const sizeReaders = { png: pngSize, jpeg: jpegSize, webp: webpSize } as const;

/**
 * Reads format and size of a picture without decoding it. The left side says what is wrong, as the
 * end of a sentence: an unknown format, a broken header, no pixels, or more than {@link MAX_SIDE}
 * a side or {@link MAX_PIXELS} in all.
 *
 * @example
 * ```ts
 * import { readImageHeader } from "./image_header.ts";
 * const header = readImageHeader(new TextEncoder().encode("not a picture"));
 * if (header._tag === "Right") throw new Error("that was not a picture");
 * ```
 */
export const readImageHeader = (bytes: Uint8Array): E.Either<string, ImageHeader> => {
  const format = formatOf(bytes);
  if (format === undefined) return E.left("it is neither PNG, JPEG nor WebP, expected one of them");
  const size = sizeReaders[format](bytes);
  if (size === undefined) {
    return E.left(`its ${format.toUpperCase()} header is broken or cut off, expected a whole file`);
  }
  const unusable = format === "webp"
    ? animatedWebp(bytes)
    : format === "jpeg"
    ? cmykJpeg(bytes)
    : undefined;
  if (unusable !== undefined) return E.left(unusable);
  const [width, height] = size;
  if (width < 1 || height < 1) return E.left(`it is ${width}×${height} px, expected at least 1×1`);
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
    return E.left(
      `it is ${width}×${height} px, expected at most ${MAX_SIDE} px a side and ` +
        `${MAX_PIXELS / 1e6} megapixels`,
    );
  }
  const hollow = format === "jpeg" ? hollowJpeg(bytes, size) : undefined;
  return hollow === undefined ? E.right({ format, width, height }) : E.left(hollow);
};
