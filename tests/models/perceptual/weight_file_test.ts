/** The reader of TensorFlow.js weights: what it accepts, and one sentence for everything else. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { readWeightFile } from "../../../models/perceptual/weight_file.ts";
import { vgg19, vggShapes } from "../../../models/perceptual/vgg.ts";
import { loadVgg } from "../../../models/perceptual/vgg_file.ts";
import { onBackend, right, sentence } from "./support.ts";

const inFolder = async (test: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

const writeManifest = (folder: string, manifest: unknown): Promise<void> =>
  Deno.writeTextFile(`${folder}/weights_manifest.json`, JSON.stringify(manifest));

const shard = (folder: string, name: string, values: ArrayBufferView): Promise<void> =>
  Deno.writeFile(
    `${folder}/${name}`,
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );

const float32 = (name: string, ...shape: number[]) => ({ name, shape, dtype: "float32" });

Deno.test("arrays of three types, a group over two shards, the bare list and model.json", () =>
  inFolder(async (folder) => {
    const groups = [
      { paths: ["a.bin", "b.bin"], weights: [float32("x", 2, 3), float32("y", 2)] },
      {
        paths: ["c.bin"],
        weights: [
          { ...float32("half", 3), quantization: { dtype: "float16", original_dtype: "float32" } },
        ],
      },
      { paths: ["d.bin"], weights: [{ name: "whole", shape: [2], dtype: "int32" }] },
    ];
    await writeManifest(folder, groups);
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, -8);
    const bytes = new Uint8Array(values.buffer);
    await Deno.writeFile(`${folder}/a.bin`, bytes.subarray(0, 10)); // in the middle of a number
    await Deno.writeFile(`${folder}/b.bin`, bytes.subarray(10));
    await shard(folder, "c.bin", Uint16Array.of(0x3c00, 0xc000, 0x0001)); // 1, -2, 2^-24
    await shard(folder, "d.bin", Int32Array.of(7, -3));
    const file = await right(readWeightFile(folder));
    assert.deepEqual(file.shapes.get("x"), [2, 3]);
    assert.deepEqual([...file.arrays.get("x")?.values ?? []], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([...file.arrays.get("y")?.values ?? []], [7, -8]);
    assert.deepEqual([...file.arrays.get("half")?.values ?? []], [1, -2, 2 ** -24]);
    assert.deepEqual([...file.arrays.get("whole")?.values ?? []], [7, -3]);

    await Deno.writeTextFile(
      `${folder}/model.json`,
      JSON.stringify({ modelTopology: {}, weightsManifest: groups }),
    );
    const model = await right(readWeightFile(`${folder}/model.json`));
    assert.deepEqual([...model.arrays], [...file.arrays]);
  }));

Deno.test("shards that hold nothing wanted are not read", () =>
  inFolder(async (folder) => {
    await writeManifest(folder, [
      { paths: ["there"], weights: [float32("x", 1)] },
      { paths: ["missing"], weights: [float32("y", 1)] },
    ]);
    await shard(folder, "there", Float32Array.of(5));
    const file = await right(readWeightFile(folder, { wanted: (name) => name === "x" }));
    assert.deepEqual([...file.arrays.keys()], ["x"]);
    assert.deepEqual([...file.shapes.keys()], ["x", "y"]);
    assert.match(
      await sentence(readWeightFile(folder)),
      /^Cannot read .*missing: it does not exist/,
    );
  }));

Deno.test("sums beside the manifest are checked", () =>
  inFolder(async (folder) => {
    await writeManifest(folder, [{ paths: ["x.bin"], weights: [float32("x", 1)] }]);
    await shard(folder, "x.bin", Float32Array.of(1));
    const sum = new Uint8Array(
      await crypto.subtle.digest("SHA-256", Float32Array.of(1).buffer),
    ).toHex();
    await Deno.writeTextFile(`${folder}/SHA256SUMS`, `${sum}  x.bin\n`);
    await right(readWeightFile(folder));
    await shard(folder, "x.bin", Float32Array.of(2));
    const message = await sentence(readWeightFile(folder));
    assert.match(message, /^Cannot read weights from .*x\.bin: its SHA-256 is .*, expected /);
    await right(readWeightFile(folder, { sha256: {} }));
  }));

Deno.test("wrong manifests end in one sentence", () =>
  inFolder(async (folder) => {
    await shard(folder, "x.bin", new Float32Array(4));
    const said = async (manifest: unknown): Promise<string> => {
      await writeManifest(folder, manifest);
      const message = await sentence(readWeightFile(folder));
      assert.match(message, /^Cannot read [^\n]*expected[^\n]*$/);
      return message;
    };
    const one = (weight: unknown, paths: unknown = ["x.bin"]) => [{ paths, weights: [weight] }];
    assert.match(await said(one(float32("x", 5))), /16 bytes, expected 20/);
    assert.match(await said(one(float32("x", 3))), /16 bytes, expected 12/);
    assert.match(await said(one(float32("x", 2 ** 31, 2 ** 32))), /sensible size/);
    assert.match(await said(one(float32("x", 2 ** 62, 2))), /sensible size/);
    assert.match(await said(one(float32("x", -4))), /sensible size/);
    assert.match(await said(one(float32("x", 0.5))), /sensible size/);
    assert.match(await said(one({ ...float32("x", 4), dtype: "complex64" })), /complex64/);
    assert.match(await said(one(float32("x", 4), ["../x.bin"])), /plain file name/);
    assert.match(await said(one(float32("x", 4), ["/etc/passwd"])), /plain file name/);
    assert.match(await said(one(float32("x", 4), [])), /plain file name/);
    assert.match(await said([...one(float32("x", 4)), ...one(float32("x", 4))]), /twice/);
    await said({});
    await said(null);
    await said([{ paths: ["x.bin"] }]);
    await said([{ paths: 3, weights: [] }]);
    await Deno.writeTextFile(`${folder}/weights_manifest.json`, "[{");
    assert.match(await sentence(readWeightFile(folder)), /not JSON/);
    assert.match(await sentence(readWeightFile(`${folder}/nowhere`)), /does not exist/);
  }));

Deno.test("a manifest cut anywhere gives a sentence or the same arrays", () =>
  inFolder(async (folder) => {
    const text = JSON.stringify([{ paths: ["x.bin"], weights: [float32("x", 4)] }]);
    await shard(folder, "x.bin", new Float32Array(4));
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), async (length) => {
        await Deno.writeTextFile(`${folder}/weights_manifest.json`, text.slice(0, length));
        assert.match(await sentence(readWeightFile(folder)), /^Cannot read [^\n]+$/);
      }),
      { numRuns: 30 },
    );
  }));

Deno.test("a VGG with a layer missing, foreign or of another shape is refused by name", () =>
  inFolder((folder) =>
    onBackend("cpu", async (backend) => {
      const small = { ...vgg19, channels: [2, 3, 4, 4, 4] };
      const shapes = [...vggShapes(small, ["relu2_1"])];
      const write = async (entries: readonly (readonly [string, readonly number[]])[]) => {
        const weights = entries.map(([name, shape]) => float32(name, ...shape));
        const size = entries.reduce((sum, [, s]) => sum + s.reduce((a, b) => a * b, 1), 0);
        await writeManifest(folder, [{ paths: ["w.bin"], weights }]);
        await shard(folder, "w.bin", new Float32Array(size));
      };
      const load = (tap: string) => loadVgg(small, folder, [tap])({ backend });
      const keras = shapes.map(([name, shape]) =>
        [name.replace(/^conv(\d)_(\d)/, "block$1_conv$2"), shape] as const
      );
      await write(keras);
      const network = await right(load("relu2_1"));
      assert.equal(network.weights["conv2_1/kernel"]?.shape.join(), "3,3,2,3");
      backend.dispose(network.weights);
      assert.match(
        await sentence(load("relu3_2")),
        /lacks conv2_2\/kernel, conv2_2\/bias, conv3_1\/kernel and 3 more, expected all layers of VGG19/,
      );
      await write(shapes.filter(([name]) => name !== "conv1_2/bias"));
      assert.match(await sentence(load("relu2_1")), /lacks conv1_2\/bias, expected/);
      await write([...shapes, ["block1_conv3/kernel", [3, 3, 2, 2]]]);
      assert.match(await sentence(load("relu2_1")), /holds block1_conv3\/kernel, expected only/);
      await write(shapes.map(([name, shape]) =>
        name === "conv1_1/kernel" ? [name, [2, 3, 3, 3]] : [name, shape]
      ));
      assert.match(
        await sentence(load("relu2_1")),
        /conv1_1\/kernel is \[2,3,3,3\], expected \[3,3,3,2\]/,
      );
    })
  ));
