/** Files that are no whole videos, and names that look like something else. */
import assert from "node:assert/strict";
import { E } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";
import { decodeFrames } from "../../datasets/video/decode.ts";
import { ffmpeg, videoTest, withFolder, writeVideo } from "./video_fixtures.ts";
import {
  assertRejected,
  decode,
  never,
  numbered,
  probe,
  refuse,
  videoTools,
} from "./video_reading.ts";

videoTest(
  "video: files that are none are unreadable, and say why",
  () =>
    withFolder(async (folder) => {
      const write = (name: string, bytes: Uint8Array) =>
        Deno.writeFile(`${folder}/${name}`, bytes).then(() => `${folder}/${name}`);
      assertRejected(
        await refuse(await write("empty.mp4", new Uint8Array())),
        "unreadable",
        /0 bytes/,
      );
      const noise = crypto.getRandomValues(new Uint8Array(50_000));
      assertRejected(await refuse(await write("noise.mp4", noise)), "unreadable", /ffprobe says/);
      assertRejected(await refuse(`${folder}/missing.mp4`), "unreadable", /does not exist/);
      // A playlist would read whatever file it names.
      await writeVideo(`${folder}/good.ts`, numbered(12));
      const list = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngood.ts\n#EXT-X-ENDLIST\n";
      const playlist = await write("list.mp4", new TextEncoder().encode(list));
      assertRejected(await refuse(playlist), "unreadable", /ffprobe says/);
      const concat = await write(
        "concat.mp4",
        new TextEncoder().encode("ffconcat version 1.0\nfile good.ts\n"),
      );
      assertRejected(await refuse(concat), "unreadable", /ffprobe says/);
    }),
);

videoTest(
  "video: a fast-start file that was cut off is found out by counting",
  () =>
    withFolder(async (folder) => {
      const noisy = Array.from({ length: 30 }, () => {
        const picture = makeImage(64, 48);
        crypto.getRandomValues(picture.data);
        return picture;
      });
      const path = `${folder}/a.mp4`;
      await writeVideo(path, noisy, ["-c:v", "mpeg4", "-movflags", "+faststart"]);
      assert.equal((await probe(path)).frames, 30);
      const bytes = await Deno.readFile(path);
      await Deno.writeFile(path, bytes.subarray(0, bytes.length * 0.6));
      assertRejected(await refuse(path), "unreadable", /its end is missing: \d+ of 30 frames/);
    }),
);

videoTest(
  "video: frames hidden by an edit list are not missing",
  () =>
    withFolder(async (folder) => {
      const [path, trimmed] = [`${folder}/a.mp4`, `${folder}/trimmed.mp4`];
      await writeVideo(path, numbered(24), ["-c:v", "mpeg4", "-g", "6"]);
      await ffmpeg(["-ss", "0.3", "-i", path, "-c", "copy", trimmed]);
      assert((await probe(trimmed)).frames >= 12);
    }),
);

videoTest(
  "video: sound alone is no video",
  () =>
    withFolder(async (folder) => {
      const path = `${folder}/sound.mp4`;
      await ffmpeg(["-f", "lavfi", "-i", "sine=d=1", path]);
      assertRejected(await refuse(path), "no video", /no picture stream/);
    }),
);

videoTest(
  "video: damage in the middle is an error at the end of the stream",
  () =>
    withFolder(async (folder) => {
      const path = `${folder}/a.mkv`;
      await writeVideo(path, numbered(24), ["-c:v", "png"]);
      const bytes = await Deno.readFile(path);
      bytes.fill(0x55, bytes.length * 0.4, bytes.length * 0.6);
      await Deno.writeFile(path, bytes);
      const tools = await videoTools();
      const info = { width: 64, height: 48, frames: 24, framesPerSecond: 25 };
      const seen: E.Either<Err<"BadSample" | "Aborted">, Image>[] = [];
      for await (const frame of decodeFrames(tools, path, "clip", info)({ signal: never })) {
        seen.push(frame);
      }
      const last = seen.at(-1);
      assert(last !== undefined && E.isLeft(last) && last.left._tag === "BadSample");
      assert.equal(last.left.reason, "unreadable");
      assert(seen.slice(0, -1).every(E.isRight));
    }),
);

videoTest(
  "video: names are names: quotes, $( ), dashes, protocols, patterns",
  () =>
    withFolder(async (folder) => {
      await writeVideo(`${folder}/plain.mp4`, numbered(3));
      const names = [
        `it's "quoted".mp4`,
        "$(touch injected).mp4",
        "`touch injected`;&|.mp4",
        "-i.mp4",
        "concat:plain.mp4|plain.mp4",
        "http:.mp4",
        "%03d.mp4",
        "ünïcode 顔.mp4",
        "new\nline.mp4",
      ].filter((name) => Deno.build.os !== "windows" || !/["|:\n]/.test(name));
      for (const name of names) {
        await Deno.copyFile(`${folder}/plain.mp4`, `${folder}/${name}`);
        assert.equal((await decode(`${folder}/${name}`)).length, 3, name);
      }
      const before = Deno.cwd();
      try {
        Deno.chdir(folder);
        for (const name of names.slice(3, 6)) assert.equal((await decode(name)).length, 3, name);
      } finally {
        Deno.chdir(before);
      }
      const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
      assert(!files.includes("injected"));
      assert.equal(files.length, names.length + 1);
    }),
);

Deno.test("video: where no tool can be run, the error is one sentence", async () => {
  const module = new URL("../../datasets/video/tools.ts", import.meta.url).href;
  const code = `import { findVideoTools } from ${JSON.stringify(module)};
    console.log(JSON.stringify(await findVideoTools()()));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-lock", "--allow-read", "--allow-env", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  const { stdout } = await child.output();
  const { _tag, left } = JSON.parse(new TextDecoder().decode(stdout));
  assert.equal(_tag, "Left");
  assert.equal(left._tag, "ToolMissing");
  assert.match(left.message, /^Cannot read video: ffmpeg .* expected one of the two; [^\n]*$/);
});
