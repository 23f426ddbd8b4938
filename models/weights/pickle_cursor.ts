/**
 * Reading bytes one after the other; beyond the end everything is empty and `short` is set.
 *
 * @module
 */

/** A place in bytes. */
export interface Cursor {
  /** What is read. */
  readonly bytes: Uint8Array;
  /** Where the next byte is. */
  at: number;
  /** Whether more was asked for than there is. */
  short: boolean;
}

/** The next `count` bytes, not copied; none where there are fewer. */
export const take = (cursor: Cursor, count: number): Uint8Array => {
  const end = cursor.at + count;
  if (!(count >= 0) || end > cursor.bytes.length) {
    cursor.short = true;
    cursor.at = cursor.bytes.length;
    return new Uint8Array();
  }
  const taken = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return taken;
};

/** The next `size` bytes as a whole number without sign, little-endian. */
export const whole = (cursor: Cursor, size: number): number => {
  const digits = take(cursor, size);
  let value = 0;
  for (let i = digits.length - 1; i >= 0; i--) value = value * 256 + (digits[i] ?? 0);
  return value;
};

const utf8 = new TextDecoder();

/** The next `count` bytes as text; what is no UTF-8 becomes a replacement character. */
export const readText = (cursor: Cursor, count: number): string => utf8.decode(take(cursor, count));
