import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E } from "../../../pipeline/core/fp.ts";
import {
  type HostTensor,
  type HostTensors,
  readSafetensors,
  readSafetensorsFile,
  writeSafetensors,
} from "../../../pipeline/core/safetensors.ts";
import { f32, fileOf } from "./safetensors_support.ts";

const shape = fc.array(fc.nat(4), { maxLength: 4 });
const tensor: fc.Arbitrary<HostTensor> = fc.tuple(shape, fc.constantFrom("F32", "F64", "I32"))
  .chain(([sizes, dtype]): fc.Arbitrary<HostTensor> => {
    const n = sizes.reduce((a, b) => a * b, 1);
    const of = <A>(item: fc.Arbitrary<A>) => fc.array(item, { minLength: n, maxLength: n });
    return dtype === "I32"
      ? of(fc.integer()).map((xs) => ({ dtype, shape: sizes, data: Int32Array.from(xs) }) as const)
      : dtype === "F64"
      ? of(fc.double()).map((xs) => ({ dtype, shape: sizes, data: Float64Array.from(xs) }) as const)
      : of(fc.float()).map((xs) =>
        ({ dtype: "F32", shape: sizes, data: Float32Array.from(xs) }) as const
      );
  });
const named: fc.Arbitrary<HostTensors> = fc.dictionary(
  fc.oneof(
    fc.string({ maxLength: 6, unit: "grapheme" }),
    fc.constantFrom("E/block0/conv1/kernel", "D/b", "constructor", "toString", "1", 'a"b\\', "\0"),
  ).filter((name) => name !== "__metadata__"),
  tensor,
  { maxKeys: 6, noNullPrototype: true },
);

Deno.test("what is written is read back: names, shapes, types, every bit", () => {
  const metadata = fc.dictionary(fc.string({ maxLength: 4 }), fc.string(), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(named, metadata, (tensors, about) => {
      const bytes = writeSafetensors(tensors, about);
      const read = readSafetensors(bytes, "f");
      assert.ok(E.isRight(read), JSON.stringify(read));
      assert.deepEqual(read.right, { tensors, metadata: about });
      assert.deepEqual(writeSafetensors(read.right.tensors, read.right.metadata), bytes);
    }),
    { numRuns: 300 },
  );
});

Deno.test("equal content gives equal bytes, whatever the order of its names", () => {
  const a = f32(1, 2), b = f32(3);
  assert.deepEqual(writeSafetensors({ a, b }), writeSafetensors({ b, a }));
});

Deno.test("views that start anywhere in their memory are written and read", () => {
  const data = new Float32Array(10).map((_, i) => i).subarray(3, 7);
  const bytes = writeSafetensors({ t: { dtype: "F32", shape: [2, 2], data } });
  for (const shift of [0, 1, 3, 4]) {
    const moved = new Uint8Array(bytes.length + shift);
    moved.set(bytes, shift);
    const read = readSafetensors(moved.subarray(shift), "f");
    assert.ok(E.isRight(read));
    assert.deepEqual(read.right.tensors["t"]?.data, Float32Array.of(3, 4, 5, 6));
  }
});

Deno.test("half floats are widened exactly", () => {
  const halves = [
    0x0000,
    0x8000,
    0x3c00,
    0xc000,
    0x7bff,
    0x0400,
    0x03ff,
    0x0001,
    0x7c00,
    0xfc00,
    0x7e00,
    0x3555,
  ];
  const bytes = fileOf({ h: { dtype: "F16", shape: [12], data_offsets: [0, 24] } }, 24);
  const view = new DataView(bytes.buffer, bytes.length - 24);
  halves.forEach((half, i) => view.setUint16(i * 2, half, true));
  const read = readSafetensors(bytes, "f");
  assert.ok(E.isRight(read));
  const { dtype, data } = read.right.tensors["h"] ?? assert.fail();
  assert.equal(dtype, "F32");
  assert.deepEqual(
    [...data],
    [
      0,
      -0,
      1,
      -2,
      65504,
      2 ** -14,
      1023 * 2 ** -24,
      2 ** -24,
      Infinity,
      -Infinity,
      NaN,
      0.333251953125,
    ],
  );
});

Deno.test("tensors that cannot be written are bugs", () => {
  assert.throws(
    () => writeSafetensors({ t: { dtype: "F32", shape: [3], data: new Float32Array(2) } }),
    /Cannot write tensor t: 2 elements, expected shape \[3\]/,
  );
  assert.throws(
    () => writeSafetensors({ __metadata__: f32(1) }),
    /Cannot write tensor __metadata__/,
  );
});

Deno.test("a file is read, its first bytes before the rest", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/good`, writeSafetensors({ t: f32(1, 2) }));
    const read = await readSafetensorsFile(`${folder}/good`)();
    assert.ok(E.isRight(read));
    assert.deepEqual(read.right.tensors["t"], f32(1, 2));
    const message = async (path: string) => {
      const refused = await readSafetensorsFile(path)();
      return E.isLeft(refused) ? refused.left.message : "accepted";
    };
    // 100 GB of nothing on the disk: refused without reading it.
    const sparse = await Deno.open(`${folder}/sparse`, { write: true, createNew: true });
    await sparse.truncate(100 * 2 ** 30);
    sparse.close();
    assert.match(await message(`${folder}/sparse`), /its header starts with no \{/);
    assert.match(await message(`${folder}/none`), /it does not exist/);
    assert.match(await message(folder), /is a folder|it is a folder/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
