import assert from "node:assert/strict";
import { E } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";
import { decodeFrames, type DecodeOptions } from "../../datasets/video/decode.ts";
import { probeVideo, type VideoInfo } from "../../datasets/video/probe.ts";
import { findVideoTools, type VideoTools } from "../../datasets/video/tools.ts";
import {
  ffmpeg,
  left,
  right,
  tryFfmpeg,
  videoTest,
  withFolder,
  writeVideo,
} from "./video_fixtures.ts";

const never = new AbortController().signal;
const found: Promise<VideoTools>[] = [];
const videoTools = (): Promise<VideoTools> => found[0] ??= right(findVideoTools());
const probe = async (path: string, signal = never): Promise<VideoInfo> =>
  await right(probeVideo(await videoTools(), path, "clip", signal));
const refuse = async (path: string): Promise<Err<"BadSample" | "Aborted">> =>
  await left(probeVideo(await videoTools(), path, "clip", never));

const decode = async (path: string, options: DecodeOptions = {}): Promise<readonly Image[]> => {
  const frames: Image[] = [];
  const tools = await videoTools();
  const stream = decodeFrames(tools, path, "clip", await probe(path), options);
  for await (const frame of stream({ signal: never })) {
    assert(E.isRight(frame), JSON.stringify(frame));
    frames.push(frame.right);
  }
  return frames;
};

/** Grey pictures that tell their number by their brightness. */
const numbered = (count: number, width = 64, height = 48): readonly Image[] =>
  Array.from({ length: count }, (_, i) => {
    const grey = 20 + 8 * i;
    return makeImage(width, height, [grey, grey, grey]);
  });
const numberOf = ({ data }: Image): number => Math.round(((data[data.length >> 1] ?? 0) - 20) / 8);

const assertRejected = (error: Err<"BadSample" | "Aborted">, reason: string, message: RegExp) => {
  assert(error._tag === "BadSample");
  assert.equal(error.reason, reason);
  assert.match(error.message, message);
};

videoTest(
  "video: all frames, a part of them spread evenly, a region, reduced",
  () =>
    withFolder(async (folder) => {
      const path = `${folder}/a.mp4`;
      await writeVideo(path, numbered(24));
      const info = await probe(path);
      assert.deepEqual(info, { width: 64, height: 48, frames: 24, framesPerSecond: 25 });
      assert.deepEqual((await decode(path)).map(numberOf), Array.from({ length: 24 }, (_, i) => i));
      assert.deepEqual((await decode(path, { frames: 5 })).map(numberOf), [0, 5, 10, 15, 20]);
      assert.deepEqual((await decode(path, { frames: 99 })).length, 24);
      const region = { x: 12, y: 8, width: 33, height: 40 };
      const [part] = await decode(path, { frames: 1, region });
      assert.deepEqual([part?.width, part?.height], [33, 40]);
      const [small] = await decode(path, { frames: 1, longest: 16 });
      assert.deepEqual([small?.width, small?.height], [16, 12]);
    }),
);

videoTest("video: a region is where it says it is", () =>
  withFolder(async (folder) => {
    const picture = makeImage(64, 64);
    for (let y = 21; y < 40; y++) picture.data.fill(255, (y * 64 + 30) * 3, (y * 64 + 50) * 3);
    const path = `${folder}/a.mkv`;
    await writeVideo(path, Array.from({ length: 3 }, () => picture), ["-c:v", "ffv1"]);
    const [part] = await decode(path, {
      frames: 1,
      region: { x: 28, y: 20, width: 36, height: 44 },
    });
    const at = (x: number, y: number) => part?.data[(y * 36 + x) * 3] ?? -1;
    assert(at(3, 10) > 200 && at(20, 10) > 200, "inside");
    assert(at(0, 10) < 50 && at(24, 10) < 50 && at(10, 22) < 50, "outside");
  }));

videoTest("video: variable frame rate: each frame once", () =>
  withFolder(async (folder) => {
    const path = `${folder}/vfr.mkv`;
    const uneven = ["-vf", "setpts=(N+gte(N\\,4)*30+gte(N\\,9)*7)/25/TB", "-c:v", "ffv1"];
    await writeVideo(path, numbered(16), [...uneven, "-vsync", "passthrough"]);
    assert.deepEqual((await decode(path)).map(numberOf), Array.from({ length: 16 }, (_, i) => i));
  }));

videoTest("video: a phone's rotation is undone", () =>
  withFolder(async (folder) => {
    const picture = makeImage(64, 48);
    for (let y = 0; y < 16; y++) picture.data.fill(255, y * 64 * 3, (y * 64 + 16) * 3);
    const flat = `${folder}/flat.mp4`, turned = `${folder}/turned.mp4`;
    await writeVideo(flat, Array.from({ length: 3 }, () => picture));
    const copy = ["-c", "copy", `file:${turned}`];
    // Versions differ in how they write the mark; it may also mean either direction.
    await ffmpeg(["-i", flat, ...copy.slice(0, 2), "-metadata:s:v:0", "rotate=90", turned]);
    if ((await probe(turned)).width !== 48) {
      await ffmpeg(["-display_rotation", "90", "-i", flat, ...copy]);
    }
    const { width, height } = await probe(turned);
    assert.deepEqual([width, height], [48, 64]);
    const [frame] = await decode(turned, { frames: 1 });
    assert.deepEqual([frame?.width, frame?.height], [48, 64]);
    const bright = (x: number, y: number) => (frame?.data[(y * 48 + x) * 3] ?? 0) > 128;
    assert(!bright(5, 5) && !bright(42, 58), "the mark left the upper left corner");
    assert(bright(42, 5) !== bright(5, 58), "and went to a neighbouring one");
  }));

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

videoTest(
  "video: 8k is reduced on the way, and never held whole",
  () =>
    withFolder(async (folder) => {
      const path = `${folder}/8k.avi`;
      const source = ["-f", "lavfi", "-i", "color=gray:s=7680x4320:r=2:d=1"];
      await ffmpeg([...source, "-c:v", "mjpeg", "-threads", "1", path]);
      assert.deepEqual((({ width, height }) => [width, height])(await probe(path)), [7680, 4320]);
      const frames = await decode(path, { longest: 960 });
      assert.deepEqual(frames.map(({ width, height }) => [width, height]), [[960, 540], [
        960,
        540,
      ]]);
    }),
);

videoTest(
  "video: stopped early, the stream ends ffmpeg; aborted, it says so",
  () =>
    withFolder(async (folder) => {
      const path = `${folder}/long.mkv`;
      await ffmpeg(["-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=40", "-c:v", "mpeg4", path]);
      const tools = await videoTools();
      const info = await probe(path);
      let seen = 0;
      for await (const frame of decodeFrames(tools, path, "clip", info)({ signal: never })) {
        assert(E.isRight(frame));
        if (++seen === 3) break;
      }
      const stop = new AbortController();
      let last: E.Either<Err<"BadSample" | "Aborted">, Image> | undefined;
      for await (const frame of decodeFrames(tools, path, "clip", info)({ signal: stop.signal })) {
        last = frame;
        stop.abort("enough");
      }
      assert(last !== undefined && E.isLeft(last) && last.left._tag === "Aborted");
      assert.equal((await left(probeVideo(tools, path, "clip", stop.signal)))._tag, "Aborted");
    }),
);

videoTest("video: the old name of an option still works where ffmpeg is old", async () => {
  const tools = await videoTools();
  const trial = ["-f", "lavfi", "-i", "nullsrc", "-frames:v", "1"];
  assert(await tryFfmpeg([...trial, ...tools.everyFrame, "-f", "null", "-"]));
});

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
