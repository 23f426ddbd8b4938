/** Files that are not what they say are refused with a sentence, in bounded time. */
import assert from "node:assert/strict";
import { E } from "../../../pipeline/core/fp.ts";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { readSafetensors, writeSafetensors } from "../../../pipeline/core/safetensors.ts";
import { f32, fileOf, refusal } from "./safetensors_support.ts";

const entry = (begin: number, end: number, more = {}) => ({
  dtype: "F32",
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
  ...more,
});
const big = 2 ** 40;
const faults: Readonly<Record<string, readonly [Uint8Array<ArrayBuffer>, RegExp]>> = {
  "an empty file": [new Uint8Array(0), /it has 0 bytes, expected a header/],
  "seven bytes": [new Uint8Array(7), /it has 7 bytes/],
  "zeros": [new Uint8Array(64), /its header starts with no \{/],
  "a header of 2^63 bytes": [
    fileOf({}, 0, 2n ** 63n),
    /claims 9223372036854775808 bytes, expected at most 100000000/,
  ],
  "a header of 2^64 - 1 bytes": [fileOf({}, 0, 2n ** 64n - 1n), /expected at most 100000000/],
  "a header longer than the file": [
    fileOf({}, 0, 3n),
    /claims 3 bytes, expected at most the 2 that follow/,
  ],
  "a header that is no JSON": [fileOf("{a}", 0), /its header is not JSON/],
  "a header with NaN": [
    fileOf('{"t":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', 4),
    /its header is not JSON/,
  ],
  "a header with 1e999": [
    fileOf('{"t":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}}', 4),
    /has shape \[null\]/,
  ],
  "a header that is a list": [fileOf("[]", 0), /starts with no \{/],
  "a header that is not UTF-8": [
    (() => {
      const bytes = fileOf('{"??":1}', 0);
      bytes.set([0xff, 0xfe], 10);
      return bytes;
    })(),
    /its header is not UTF-8/,
  ],
  "a deep header": [fileOf(`{"t":${"[".repeat(200_000)}`, 0), /nested deeper than 3/],
  "a text without an end": [fileOf('{"t', 0), /ends inside a text/],
  "the same name twice": [
    fileOf(
      '{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
    ),
    /has the key "t" twice/,
  ],
  "the same name twice, once escaped": [
    fileOf(
      '{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0074":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
    ),
    /has the key "t" twice/,
  ],
  "the same member twice": [
    fileOf('{"t":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}}', 8),
    /has the key "shape" twice/,
  ],
  "100,002 names": [
    fileOf(`{${Array.from({ length: 100_002 }, (_, i) => `"${i}":0`).join()}}`, 0),
    /names more than 100000 tensors/,
  ],
  "a million keys of metadata": [
    fileOf(`{"__metadata__":{${Array.from({ length: 1e6 }, (_, i) => `"${i}":""`).join()}}}`, 0),
    /its header has more than 500000 keys/,
  ],
  "a tensor that is a number": [fileOf({ t: 5 }, 0), /tensor "t" is 5, expected an object/],
  "an unknown type": [
    fileOf({ t: entry(0, 4, { dtype: "C64" }) }, 4),
    /dtype "C64", expected F64, F32, F16, BF16,/,
  ],
  "a type from Object.prototype": [
    fileOf({ t: entry(0, 4, { dtype: "toString" }) }, 4),
    /has dtype "toString"/,
  ],
  "a negative size": [fileOf({ t: entry(0, 4, { shape: [-1] }) }, 4), /has shape \[-1\]/],
  "a fractional size": [fileOf({ t: entry(0, 4, { shape: [0.5] }) }, 4), /has shape \[0.5\]/],
  "a size that is text": [fileOf({ t: entry(0, 4, { shape: ["1"] }) }, 4), /has shape \["1"\]/],
  "no shape": [fileOf({ t: { dtype: "F32", data_offsets: [0, 4] } }, 4), /has shape none/],
  "a shape whose product overflows": [
    fileOf({ t: entry(0, 4, { shape: [big, big, big] }) }, 4),
    /product is too large/,
  ],
  "a shape that overflows before it is 0": [
    fileOf({ t: entry(0, 0, { shape: [big, big, 0] }) }, 0),
    /product is too large/,
  ],
  "a shape that does not fit": [
    fileOf({ t: entry(0, 4, { shape: [2] }) }, 4),
    /takes 4 bytes, expected 8 for F32 \[2\]/,
  ],
  "offsets that go backwards": [
    fileOf({ t: entry(0, 4, { data_offsets: [4, 0] }) }, 4),
    /has offsets \[4,0\]/,
  ],
  "one offset": [fileOf({ t: entry(0, 4, { data_offsets: [0] }) }, 4), /has offsets \[0\]/],
  "a negative offset": [
    fileOf({ t: entry(0, 4, { data_offsets: [-4, 0] }) }, 4),
    /has offsets \[-4,0\]/,
  ],
  "overlapping tensors": [
    fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12),
    /tensor "b" overlaps the one before it: it begins at byte 4, expected 8/,
  ],
  "the same bytes twice": [fileOf({ a: entry(0, 8), b: entry(0, 8) }, 8), /tensor "b" overlaps/],
  "a gap": [
    fileOf({ a: entry(0, 4), b: entry(8, 12) }, 12),
    /tensor "b" leaves a gap: it begins at byte 8, expected 4/,
  ],
  "a gap at the start": [fileOf({ a: entry(4, 8) }, 8), /tensor "a" leaves a gap/],
  "a file cut short": [fileOf({ a: entry(0, 8) }, 7), /cut short: 7 bytes of data, expected 8/],
  "trailing bytes": [fileOf({ a: entry(0, 8) }, 9), /it has 1 bytes after the last tensor/],
  "metadata that is no object": [fileOf({ __metadata__: [] }, 0), /its __metadata__ is \[\]/],
  "metadata that is no text": [
    fileOf({ __metadata__: { a: 1 } }, 0),
    /__metadata__ "a" is 1, expected text/,
  ],
  "a pickle": [
    Uint8Array.from([0x80, 2, 0x8a, 10, ...new Uint8Array(600)]),
    /it is a Python pickle.*weights convert/,
  ],
  "a zip": [
    new TextEncoder().encode("PK\x03\x04" + "x".repeat(600)),
    /it is a zip archive \(a PyTorch \.pth.*weights convert/,
  ],
  "a tar": [
    (() => {
      const bytes = new Uint8Array(1024);
      bytes.set(new TextEncoder().encode("model/weights.bin"));
      bytes.set(new TextEncoder().encode("ustar"), 257);
      return bytes;
    })(),
    /it is a tar archive/,
  ],
  "an HDF5 file": [
    Uint8Array.from([0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, ...new Uint8Array(64)]),
    /it is an HDF5 file/,
  ],
  "gzip data": [Uint8Array.from([0x1f, 0x8b, 8, ...new Uint8Array(64)]), /it is gzip data/],
};
for (const [name, [bytes, expected]] of Object.entries(faults)) {
  Deno.test(`refused: ${name}`, () => {
    const from = performance.now();
    const message = refusal(bytes);
    assert.match(message, /^Cannot read x\.safetensors: /);
    assert.match(message, expected);
    assert.ok(message.length < 300);
    assert.ok(performance.now() - from < 15_000); // a second or less where nothing else runs
  });
}

Deno.test("a header whose length looks like a pickle's first bytes is read", () => {
  const header = JSON.stringify({ t: entry(0, 4) }).padEnd(0x280, " "); // 80 02 00 …
  assert.equal(refusal(fileOf(header, 4)), "accepted");
});

Deno.test("cut anywhere, a file is refused and nothing is thrown", () => {
  const bytes = writeSafetensors({ a: f32(1, 2, 3), b: f32(4) }, { k: "v" });
  for (let length = 0; length < bytes.length; length++) {
    assert.notEqual(refusal(bytes.slice(0, length)), "accepted");
  }
});

Deno.test("500 seeded mutations give typed errors or tensors within the file, in bounded time", () => {
  const original = writeSafetensors(
    {
      "E/block0/conv1/kernel": { dtype: "F32", shape: [3, 3, 2, 2], data: new Float32Array(36) },
      "D/steps": { dtype: "I32", shape: [5], data: new Int32Array(5) },
      "host": { dtype: "F64", shape: [2, 1], data: new Float64Array(2) },
    },
    { preset: "test-16" },
  );
  const from = performance.now();
  let refused = 0;
  for (let i = 0; i < 500; i++) {
    const draw = makeRng(1).fold("mutation").fold(i).draw();
    let bytes = original.slice();
    for (let edits = 1 + draw.integer(4); edits > 0; edits--) {
      const at = draw.integer(bytes.length), end = draw.integer(bytes.length);
      const how = draw.integer(5);
      if (how === 0) bytes[at] = draw.integer(256);
      else if (how === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << draw.integer(8));
      else if (how === 2) bytes = bytes.slice(0, Math.max(at, 1));
      else if (how === 3) bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(end)]);
      else {bytes[8 + draw.integer(Math.min(200, Math.max(1, bytes.length - 8)))] = 0x30 +
          draw.integer(10);}
      if (bytes.length === 0) bytes = new Uint8Array(1);
    }
    const read = readSafetensors(bytes, "f");
    if (E.isLeft(read)) {
      refused++;
      assert.match(read.left.message, /^Cannot read f: /);
    } else {
      const total = Object.values(read.right.tensors)
        .reduce((sum, { data }) => sum + data.byteLength, 0);
      assert.ok(total <= 2 * bytes.length); // halves are widened
    }
  }
  assert.ok(refused > 200, `only ${refused} of 500 were refused`);
  assert.ok(performance.now() - from < 10_000);
});
