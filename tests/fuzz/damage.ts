/** Seeded damage to the bytes of a file: what disks, networks, editors and attackers do to them. */
import type { Draw } from "../../pipeline/core/rng.ts";

/** A whole file. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Damaged bytes, and what was done to them. */
export interface Damaged {
  readonly bytes: Bytes;
  readonly done: readonly string[];
}

type Damage = (bytes: Bytes, draw: Draw, other: Bytes) => Bytes;

/** Damage may make a file larger, up to this. */
const largest = 1 << 20;

/** Bytes one after the other. */
export const joined = (...parts: readonly Uint8Array[]): Bytes => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => {
    whole.set(part, at);
    return at + part.length;
  }, 0);
  return whole;
};

const changed = (bytes: Bytes, change: (copy: Bytes) => void): Bytes => {
  const copy = bytes.slice();
  change(copy);
  return copy;
};

/** A place in a file: every second one near its ends, where headers and directories are. */
const place = ({ length }: Bytes, draw: Draw): number => {
  const near = Math.min(length, 96), where = draw.integer(4);
  if (where === 0) return draw.integer(near);
  return where === 1 ? length - near + draw.integer(near) : draw.integer(length);
};

const run = (bytes: Bytes, draw: Draw, most = 64): Bytes => {
  const at = place(bytes, draw);
  return bytes.slice(at, at + 1 + draw.integer(most));
};

const flip: Damage = (bytes, draw) =>
  changed(bytes, (copy) => {
    for (let left = 1 << draw.integer(4); left > 0; left--) {
      copy[place(copy, draw)]! ^= 1 << draw.integer(8);
    }
  });

const extremes = [0, 1, 0x0a, 0x20, 0x22, 0x2c, 0x2f, 0x5b, 0x5c, 0x7b, 0x7f, 0x80, 0xc0, 0xff];

const set: Damage = (bytes, draw) =>
  changed(bytes, (copy) => {
    for (let left = 1 << draw.integer(4); left > 0; left--) {
      copy[place(copy, draw)] = draw.integer(2) === 0 ? draw.pick(extremes) : draw.integer(256);
    }
  });

const truncate: Damage = (bytes, draw) => bytes.slice(0, place(bytes, draw));

const remove: Damage = (bytes, draw) => {
  const at = place(bytes, draw);
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + draw.integer(64)));
};

const insertAt = (bytes: Bytes, at: number, piece: Uint8Array): Bytes =>
  joined(bytes.subarray(0, at), piece, bytes.subarray(at));

const insert: Damage = (bytes, draw) => {
  const one = draw.pick(extremes), random = draw.integer(2) === 0;
  const piece = Uint8Array.from(
    { length: draw.pick([1, 2, 3, 4, 8, 64, 1024]) },
    () => random ? draw.integer(256) : one,
  );
  return insertAt(bytes, place(bytes, draw), piece);
};

const repeat: Damage = (bytes, draw) => {
  const piece = run(bytes, draw), times = draw.pick([1, 2, 3, 16, 1000]);
  const room = Math.max(1, Math.floor((largest - bytes.length) / piece.length));
  const pieces = Array.from({ length: Math.min(times, room) }, () => piece);
  return insertAt(bytes, place(bytes, draw), joined(...pieces));
};

const splice: Damage = (bytes, draw, other) =>
  joined(bytes.subarray(0, place(bytes, draw)), other.subarray(place(other, draw)));

const transplant: Damage = (bytes, draw, other) => {
  const piece = run(other, draw, 512), at = place(bytes, draw);
  return changed(bytes, (copy) => copy.set(piece.subarray(0, copy.length - at), at));
};

const readWhole = (bytes: Bytes, at: number, width: number, little: boolean): bigint => {
  const digits = [...bytes.subarray(at, at + width)];
  return (little ? digits.reverse() : digits).reduce(
    (value, digit) => value * 256n + BigInt(digit),
    0n,
  );
};

const writeWhole = (bytes: Bytes, at: number, width: number, little: boolean, value: bigint) => {
  for (let i = 0; i < width; i++) {
    bytes[at + (little ? i : width - 1 - i)] = Number(BigInt.asUintN(8, value >> BigInt(8 * i)));
  }
};

/** A number that may well be the length of something gets another value. */
const lengthField: Damage = (bytes, draw) => {
  const width = draw.pick([1, 2, 4, 8]), little = draw.integer(2) === 0;
  if (bytes.length < width) return bytes;
  const length = BigInt(bytes.length);
  let at = 0, value = 0n;
  for (let tries = 0; tries < 32; tries++) {
    at = Math.min(place(bytes, draw), bytes.length - width);
    value = readWhole(bytes, at, width, little);
    if (value > 0n && value <= 2n * length) break;
  }
  const other = draw.pick([
    ...[0n, 1n, value - 1n, value + 1n, 2n * value, value + 1000n, length, length + 1n],
    ...[31n, 32n, 53n, 63n].flatMap((bits) => [(1n << bits) - 1n, 1n << bits]),
    ...[(1n << 64n) - 1n, (1n << 62n) / 4n, 0xffffn, 0x8000n],
  ]);
  return changed(bytes, (copy) => writeWhole(copy, at, width, little, other));
};

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

const tokens: readonly string[] = [
  ...["0", "-1", "1", "2", "0.5", "-0", "1e999", "1e308", "1e-400", "4294967296", "2147483648"],
  ...["9007199254740993", "99999999999", "1e9", "64", "16", "null", "true", "false", '""', '"x"'],
  ...["[]", "{}", "[0]", '{"a":1}', '"__proto__"', '"constructor"', '"\\u0000"', '"../../x"'],
  ...["", ",", "}", "]", '"', ":", "NaN", "/*", "//", nested(4), nested(40), nested(20_000)],
];

const token: Damage = (bytes, draw) => {
  const text = new TextDecoder("latin1").decode(bytes);
  const all = [...text.matchAll(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|"[^"\\]{0,80}"|[[\]{}:,]/g)];
  if (all.length === 0) return bytes;
  const { index, 0: found } = draw.pick(all), swap = draw.integer(3) === 0;
  const by = new TextEncoder().encode(swap ? draw.pick(all)[0] : draw.pick(tokens));
  return joined(bytes.subarray(0, index), by, bytes.subarray(index + found.length));
};

const damages: Readonly<Record<string, Damage>> = {
  ...{ flip, set, truncate, remove, insert, repeat, splice, transplant },
  ...{ "length field": lengthField, token },
};
const names = Object.keys(damages);

/** Damages bytes in one to four ways; `others` are whole files of the same kind. */
export const damage = (bytes: Bytes, draw: Draw, others: readonly Bytes[]): Damaged => {
  const done: string[] = [];
  let damaged = bytes;
  do {
    const name = draw.pick(names), other = draw.pick(others);
    // An empty file has no place at which more could be done to it.
    damaged = (damaged.length === 0 ? bytes : damages[name]?.(damaged, draw, other)) ?? bytes;
    if (damaged.length > largest) damaged = damaged.slice(0, largest);
    done.push(name);
  } while (done.length < 4 && draw.integer(5) < 2);
  return { bytes: damaged, done };
};
