/**
 * Tar as shards need it: members that are plain files with short names, written by a library, read
 * by a walker that believes nothing.
 *
 * @module
 */
import { packTar } from "npm:modern-tar@0.8.6";
import { openFile, readFully } from "../../pipeline/core/files.ts";

/** The unit of a tar file, in bytes. */
export const BLOCK = 512;

/** What ends a tar file. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

/** Bytes rounded up to whole blocks. */
const padded = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;

/** How many bytes a member of that many takes in a tar file. */
export const memberBytes = (bytes: number): number => BLOCK + padded(bytes);

/** A member of a tar file. */
export interface Member {
  /** At most 100 ASCII characters. */
  readonly name: string;
  /** Its content. */
  readonly data: Uint8Array;
}

/**
 * The members as a piece of a tar file: pieces joined, and {@link TAR_END}, are one. The same
 * members give the same bytes: no times, no owners.
 */
export const packMembers = async (members: readonly Member[]): Promise<Uint8Array> => {
  const epoch = new Date(0);
  const tar = await packTar(members.map(({ name, data }) => ({
    header: { name, size: data.length, mtime: epoch, mode: 0o644, uid: 0, gid: 0, type: "file" },
    body: data,
  })));
  const length = members.reduce((sum, { data }) => sum + memberBytes(data.length), 0);
  if (length + TAR_END.length > tar.length) {
    throw new RangeError(`Cannot pack: ${tar.length} bytes, expected more than ${length}`);
  }
  return tar.subarray(0, length);
};

/** A member found in a tar file. */
export interface FoundMember {
  readonly name: string;
  /** Where its header begins. */
  readonly offset: number;
  readonly data: Uint8Array;
}

/** Something in a tar file that should not be there. */
export interface TarProblem {
  readonly offset: number;
  readonly problem: string;
}

const SAFE_NAME = /^[0-9a-f]{16}-\d{6}\.(jpg|webp|json)$/;
/** No picture or JSON of a sample is larger, in bytes. */
export const MAX_MEMBER = 1 << 26;

const TYPES: Readonly<Record<string, string>> = {
  "1": "a hard link",
  "2": "a link",
  "3": "a device",
  "4": "a device",
  "5": "a folder",
  "6": "a pipe",
  x: "an extended header",
  g: "an extended header",
  L: "a long name",
  K: "a long link name",
};

const fieldText = (block: Uint8Array, from: number, length: number): string => {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return new TextDecoder("latin1").decode(end < 0 ? field : field.subarray(0, end));
};

const octal = (block: Uint8Array, from: number, length: number): number => {
  const digits = fieldText(block, from, length).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN;
};

/** What is wrong with a header, or its name and size. */
const readHeader = (
  block: Uint8Array,
): string | { readonly name: string; readonly size: number } => {
  const sum = block.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (octal(block, 148, 8) !== sum) return "its header is damaged";
  const name = fieldText(block, 0, 100), prefix = fieldText(block, 345, 155);
  const shown = JSON.stringify((prefix === "" ? name : `${prefix}/${name}`).slice(0, 80));
  const type = String.fromCharCode(block[156] ?? 0);
  if (type !== "0" && type !== "\0") {
    return `${shown} is ${TYPES[type] ?? "of an unknown kind"}, expected a plain file`;
  }
  const size = octal(block, 124, 12);
  if (prefix !== "" || !SAFE_NAME.test(name)) {
    return `${shown} is refused as a name, expected <clip>-<frame>.jpg, .webp or .json`;
  }
  return size <= MAX_MEMBER ? { name, size } : `${shown} tells a size of ${size} bytes`;
};

/**
 * Walks through a tar file, one member in memory at a time. Links, devices, folders, extended
 * headers and any name that is not a sample's are problems and nothing of them is used; after a
 * damaged header, or where the file ends too early, the rest is left alone.
 */
export const walkTar = async function* (
  path: string,
): AsyncGenerator<FoundMember | TarProblem> {
  using file = await openFile(path);
  const { size: length } = await file.stat();
  let offset = 0;
  for (;;) {
    const block = await readFully(file, new Uint8Array(BLOCK));
    if (block.length < BLOCK) {
      yield { offset, problem: "it ends without an end mark" };
      return;
    }
    if (block.every((byte) => byte === 0)) break;
    const header = readHeader(block);
    if (typeof header === "string") {
      yield { offset, problem: header };
      // The next header is where this member's size says, if that can be believed at all.
      const size = octal(block, 124, 12);
      const type = String.fromCharCode(block[156] ?? 0);
      if (header.startsWith("its header") || !(offset + memberBytes(size) < length)) return;
      offset += type >= "1" && type <= "6" ? BLOCK : memberBytes(size);
      await file.seek(offset, Deno.SeekMode.Start);
      continue;
    }
    const data = await readFully(file, new Uint8Array(Math.min(padded(header.size), length)));
    if (data.length < padded(header.size)) {
      yield { offset, problem: `it ends inside of ${header.name}` };
      return;
    }
    yield { name: header.name, offset, data: data.subarray(0, header.size) };
    offset += memberBytes(header.size);
  }
  if (length !== offset + TAR_END.length) {
    yield { offset, problem: `${length - offset} bytes follow the last member, expected 1024` };
  }
};
