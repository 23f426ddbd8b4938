/**
 * Words inside picture files: a PNG text chunk, a GIF comment. What a viewer does not show, a
 * metadata reader does.
 *
 * @module
 */

const ascii = (text: string): Uint8Array =>
  Uint8Array.from(text, (c) => c >= " " && c <= "~" ? c.charCodeAt(0) : "?".charCodeAt(0));

const joined = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => {
    all.set(part, at);
    return at + part.length;
  }, 0);
  return all;
};

/** The checksum of PNG chunks (CRC-32). */
export const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xedb88320);
  }
  return ~crc >>> 0;
};

/** The signature and the header chunk of a PNG file. */
const PNG_HEAD = 33;

/** A PNG file with the text chunk `Comment`, right after its header. Letters outside ASCII: "?". */
export const labelPng = (png: Uint8Array, comment: string): Uint8Array<ArrayBuffer> => {
  const content = joined(ascii("tEXtComment"), Uint8Array.of(0), ascii(comment));
  const length = new Uint8Array(4), check = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, content.length - 4);
  new DataView(check.buffer).setUint32(0, crc32(content));
  return joined(png.subarray(0, PNG_HEAD), length, content, check, png.subarray(PNG_HEAD));
};

/** A GIF comment block of at most 255 letters. */
export const gifComment = (comment: string): Uint8Array => {
  const said = ascii(comment).subarray(0, 255);
  return joined(Uint8Array.of(0x21, 0xfe, said.length), said, Uint8Array.of(0));
};

/** How long the start of a GIF file is, up to where blocks may stand, from its first 13 bytes. */
export const gifHeadLength = (start: Uint8Array): number => {
  const flags = start[10] ?? 0;
  return 13 + ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
};
