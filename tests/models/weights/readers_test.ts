/** Readers of foreign weights: round trips, files as PyTorch writes them, damage, and attacks. */
import assert from "node:assert/strict";
import { parseManifest } from "../../../models/perceptual/manifest.ts";
import { readTorchLegacy, readTorchZip } from "../../../models/weights/pth.ts";
import { readWeights } from "../../../models/weights/read.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { fill } from "../hashed.ts";
import { right, sentence } from "../perceptual/support.ts";
import { assertSame, type Bytes, formats, refusal, shapes, tiny } from "./formats.ts";
import {
  bytesOf,
  join,
  legacyHead,
  pickle,
  type Sides,
  writeTensorflow,
  zipOfPickle,
} from "./writers.ts";

for (const [name, { write, read }] of Object.entries(formats)) {
  const old = name.endsWith("2013");

  Deno.test(`${name}: reads back what was written`, async () => {
    const result = await read(await write());
    if (E.isLeft(result)) assert.fail(result.left);
    assertSame(result.right, old);
  });

  Deno.test(`${name}: cut at 200 random places it is refused, or holds fewer tensors`, async () => {
    const bytes = await write(), draw = makeRng(4).fold(name).draw();
    for (let i = 0; i < 200; i++) {
      const cut = bytes.slice(0, draw.integer(bytes.length));
      if (await refusal(read, cut) === undefined) {
        assert.ok(name.startsWith("caffe"), "a cut file was accepted");
        const result = await read(cut); // a protobuf may end between two layers
        assert.ok(E.isRight(result) && Object.keys(result.right).length < 4);
      }
    }
  });

  Deno.test(`${name}: 500 random changes end in a sentence or in tensors`, async () => {
    const bytes = await write(), draw = makeRng(5).fold(name).draw();
    let refused = 0;
    for (let i = 0; i < 500; i++) {
      const changed = bytes.slice();
      // Most bytes are numbers, of which every value is valid: changes gather at the start.
      const changes = 1 + draw.integer(4),
        within = i % 2 ? bytes.length : Math.min(400, bytes.length);
      for (let j = 0; j < changes; j++) changed[draw.integer(within)] = draw.integer(256);
      if (await refusal(read, changed) !== undefined) refused++;
    }
    assert.ok(refused > 50, `only ${refused} changes were noticed`);
  });

  Deno.test(`${name}: shapes that do not fit are refused`, async () => {
    const swapped: Sides = (tensor, shape) => tensor === "a/0" ? shapes["b/0"] : shape;
    assert.notEqual(await refusal(read, await write(swapped)), undefined);
    for (const side of [2n ** 63n - 1n, 2n ** 62n, 2n ** 40n, -4n, 0n]) {
      const huge: Sides = (tensor, shape) => tensor === "a/1" ? [side] : shape;
      // A view of no numbers is a tensor of PyTorch; elsewhere the numbers would be left over.
      if (side === 0n && name.startsWith("pth")) continue;
      assert.notEqual(await refusal(read, await write(huge)), undefined, `${side}`);
    }
  });
}

for (const [form, read] of [["zip", readTorchZip], ["legacy", readTorchLegacy]] as const) {
  Deno.test(`PyTorch's own file (${form}): every type, views, parameters`, async () => {
    const file = new URL(`./golden/tiny_${form}.pth`, import.meta.url);
    const result = await read(await Deno.readFile(file));
    if (E.isLeft(result)) assert.fail(result.left);
    const of = (name: string) => result.right[`state_dict.${name}`] ?? assert.fail(name);
    const values = (name: string) => [...of(name).data];
    assert.deepEqual([of("plain").shape, values("plain")], [[4, 6], [...Array(24).keys()]]);
    assert.deepEqual(of("transposed").shape, [6, 4]);
    assert.deepEqual(values("transposed").slice(0, 5), [0, 6, 12, 18, 1]);
    assert.deepEqual([of("part").shape, values("part")], [[2, 3], [8, 9, 10, 14, 15, 16]]);
    assert.deepEqual(values("half"), [1.5, -2, 2 ** -24]);
    assert.deepEqual(values("brain").slice(0, 2), [1.5, -2]);
    assert.deepEqual([of("double").dtype, values("double")], ["F64", [0.1]]);
    assert.deepEqual([of("long").shape, values("long")], [[], [7]]);
    assert.deepEqual([values("bool"), values("byte")], [[1, 0], [0, 255]]);
    assert.deepEqual([of("empty").shape, values("empty")], [[0, 3], []]);
    assert.deepEqual(values("parameter"), [1, 1, 1, 1]);
  });

  Deno.test(`a pickle that would call something is refused by its name (${form})`, async () => {
    const { start, stop, ops, global, call, text, tuple } = pickle;
    const wrap = form === "zip"
      ? zipOfPickle
      : (body: Uint8Array) => join(legacyHead(body), start, ops("]"), stop);
    const attacks: readonly (readonly [Uint8Array, RegExp])[] = [
      [call(global("os", "system"), text("true")), /os\.system/],
      [call(global("builtins", "eval"), text("1")), /builtins\.eval/],
      [join(text("posix"), text("system"), ops(0x93), tuple(text("x")), ops("R")), /posix\.system/],
      [call(global("torch", "FloatStorage")), /calls torch\.FloatStorage/],
      [call(global("torch._utils", "_rebuild_tensor_v2"), text("x")), /tensor of no storage/],
      [join(global("collections", "OrderedDict"), ops(")", 0x81)), /NEWOBJ/],
      [join(ops("("), global("collections", "OrderedDict"), ops("o")), /OBJ/],
      [new TextEncoder().encode("(ios\nsystem\n"), /INST/],
      [join(ops(0x82, 1)), /EXT1/],
      [join(global("collections", "OrderedDict"), ops("}", "b")), /attributes of collections/],
      [join(text("x"), ops("Q")), /something else than a storage/],
      [join(ops("h", 9)), /recalls value 9/],
      [join(ops("0", "0", "a")), /runs empty|appends to no list/],
      [join(ops("]", 0x94, "h", 0, "a")), /holds no tensor|nested/],
    ];
    for (const [body, expected] of attacks) {
      const message = await refusal(read, await wrap(join(start, body, stop)));
      assert.match(message ?? "accepted", expected);
    }
  });
}

Deno.test("a pickle cannot make the reader work for long: nests, repeats, giant numbers", async () => {
  const { start, stop, ops } = pickle;
  const nest = new Uint8Array(100_000).fill(0x5d);
  // Each list holds the one before twice: 2^60 visits, if they were made.
  const doubling = join(
    ops("]", 0x94),
    ...Array.from({ length: 60 }, (_, i) => ops("]", 0x94, "h", i, "a", "h", i, "a")),
  );
  const many = join(ops("("), new Uint8Array(1_500_000).fill(0x4e), ops("l"));
  const long = join(ops(0x8b), new Uint8Array(Uint32Array.of(2 ** 31).buffer));
  for (const body of [nest, doubling, many, long]) {
    const message = await refusal(readTorchZip, await zipOfPickle(join(start, body, stop)));
    assert.notEqual(message, undefined);
  }
});

Deno.test("an archive that unpacks to far more than it takes is not unpacked", async () => {
  const { start, stop, ops } = pickle;
  const size = 20_000_000, zeros = join(start, new Uint8Array(size), stop, ops("."));
  const bomb = await zipOfPickle(zeros, 9);
  assert.match(await refusal(readTorchZip, bomb) ?? "", /claims 2000000\d bytes, expected at most/);
  const lie = bomb.slice(), view = new DataView(lie.buffer);
  for (let i = 0; i < lie.length - 4; i++) {
    if (view.getUint32(i, true) === zeros.length) view.setUint32(i, 100, true);
  }
  const result = await readTorchZip(lie);
  assert.match(E.isLeft(result) ? result.left : "", /^it is a damaged zip archive/);
});

Deno.test("a manifest: 500 random changes end in a sentence or in groups", () => {
  const text = JSON.stringify([{
    paths: ["a.bin"],
    weights: Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: "float32" })),
  }]);
  const bytes = new TextEncoder().encode(text), draw = makeRng(6).draw();
  let refused = 0;
  for (let i = 0; i < 500; i++) {
    const changed = bytes.slice();
    for (let j = 0; j < 1 + i % 4; j++) changed[draw.integer(bytes.length)] = draw.integer(128);
    const result = parseManifest(new TextDecoder().decode(changed));
    if (E.isLeft(result)) refused++;
    if (E.isLeft(result)) assert.match(result.left, /./);
  }
  assert.ok(refused > 250, `only ${refused} changes were noticed`);
});

Deno.test("the format is told by the bytes; what is none is refused by its kind", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/weights.bin.txt`;
    for (const [name, { write }] of Object.entries(formats)) {
      await Deno.writeFile(path, await write());
      const { format, tensors, sha256 } = await right(readWeights(path));
      assert.ok(name.startsWith(format) || format.startsWith("PyTorch"), `${name}: ${format}`);
      assertSame(tensors, name.endsWith("2013"));
      assert.match(sha256, /^[0-9a-f]{64}$/);
    }
    await writeTensorflow(folder, tiny);
    for (const place of [folder, `${folder}/weights_manifest.json`]) {
      assertSame((await right(readWeights(place))).tensors, false);
    }
    const said = async (bytes: Uint8Array): Promise<string> => {
      await Deno.writeFile(path, bytes);
      return sentence(readWeights(path));
    };
    const text = (value: string) => new TextEncoder().encode(value);
    assert.match(await said(text("<!DOCTYPE html><html>sign in</html>")), /a web page/);
    assert.match(await said(text("\x89HDF\r\n\x1a\n")), /./);
    assert.match(await said(Uint8Array.of(0x1f, 0x8b, 8)), /gzip/);
    assert.match(await said(new Uint8Array()), /no layer with weights/);
    assert.match(await said(text("hello")), /expected a \.caffemodel/);
    assert.match(await said(bytesOf(fill("noise", 4000)) as Bytes), /^Cannot read /);
    assert.match(await sentence(readWeights(`${folder}/none`)), /does not exist/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
