/** A folder before its clips are prepared: layouts, caches, workers, what is no folder. */
import assert from "node:assert/strict";
import { E } from "../../pipeline/core/fp.ts";
import { readClipIndex } from "../../datasets/video/clip_file.ts";
import { makeClipPool } from "../../datasets/video/clip_pool.ts";
import { discoverClips } from "../../datasets/video/discover.ts";
import { left, right, withFolder } from "./video_fixtures.ts";
import { open } from "./open_folder.ts";

Deno.test("folder: what is no folder, and one without clips, is one sentence", () =>
  withFolder(async (root) => {
    const expect = async (path: string, message: RegExp) => {
      const error = await left(open({ path, size: 64, cache: `${root}/cache` }).opened);
      assert(error._tag === "Data");
      assert.match(error.message, message);
      assert(error.message.includes(path));
      assert(!error.message.includes("\n"));
    };
    await expect(root, /it holds no clip, expected <identity>\/<video>\/<clip>\.mp4/);
    await expect(`${root}/missing`, /it does not exist/);
    await Deno.writeTextFile(`${root}/file`, "");
    await expect(`${root}/file`, /not a folder|Not a directory/);
  }));

Deno.test("folder: a cache that cannot be made is one sentence", () =>
  withFolder(async (root) => {
    await Deno.mkdir(`${root}/x/y`, { recursive: true });
    await Deno.writeFile(`${root}/x/y/a.mp4`, new Uint8Array());
    await Deno.writeTextFile(`${root}/file`, "");
    const error = await left(open({ path: root, size: 64, cache: `${root}/file/cache` }).opened);
    assert(error._tag === "Data");
    assert.match(error.message, /^Cannot keep prepared clips in .*: .*, expected a folder/);
  }));

Deno.test("folder: the layouts of VoxCeleb2 and VoxCeleb1, links, and what is left out", () =>
  withFolder(async (root) => {
    for (
      const path of [
        "id1/video/00001.mp4",
        "id1/video/.hidden.mp4",
        "id1/video/readme.txt",
        "id1/direct.webm",
        "id2/1.6/video/0000025.jpg",
        "id2/1.6/video/0000050.jpg",
        "id3/video/00001.MP4",
        ".trash/video/1.mp4",
      ]
    ) {
      await Deno.mkdir(`${root}/${path.replace(/\/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, path);
    }
    await Deno.symlink(`${root}/id1`, `${root}/id4`);
    await Deno.symlink(`${root}/nowhere`, `${root}/id1/video/broken.mp4`);
    const clips = await right(discoverClips(root));
    assert.deepEqual(clips.map(({ key, video, frames }) => [key, video, frames?.length ?? 0]), [
      ["id1/direct.webm", "direct", 0],
      ["id1/video/00001.mp4", "video", 0],
      ["id2/1.6/video", "1.6/video", 2],
      ["id3/video/00001.MP4", "video", 0],
      ["id4/direct.webm", "direct", 0],
      ["id4/video/00001.mp4", "video", 0],
    ]);
  }));

Deno.test("folder: files of the cache that are none are not believed", () =>
  withFolder(async (root) => {
    const path = `${root}/a.safetensors`;
    assert.equal(await readClipIndex(path, 64), undefined);
    const header = new TextEncoder().encode('{"__metadata__":{}}');
    const cases = [
      new Uint8Array(),
      new Uint8Array(7),
      new Uint8Array(16).fill(255), // a header of 2^64 - 1 bytes
      new Uint8Array([header.length, 0, 0, 0, 0, 0, 0, 0, ...header]),
      crypto.getRandomValues(new Uint8Array(1000)),
    ];
    for (const bytes of cases) {
      await Deno.writeFile(path, bytes);
      assert.equal(await readClipIndex(path, 64), undefined);
    }
  }));

Deno.test("folder: a worker that dies is an error value, and the next clip gets a new one", async () => {
  const dying = new URL(
    "data:text/javascript,onmessage = ({ data }) => { throw new Error('boom ' + data.target); };",
  );
  const pool = makeClipPool(1, new AbortController().signal, dying);
  const clip = { identity: "a", video: "b", key: "a/b/c", path: "c", stamp: "" };
  const settings = { size: 64, framesPerClip: 9, minFrames: 9 };
  for (const target of ["one", "two"]) {
    const died = await pool.prepare({
      kind: "prepare",
      clip,
      tools: undefined,
      settings,
      target,
    })();
    assert(E.isLeft(died) && died.left._tag === "Backend");
    assert.match(died.left.message, new RegExp(`boom ${target}`));
  }
  pool.close();
});
