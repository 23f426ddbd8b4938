/**
 * JPEG for frames by the thousand: libjpeg-turbo as WebAssembly, seven times as quick as the encoder
 * that makes the smallest files. Baseline, colours at full resolution. The same picture gives the
 * same bytes.
 *
 * @module
 */
import makeModule from "npm:@cornerstonejs/codec-libjpeg-turbo-8bit@1.2.8/wasmjs";
import type { Image } from "../pipeline/core/image.ts";

/** The part of the package that is used, typed here: it ships no types. */
interface Encoder {
  /** Room for the pixels, in the encoder's memory. */
  readonly getDecodedBuffer: (frame: {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
    readonly componentCount: number;
    readonly isSigned: boolean;
  }) => Uint8Array;
  readonly setQuality: (quality: number) => void;
  readonly setProgressive: (progressive: boolean) => void;
  /** 0 is 4:4:4. */
  readonly setSubSampling: (kind: number) => void;
  readonly encode: () => void;
  /** The file, in the encoder's memory until the next one. */
  readonly getEncodedBuffer: () => Uint8Array;
}
type Factory = (settings: { readonly wasmBinary: Uint8Array }) => Promise<{
  readonly JPEGEncoder: new () => Encoder;
}>;

const wasm = (): URL =>
  new URL(import.meta.resolve("npm:@cornerstonejs/codec-libjpeg-turbo-8bit@1.2.8/wasm"));

interface Loaded {
  readonly encoder: Encoder;
  /** Bytes that a file may take in its memory without running into something else. */
  room: number;
}

const load = async (): Promise<Loaded> => {
  const wasmBinary = await Deno.readFile(wasm());
  const { JPEGEncoder } = await (makeModule as unknown as Factory)({ wasmBinary });
  return { encoder: new JPEGEncoder(), room: 0 };
};
const loaded: Promise<Loaded>[] = [];

const run = (encoder: Encoder, width: number, height: number, data: Uint8Array): Uint8Array => {
  const frame = { width, height, bitsPerSample: 8, componentCount: 3, isSigned: false };
  encoder.getDecodedBuffer(frame).set(data);
  encoder.encode();
  return encoder.getEncodedBuffer();
};

/**
 * The package makes room for a file as large as the pixels, but tells libjpeg-turbo that there is
 * all that a file can ever take. A taller black picture of once makes that true: the room stays.
 */
const makeRoom = (into: Loaded, width: number, height: number): void => {
  const eights = (n: number): number => Math.ceil(n / 8) * 8;
  const most = 6 * eights(width) * eights(height) + 2048;
  if (into.room >= most) return;
  const tall = Math.ceil(most / (3 * width));
  run(into.encoder, width, tall, new Uint8Array(3 * width * tall));
  into.room = most;
};

/**
 * Encodes a picture of at least one pixel; quality 1 to 100. Undefined where the file would be
 * larger than the pixels themselves, as noise and tiny pictures are: the package cuts it off.
 */
export const encodeQuickJpeg = async (
  { width, height, data }: Image,
  quality: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  const ready = await (loaded[0] ??= load());
  ready.encoder.setQuality(quality);
  ready.encoder.setProgressive(false);
  ready.encoder.setSubSampling(0);
  makeRoom(ready, width, height);
  const file = new Uint8Array(run(ready.encoder, width, height, data));
  return file.length <= data.length ? file : undefined;
};
