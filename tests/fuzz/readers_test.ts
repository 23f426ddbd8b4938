/** Files that broke a reader once, or were made to: each as a case of its own. */
import assert from "node:assert/strict";
import { decodeImage } from "../../datasets/codec.ts";
import { parseTrack } from "../../datasets/track/landmark_track.ts";
import { preparedVideos } from "../../datasets/prepared.ts";
import { readClipIndex } from "../../datasets/video/clip_file.ts";
import { parseManifest } from "../../models/perceptual/manifest.ts";
import { readCaffemodel } from "../../models/weights/caffemodel.ts";
import { readTorchZip } from "../../models/weights/pth.ts";
import { namedTensors } from "../../models/weights/torch_tensors.ts";
import type { PickleValue } from "../../models/weights/pickle.ts";
import { decodeConfig, nonNegativeInteger, strict } from "../../pipeline/core/config.ts";
import { readConfigFile } from "../../pipeline/core/config_file.ts";
import { E } from "../../pipeline/core/fp.ts";
import { inFolder, runCli } from "../e2e/support.ts";
import { writeCaffemodel, writeTorchZip } from "../models/weights/writers.ts";
import { joined } from "./damage.ts";
import { bundle, mendClip, mendPrepared, unbundle } from "./mend.ts";
import * as seeds from "./seeds.ts";

const utf8 = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

Deno.test("brackets nested a hundred thousand deep in a track are one sentence", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const read = parseTrack(utf8(`{"format": ${deep}, "frames": [${deep}], "size": 1}`), "a.json");
  assert.ok(E.isLeft(read));
  assert.match(read.left.message, /format is \[\[\[/);
  assert.ok(read.left.message.length < 300, read.left.message);
});

Deno.test("long keys and large values are shown by their beginnings, quickly", () => {
  const decode = decodeConfig(strict({ steps: nonNegativeInteger }));
  const large = { ["k".repeat(100_000)]: 1, steps: Array.from({ length: 1_000_000 }, () => "x") };
  const from = performance.now(), read = decode(large);
  assert.ok(performance.now() - from < 200);
  assert.ok(E.isLeft(read) && read.left.problems.length === 2);
  for (const problem of read.left.problems) assert.ok(problem.length < 250, problem);
  assert.match(read.left.problems.join(), /steps is \["x","x",/);
});

Deno.test("a configuration that is no object is refused in a sentence by the program", () =>
  inFolder(async (folder) => {
    for (const text of ["null", "[]", '"a"', "3"]) {
      await Deno.writeTextFile(`${folder}/a.jsonc`, text);
      const read = await readConfigFile(`${folder}/a.jsonc`)();
      assert.ok(E.isLeft(read), text);
      assert.match(read.left.problems.join(), /it holds no settings, expected an object/);
    }
    await Deno.writeTextFile(`${folder}/a.jsonc`, "null");
    const ended = await runCli(["meta-train", "--config", "a.jsonc", "--dry-run"], folder);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, /^Cannot read a\.jsonc: it holds no settings/);
  }));

Deno.test("lists that hold each other a thousand million times are given up at once", () => {
  type Value = PickleValue<never>;
  const numbers: Value = { kind: "list", items: Array.from({ length: 400_000 }, () => 1) };
  const lists: Value = { kind: "list", items: Array.from({ length: 400_000 }, () => numbers) };
  const from = performance.now(), read = namedTensors(lists);
  assert.ok(E.isLeft(read) && /too deep or too often|too many members/.test(read.left));
  assert.ok(performance.now() - from < 2000, "it takes long");
});

Deno.test("a cached clip whose header lies about its frames is made again", () =>
  inFolder(async (folder) => {
    const [clip = new Uint8Array()] = await seeds.clips(), path = `${folder}/clip`;
    const written = async (bytes: Uint8Array): Promise<unknown> => {
      await Deno.writeFile(path, bytes);
      return await readClipIndex(path, 8);
    };
    assert.ok(await written(clip));
    const text = new TextDecoder("latin1").decode(clip);
    const lie = (from: string, to: string): Uint8Array<ArrayBuffer> => {
      assert.ok(text.includes(from), from);
      return Uint8Array.from(text.replace(from, to), (letter) => letter.charCodeAt(0));
    };
    for (const count of ["1", "4", "-"]) {
      assert.equal(await written(mendClip(lie("[3,68,2]", `[${count},68,2]`))), undefined, count);
    }
    // Offsets that fall: the sum is of the damaged frames, as a writer with a bug would leave it.
    const at = clip.length - 3 * 8 * 8 * 3 - 4 * 4, falling = clip.slice();
    for (const offset of [4_000_000_000, 191]) {
      new DataView(falling.buffer).setUint32(at + 4, offset, true);
      assert.equal(await written(mendClip(falling)), undefined, String(offset));
    }
  }));

Deno.test("a list of a shard with more numbers than sizes is refused before it is read", () =>
  inFolder(async (folder) => {
    const [files = new Uint8Array()] = await seeds.prepared();
    const [index, list, shard = new Uint8Array()] = unbundle(files);
    const opened = async (change: (text: string) => string) => {
      const text = change(new TextDecoder().decode(list));
      const mended = unbundle(mendPrepared(bundle(index ?? new Uint8Array(), utf8(text), shard)));
      await Deno.mkdir(`${folder}/shards`, { recursive: true });
      await Deno.writeFile(`${folder}/index.json`, mended[0] ?? new Uint8Array());
      await Deno.writeFile(`${folder}/shards/train-00000.json`, mended[1] ?? new Uint8Array());
      await Deno.writeFile(`${folder}/shards/train-00000.tar`, shard);
      return await preparedVideos({ path: folder, size: 16, decode: "here" })();
    };
    const whole = await opened((text) => text);
    assert.ok(E.isRight(whole));
    const [sequence] = whole.right.train;
    assert.ok(sequence && E.isRight(await whole.right.read(sequence, [0, 1])()));
    const more = await opened((text) => text.replace(/"numbers": \[/, '"numbers": [7, 8, '));
    assert.ok(E.isLeft(more) && /clips\.0/.test(more.left.message), JSON.stringify(more));
    const huge = await opened((text) => text.replace(/("sizes": \[\s*\[\s*)\d+/, "$14000000000"));
    assert.ok(E.isRight(huge));
    const read = sequence && await huge.right.read(sequence, [0])();
    assert.ok(read && E.isLeft(read));
    assert.match(read.left.message, /a frame of \d+ bytes, expected at most/);
  }));

Deno.test("a JPEG of few bytes that tells a giant's size, or has hundreds of scans, is not decoded", async () => {
  const [file = new Uint8Array()] = await seeds.jpegs();
  const find = (marker: number, from = 0): number =>
    file.findIndex((byte, i) => i >= from && byte === 0xff && file[i + 1] === marker);
  const message = async (bytes: Uint8Array): Promise<string> => {
    const from = performance.now(), read = await decodeImage(bytes, "it")();
    assert.ok(performance.now() - from < 1000);
    return E.isLeft(read) ? read.left.message : "it was decoded";
  };
  const giant = file.slice();
  new DataView(giant.buffer).setUint16(find(0xc2) + 5, 6000);
  new DataView(giant.buffer).setUint16(find(0xc2) + 7, 16_000);
  assert.match(await message(giant), /it tells 16000×6000 px in \d+ bytes, expected a whole file/);
  const scan = find(0xda), next = find(0xc4, scan), end = file.length - 2;
  const again = Array.from({ length: 200 }, () => file.subarray(scan, next));
  const many = joined(
    file.subarray(0, next),
    ...again,
    file.subarray(next, end),
    file.subarray(end),
  );
  assert.match(await message(many), /it has 20\d scans, expected at most 100/);
  assert.equal(await message(file), "it was decoded");
});

Deno.test("names of thousands of letters in weights are refused, not shown", async () => {
  const long = "n".repeat(5000);
  const weights = [{ name: long, shape: [1], dtype: "float32" }];
  const ofManifest = [
    parseManifest(JSON.stringify([{ paths: ["a.bin"], weights }])),
    parseManifest(JSON.stringify([{ paths: [long], weights: [] }])),
    parseManifest(JSON.stringify([{ paths: ["a"], weights: [{ ...weights[0], dtype: long }] }])),
  ];
  const data = new Float32Array(1);
  const caffe = readCaffemodel(writeCaffemodel({ [`${long}/0`]: { shape: [1], data } }));
  const torch = await readTorchZip(await writeTorchZip({ [long]: { shape: [1], data } }));
  for (const read of [...ofManifest, caffe, torch]) {
    assert.ok(E.isLeft(read));
    assert.ok(read.left.length < 200, read.left.slice(0, 300));
  }
});
