/** Frames of videos: which, how large, turned how. */
import assert from "node:assert/strict";
import { E } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";
import { decodeFrames } from "../../datasets/video/decode.ts";
import { probeVideo } from "../../datasets/video/probe.ts";
import { ffmpeg, left, tryFfmpeg, videoTest, withFolder, writeVideo } from "./video_fixtures.ts";
import { decode, never, numbered, numberOf, probe, videoTools } from "./video_reading.ts";

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
