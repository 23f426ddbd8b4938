/** TensorBoard's event files, read back with the checksums checked by another implementation. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { BinaryReader, WireType } from "npm:@bufbuild/protobuf@2.10.1/wire";
import type { TrainEvent } from "../../../../pipeline/core/events.ts";
import { maskedChecksum } from "../../../../pipeline/programs/log/event_file.ts";
import { eventFile } from "../../../../pipeline/programs/log/tensorboard.ts";
import { inFolder, namesIn } from "../../../e2e/support.ts";

/** CRC32C bit by bit, as it is defined: the reflected polynomial 0x82f63b78. */
const plainChecksum = (bytes: Uint8Array): number => {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
};

const masked = (sum: number): number => (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;

/** The contents of the records of a file; fails where a length or a checksum is wrong. */
const recordsIn = (bytes: Uint8Array): readonly Uint8Array[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true)), content = at + 12;
    assert.equal(view.getUint32(at + 8, true), masked(plainChecksum(bytes.subarray(at, at + 8))));
    const record = bytes.subarray(content, content + length);
    assert.equal(record.length, length, "the file ends inside a record");
    assert.equal(view.getUint32(content + length, true), masked(plainChecksum(record)));
    records.push(record);
    at = content + length + 4;
  }
  return records;
};

/** Fields of a message by number; a number, a text, or the bytes of a nested message. */
const fieldsOf = (bytes: Uint8Array): readonly (readonly [number, number | Uint8Array])[] => {
  const reader = new BinaryReader(bytes), fields: [number, number | Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    fields.push([
      field,
      type === WireType.Bit64
        ? reader.double()
        : type === WireType.Bit32
        ? reader.float()
        : type === WireType.Varint
        ? Number(reader.int64())
        : reader.bytes(),
    ]);
  }
  return fields;
};

const nested = (value: number | Uint8Array | undefined): Uint8Array =>
  value instanceof Uint8Array ? value : assert.fail("it is no message");
const text = (value: number | Uint8Array | undefined): string =>
  new TextDecoder().decode(nested(value));

/** What a file tells: its version, starts, and scalars by tag. */
const toldIn = (bytes: Uint8Array) =>
  recordsIn(bytes).map((record) => {
    const of = new Map(fieldsOf(record));
    const time = of.get(1), step = of.get(2);
    if (of.has(3)) return { time, version: text(of.get(3)) };
    if (of.has(7)) return { time, step, started: new Map(fieldsOf(nested(of.get(7)))).get(1) };
    const scalars = fieldsOf(nested(of.get(5))).map(([, value]) => {
      const inner = new Map(fieldsOf(nested(value)));
      return [text(inner.get(1)), inner.get(2)] as const;
    });
    return { time, step, scalars: Object.fromEntries(scalars) };
  });

const onlyFile = async (folder: string): Promise<Uint8Array> => {
  const [name = "", ...more] = await namesIn(folder);
  assert.deepEqual(more, []);
  assert.match(name, /^events\.out\.tfevents\.1700000000\./);
  return await Deno.readFile(`${folder}/${name}`);
};

const events: readonly TrainEvent[] = [
  { _tag: "RunStarted", step: 4, steps: 300, backend: "wasm", parameters: {} },
  { _tag: "StepDone", step: 5, seconds: 0.25, losses: { "content/pixels": 1.5, match: -2 } },
  { _tag: "SampleSkipped", error: { _tag: "BadSample", key: "k", reason: "no face", message: "" } },
  { _tag: "Evaluated", step: 300, of: "unseen people", figures: { l1: 0.125 } },
  { _tag: "RolledBack", step: 4, reason: "NaN", rollbacks: 1 },
];

Deno.test("the checksum is CRC32C, masked as TFRecord wants it", () => {
  const digits = new TextEncoder().encode("123456789");
  assert.equal(plainChecksum(digits), 0xe3069283, "the published check value");
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      (bytes) => assert.equal(maskedChecksum(bytes), masked(plainChecksum(bytes))),
    ),
  );
});

Deno.test("an event file tells version, starts and scalars, and each record is whole", () =>
  inFolder(async (folder) => {
    const complaints: string[] = [];
    let time = 1_700_000_000_000;
    using file = eventFile(folder, (line) => complaints.push(line), () => time);
    time += 1500;
    events.forEach((event) => file.emit(event));
    const told = toldIn(await onlyFile(folder));
    assert.deepEqual(told, [
      { time: 1_700_000_000, version: "brain.Event:2" },
      { time: 1_700_000_001.5, step: 4, started: 1 },
      {
        time: 1_700_000_001.5,
        step: 5,
        scalars: { "training/content/pixels": 1.5, "training/match": -2, "time/step": 0.25 },
      },
      { time: 1_700_000_001.5, step: 300, scalars: { "unseen/l1": 0.125 } },
      { time: 1_700_000_001.5, step: 4, started: 1 },
    ]);
    assert.deepEqual(complaints, []);
  }));

Deno.test("figures that are not finite are written as they are, large steps too", () =>
  inFolder(async (folder) => {
    using file = eventFile(folder, assert.fail, () => 1_700_000_000_000);
    const figures = { nan: NaN, infinite: -Infinity, "ä/ö": 1e30 };
    file.emit({ _tag: "Evaluated", step: 2 ** 40, of: "unseen people", figures });
    const [, told] = toldIn(await onlyFile(folder));
    assert.ok(told && "scalars" in told);
    assert.equal(told.step, 2 ** 40);
    assert.deepEqual(told.scalars, {
      "unseen/nan": NaN,
      "unseen/infinite": -Infinity,
      "unseen/ä/ö": Math.fround(1e30),
    });
  }));

Deno.test("a folder that cannot be written is told of once, and the run goes on", () =>
  inFolder((folder) => {
    const complaints: string[] = [];
    using file = eventFile(`${folder}/none`, (line) => complaints.push(line));
    events.forEach((event) => file.emit(event));
    assert.equal(complaints.length, 1);
    assert.match(
      complaints[0] ?? "",
      /^Cannot write .*tfevents.*: it does not exist, the run goes/,
    );
    return Promise.resolve();
  }));
