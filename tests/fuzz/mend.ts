/**
 * Makes the sums in damaged files right again. A reader that checks a sum first never comes to what
 * lies behind it, and whoever means harm writes the right sum.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { E } from "../../pipeline/core/fp.ts";
import {
  readSafetensors,
  safetensorsChunks,
  writeSafetensors,
} from "../../pipeline/core/safetensors.ts";
import { BLOCK, memberBytes } from "../../datasets/prepare/tar.ts";
import { type Bytes, joined } from "./damage.ts";

/** Gives the file with right sums; what it cannot make sense of it leaves as it is. */
export type Mend = (bytes: Bytes) => Bytes;

const mark = new TextEncoder().encode("\n%%next file%%\n");

/** Several files as one, so that damage can move between them. */
export const bundle = (...files: readonly Uint8Array[]): Bytes =>
  joined(...files.flatMap((file, i) => i === 0 ? [file] : [mark, file]));

/** The files of a {@link bundle}; what is left of them. */
export const unbundle = (bytes: Bytes): readonly Bytes[] => {
  const files: Bytes[] = [];
  let from = 0;
  for (let at = 0; at + mark.length <= bytes.length; at++) {
    if (!mark.every((byte, i) => bytes[at + i] === byte)) continue;
    files.push(bytes.slice(from, at));
    at += mark.length - 1;
    from = at + 1;
  }
  return [...files, bytes.slice(from)];
};

const sha256 = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  parts.forEach((part) => hash.update(part));
  return hash.digest("hex");
};

const latin1 = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);
const bytesOfLatin1 = (text: string): Bytes => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** Headers of tar members. */
export const mendTar: Mend = (bytes) => {
  const tar = bytes.slice();
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
    header.set(bytesOfLatin1(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    const size = parseInt(latin1(header.subarray(124, 136)), 8);
    at += Number.isSafeInteger(size) && size >= 0 ? memberBytes(size) : BLOCK;
  }
  return tar;
};

/** Sums of the chunks of a PNG. */
export const mendPng: Mend = (bytes) => {
  const png = bytes.slice(), view = new DataView(png.buffer);
  for (let at = 8; at + 12 <= png.length;) {
    const length = view.getUint32(at);
    if (at + 12 + length > png.length) break;
    view.setUint32(at + 8 + length, crc32(png.subarray(at + 4, at + 8 + length)));
    at += 12 + length;
  }
  return png;
};

/** Sums of the members of a zip archive that are stored as they are. */
export const mendZip: Mend = (bytes) => {
  const zip = bytes.slice(), view = new DataView(zip.buffer);
  for (let at = 0; at + 46 <= zip.length; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    const size = view.getUint32(at + 20, true), local = view.getUint32(at + 42, true);
    if (view.getUint16(at + 10, true) !== 0 || local + 30 > zip.length) continue;
    const names = view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const sum = crc32(zip.subarray(local + 30 + names, local + 30 + names + size));
    view.setUint32(at + 16, sum, true);
    view.setUint32(local + 14, sum, true);
  }
  return zip;
};

const headerEnd = (bytes: Bytes): number => {
  if (bytes.length < 8) return 0;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return length <= BigInt(bytes.length - 8) ? 8 + Number(length) : 0;
};

/** The sum in the header of a cached clip. */
export const mendClip: Mend = (bytes) => {
  const end = headerEnd(bytes);
  if (end === 0) return bytes;
  const sum = sha256(bytes.subarray(end));
  const header = latin1(bytes.subarray(0, end)).replace(/[0-9a-f]{64}/, sum);
  return joined(bytesOfLatin1(header), bytes.subarray(end));
};

/** The seal of a person's file. */
export const mendPerson: Mend = (bytes) => {
  const read = readSafetensors(bytes, "a person");
  if (E.isLeft(read)) return bytes;
  const { tensors, metadata } = read.right, said = metadata.headshotPerson ?? "";
  const seal = sha256(new TextEncoder().encode(said), ...safetensorsChunks(tensors));
  return writeSafetensors(tensors, { ...metadata, sha256: seal });
};

/** Sizes and sums in the meta.json of a checkpoint; a bundle of it, weights and state. */
export const mendCheckpoint: Mend = (bytes) => {
  const [meta = new Uint8Array(), ...parts] = unbundle(bytes);
  let next = 0;
  const told = latin1(meta).replace(/"bytes": *[^,]*,\s*"sha256": *"[^"]*"/g, () => {
    const part = parts[next++] ?? new Uint8Array();
    return `"bytes": ${part.length}, "sha256": "${sha256(part)}"`;
  });
  return bundle(bytesOfLatin1(told), ...parts);
};

/** The sum of the list in an index; a bundle of index, list and shard. */
export const mendPrepared: Mend = (bytes) => {
  const [index = new Uint8Array(), list = new Uint8Array(), ...rest] = unbundle(bytes);
  const told = latin1(index).replace(/("list": *")[^"]*"/g, `$1${sha256(list)}"`);
  return bundle(bytesOfLatin1(told), list, ...rest);
};
