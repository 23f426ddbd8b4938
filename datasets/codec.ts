/**
 * Pictures to bytes and back: PNG, JPEG and WebP. Most codecs are WebAssembly inside npm packages,
 * found beside their own code wherever this module was imported from; running them needs the
 * permission to read, nothing else.
 *
 * @module
 */
import decodeJpegRgba, { init as initJpegDecoder } from "npm:@jsquash/jpeg@1.6.0/decode.js";
import encodeJpegRgba from "npm:@jsquash/jpeg@1.6.0/encode.js";
import encodePngRgba from "npm:@jsquash/png@3.1.1/encode.js";
import decodeWebpRgba, { init as initWebpDecoder } from "npm:@jsquash/webp@1.5.0/decode.js";
import encodeWebpRgba from "npm:@jsquash/webp@1.5.0/encode.js";
import { F, type TaskEither, TE } from "../pipeline/core/fp.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { readBounded } from "../pipeline/core/files.ts";
import type { Image } from "../pipeline/core/image.ts";
import { type ImageFormat, isWholeJpeg, readImageHeader } from "./image_header.ts";
import { decodePng } from "./png.ts";
import { encodeQuickJpeg } from "./quick_jpeg.ts";

/** The largest file that {@link readImage} opens, in bytes. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024;

const badFile = (path: string, message: string): Err<"BadFile"> => ({
  _tag: "BadFile",
  path,
  message,
});

const said = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause);

/** Four channels to three; what is transparent shows white, as on a page. */
const dropAlpha = ({ width, height, data }: ImageData): Image => {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    const alpha = data[from + 3] ?? 255, under = 255 * (255 - alpha);
    rgb[to] = ((data[from] ?? 0) * alpha + under + 127) / 255;
    rgb[to + 1] = ((data[from + 1] ?? 0) * alpha + under + 127) / 255;
    rgb[to + 2] = ((data[from + 2] ?? 0) * alpha + under + 127) / 255;
  }
  return { width, height, channels: 3, data: rgb };
};

const addAlpha = ({ width, height, data }: Image): ImageData => {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; to < rgba.length; from += 3, to += 4) {
    rgba[to] = data[from] ?? 0;
    rgba[to + 1] = data[from + 1] ?? 0;
    rgba[to + 2] = data[from + 2] ?? 0;
    rgba[to + 3] = 255;
  }
  return { width, height, data: rgba, colorSpace: "srgb" } as ImageData;
};

/**
 * A decoder that is made anew after a picture that it gave up on. These decoders end such a picture
 * by throwing out of the middle of WebAssembly, which leaves their stack where it was: after some
 * 130 broken pictures it has run into their data, and every whole picture fails too, or worse.
 */
const renewing = (
  make: () => Promise<unknown>,
  decode: (bytes: ArrayBuffer) => Promise<ImageData>,
): (bytes: Uint8Array) => Promise<Image> => {
  const current: Promise<unknown>[] = [];
  return async (bytes) => {
    await (current[0] ??= make());
    try {
      return dropAlpha(await decode(new Uint8Array(bytes).buffer));
    } catch (cause) {
      current.length = 0;
      throw cause;
    }
  };
};

// They write their warnings to the console unless told not to.
const quiet = { printErr: () => {} };

const decoders: Readonly<Record<ImageFormat, (bytes: Uint8Array) => Promise<Image>>> = {
  png: (bytes) => Promise.resolve(decodePng(bytes)),
  // Phones store portraits lying on their side and say so in EXIF: turned upright here.
  jpeg: renewing(
    () => initJpegDecoder(quiet),
    (bytes) => decodeJpegRgba(bytes, { preserveOrientation: true }),
  ),
  webp: renewing(() => initWebpDecoder(quiet), (bytes) => decodeWebpRgba(bytes)),
};

/**
 * Decodes a PNG, JPEG or WebP file held in memory; `name` is what errors call it. Any bit depth,
 * palette, grey or alpha becomes 8-bit RGB (transparent shows white), EXIF orientation is applied.
 * The header is read first: more than 16,384 px a side or 100 megapixels is refused before
 * anything is allocated. Errors: `BadFile`.
 *
 * @example
 * ```ts
 * import { decodeImage, encodePng } from "./codec.ts";
 * import { makeImage } from "../pipeline/core/image.ts";
 * const file = await encodePng(makeImage(4, 2, [255, 0, 0]))();
 * if (file._tag === "Left") throw new Error(file.left.message);
 * const image = await decodeImage(file.right, "red.png")();
 * if (image._tag === "Left" || image.right.width !== 4) throw new Error("not the same picture");
 * ```
 */
export const decodeImage = (
  bytes: Uint8Array,
  name: string,
): TaskEither<Err<"BadFile">, Image> =>
  F.pipe(
    TE.fromEither(readImageHeader(bytes)),
    TE.mapLeft((problem) => badFile(name, `Cannot read ${name}: ${problem}`)),
    TE.filterOrElse(
      ({ format }) => format !== "jpeg" || isWholeJpeg(bytes),
      () => badFile(name, `Cannot read ${name}: its end is missing, expected a whole jpeg file`),
    ),
    TE.flatMap(({ format, width, height }) =>
      TE.tryCatch(async () => {
        const decoded = await decoders[format](bytes);
        const turned = decoded.width === height && decoded.height === width;
        if (!turned && (decoded.width !== width || decoded.height !== height)) {
          throw new Error(
            `its pixels are ${decoded.width}×${decoded.height}, not what its header says`,
          );
        }
        return decoded;
      }, () =>
        badFile(
          name,
          `Cannot read ${name}: its pixels do not decode, expected a whole ${format} file`,
        ))
    ),
  );

const encode = (
  format: ImageFormat,
  image: Image,
  run: (image: Image) => Promise<ArrayBuffer | Uint8Array<ArrayBuffer>>,
): TaskEither<Err<"BadFile">, Uint8Array> => {
  const { width, height, data } = image;
  return width < 1 || height < 1 || data.length !== width * height * 3
    ? TE.left(badFile(
      `(${format})`,
      `Cannot encode a ${width}×${height} picture of ${data.length} bytes as ${format}: ` +
        "expected width × height × 3 bytes and at least one pixel",
    ))
    : TE.tryCatch(
      async () => {
        const made = await run(image);
        return made instanceof Uint8Array ? made : new Uint8Array(made);
      },
      (cause) =>
        badFile(
          `(${format})`,
          `Cannot encode a ${width}×${height} picture as ${format}: ${said(cause)}`,
        ),
    );
};

/** Encodes a picture as an RGB(A) PNG file, without loss. Errors: `BadFile` for an empty picture. */
export const encodePng = (image: Image): TaskEither<Err<"BadFile">, Uint8Array> =>
  encode("png", image, (picture) => encodePngRgba(addAlpha(picture)));

/** How {@link encodeJpeg} and {@link encodeWebp} encode. */
export interface EncodeOptions {
  /** For frames by the thousand: five times as quick and more, files a fifth larger. Default false. */
  readonly quick?: boolean;
}

/** Encodes a picture as JPEG; quality 1–100. Errors: `BadFile` for an empty picture. */
export const encodeJpeg = (
  image: Image,
  quality = 92,
  { quick = false }: EncodeOptions = {},
): TaskEither<Err<"BadFile">, Uint8Array> =>
  encode(
    "jpeg",
    image,
    async (picture) =>
      (quick ? await encodeQuickJpeg(picture, quality) : undefined) ??
        await encodeJpegRgba(addAlpha(picture), { quality }),
  );

/** Encodes a picture as lossy WebP; quality 1–100. Errors: `BadFile` for an empty picture. */
export const encodeWebp = (
  image: Image,
  quality = 92,
  { quick = false }: EncodeOptions = {},
): TaskEither<Err<"BadFile">, Uint8Array> =>
  encode(
    "webp",
    image,
    (picture) => encodeWebpRgba(addAlpha(picture), { quality, method: quick ? 0 : 4 }),
  );

/** Reads and decodes a picture file, see {@link decodeImage}. Errors: `BadFile`. */
export const readImage = (path: string): TaskEither<Err<"BadFile">, Image> =>
  F.pipe(
    readBounded(path, MAX_FILE_BYTES),
    TE.flatMap((bytes) => decodeImage(bytes, path)),
  );

/** Writes a picture as PNG, or as JPEG where the name ends in .jpg or .jpeg. Errors: `BadFile`. */
export const writeImage = (path: string, image: Image): TaskEither<Err<"BadFile">, void> =>
  F.pipe(
    /\.jpe?g$/i.test(path) ? encodeJpeg(image) : encodePng(image),
    TE.flatMap((bytes) =>
      TE.tryCatch(
        () => Deno.writeFile(path, bytes),
        (cause) => badFile(path, `Cannot write ${path}: ${said(cause)}`),
      )
    ),
    TE.mapLeft((error) => ({ ...error, path })),
  );

/** True where a name ends like a picture that {@link readImage} reads. */
export const isImageName = (name: string): boolean => /\.(png|jpe?g|webp)$/i.test(name);
