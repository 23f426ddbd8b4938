/** Driving from end to end: real films, probed. What is refused: `drive_refused_test.ts`. */
import assert from "node:assert/strict";
import { makeVideoWriter } from "../../../datasets/film/video_writer.ts";
import { readImage } from "../../../datasets/codec.ts";
import { probeTiming } from "../../../datasets/video/sound.ts";
import { findVideoTools } from "../../../datasets/video/tools.ts";
import { renderError } from "../../../pipeline/core/errors.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { makeImage } from "../../../pipeline/core/image.ts";
import type { DriveOptions } from "../../../pipeline/programs/drive_options.ts";
import {
  ffmpeg,
  personFrames,
  right,
  videoTest,
  withFolder,
  writeVideo,
} from "../../datasets/video_fixtures.ts";
import { driveTest, lossy, namesIn, probe } from "./driven.ts";

const done = async (options: DriveOptions) => {
  const result = await driveTest(options);
  assert(E.isRight(result), E.isLeft(result) ? renderError(result.left) : "");
  return result.right;
};

videoTest(
  "drive: an mp4 of a synthetic driver is H.264, 4:2:0, labelled",
  () =>
    withFolder(async (folder) => {
      const out = `${folder}/film.mp4`;
      const result = await done({ driver: "synthetic:3", out, frames: 13, sideBySide: true });
      assert.deepEqual([result.frames, result.framesPerSecond, result.sound], [13, 25, false]);
      const { streams: [video, ...more], format } = await probe(out);
      assert.ok(video && more.length === 0);
      assert.equal(video.codec_name, "h264");
      assert.equal(video.pix_fmt, "yuv420p");
      assert.deepEqual([video.width, video.height], [64, 16]);
      assert.equal(video.nb_read_frames, "13");
      assert.equal(video.avg_frame_rate, "25/1");
      assert.match(format.tags?.comment ?? "", /^Synthetic.*test-16, model sha256 (ab){32}$/);
      assert.deepEqual(await namesIn(folder), ["film.mp4"]);
    }),
);

/** When a beep begins in the sound of a file, in seconds. */
const beepAt = async (path: string): Promise<number> => {
  const { stdout } = await new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-i", path, "-map", "0:a", "-ac", "1", "-ar", "8000", "-f", "f32le", "-"],
  }).output();
  const samples = new Float32Array(stdout.slice().buffer);
  return samples.findIndex((v) => Math.abs(v) > 0.05) / 8000;
};

/** A person's video, read as `timing` says, with a beep at 0.4 s of its sound. */
const talkingVideo = async (path: string, timing: readonly string[]): Promise<void> => {
  const silent = `${path}.silent.mp4`;
  await writeVideo(silent, await personFrames(0, 14));
  const retimed = [...timing, "-i", silent];
  const beep = "aevalsrc='if(gt(t,0.4),0.5*sin(2*PI*880*t),0)':s=44100:d=1.4";
  await ffmpeg([
    ...[...retimed, "-f", "lavfi", "-i", beep, "-map", "0:v", "-map", "1:a"],
    ...["-c:v", "mpeg4", "-q:v", "2", "-c:a", "aac", path],
  ]);
  await Deno.remove(silent);
};

videoTest(
  "drive: a video's frame rate, sound and their sync are kept",
  () =>
    withFolder(async (folder) => {
      const [driver, out] = [`${folder}/talk.mp4`, `${folder}/film.mp4`];
      await talkingVideo(driver, ["-r", "30000/1001"]);
      const result = await done({ driver, out, saveTrack: `${folder}/track.json` });
      assert.equal(result.frames, 14);
      assert.ok(result.sound && result.held <= 2);
      const { streams: [video, audio], format } = await probe(out);
      assert.ok(video && audio);
      assert.equal(video.avg_frame_rate, "30000/1001");
      assert.equal(video.nb_read_frames, "14");
      assert.equal(audio.codec_name, "aac");
      assert.ok(Math.abs(Number(format.duration) - 14 * 1.001 / 30) < 0.05, format.duration);
      assert.ok(Math.abs(await beepAt(out) - 0.4) < 0.04, String(await beepAt(out)));
      // What was saved drives again: the same frames, without sound.
      const again = await done({ driver: `${folder}/track.json`, out: `${folder}/again.mp4` });
      assert.deepEqual([again.frames, again.sound], [14, false]);
      assert.ok(Math.abs(again.framesPerSecond - 30000 / 1001) < 1e-3);
    }),
);

videoTest(
  "film: sound before the first picture is left out, so that lips stay with it",
  () =>
    withFolder(async (folder) => {
      const [driver, path] = [`${folder}/talk.mkv`, `${folder}/film.mp4`];
      await talkingVideo(driver, ["-itsoffset", "0.3"]);
      const begins = Number((await probe(driver)).streams[0]?.start_time);
      assert.ok(begins > 0.25, `the pictures begin at ${begins}`);
      const tools = await right(findVideoTools()), { signal } = new AbortController();
      const { sound } = await right(probeTiming(tools, driver, driver, signal));
      const settings = { path, kind: "mp4" as const, framesPerSecond: 20, frames: 12, sound };
      const film = makeVideoWriter(tools, settings, signal);
      for (let i = 0; i < 12; i++) await right(film.write(makeImage(15, 17, [20 * i, 0, 0])));
      await right(film.finish);
      const { streams: [video] } = await probe(path);
      assert.deepEqual([video?.nb_read_frames, video?.width, video?.height], ["12", 16, 18]);
      const [before, after] = [await beepAt(driver), await beepAt(path)];
      assert.ok(Math.abs(after - (before - begins)) < 0.04, `${before} - ${begins}: ${after}`);
    }),
);

videoTest(
  "drive: a gif plays at the driver's speed and says what it is",
  () =>
    withFolder(async (folder) => {
      const out = `${folder}/film.gif`;
      await done({ driver: "synthetic:3", out, frames: 10 });
      const { streams: [video], format } = await probe(out);
      assert.equal(video?.codec_name, "gif");
      assert.equal(video?.nb_read_frames, "10");
      assert.ok(Math.abs(Number(format.duration) - 0.4) < 0.011, format.duration);
      const text = new TextDecoder("latin1").decode(await Deno.readFile(out));
      assert.match(text, /!\xfe.Synthetic: generated by Headshot/);
      assert.deepEqual(await namesIn(folder), ["film.gif"]);
    }),
);

Deno.test("drive: a folder of PNG pictures, each marked and labelled; both can be left out", () =>
  withFolder(async (folder) => {
    const film = { driver: "synthetic:3", frames: 3 };
    await done({ ...film, out: `${folder}/marked` });
    await done({ ...film, out: `${folder}/plain/`, mark: false, metadata: false });
    assert.deepEqual(await namesIn(folder), ["marked", "plain"]);
    assert.deepEqual(await namesIn(`${folder}/plain`), ["000001.png", "000002.png", "000003.png"]);
    const marked = await right(readImage(`${folder}/marked/000002.png`));
    const plain = await right(readImage(`${folder}/plain/000002.png`));
    const differs = (x: number, y: number): boolean =>
      [0, 1, 2].some((c) => marked.data[(y * 16 + x) * 3 + c] !== plain.data[(y * 16 + x) * 3 + c]);
    assert.ok([...Array(7).keys()].some((y) => differs(10, 9 + y)), "there is no mark");
    assert.ok(
      ![...Array(9).keys()].some((y) => differs(8, y)),
      "the mark covers more than a corner",
    );
    const bytes = async (name: string) =>
      new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/${name}/000002.png`));
    assert.match(await bytes("marked"), /tEXtComment\0Synthetic: .*model sha256 (ab){32}/);
    assert.doesNotMatch(await bytes("plain"), /tEXt/);
  }));

Deno.test("drive: a lost face repeats the last good frame", () =>
  withFolder(async (folder) => {
    const driver = await lossy(`${folder}/track.json`), out = `${folder}/film`;
    const result = await done({ driver, out, holdSeconds: 0.4 });
    assert.deepEqual([result.frames, result.held], [10, 4]);
    const frame = (i: number) => Deno.readFile(`${out}/${String(i + 1).padStart(6, "0")}.png`);
    assert.deepEqual(await frame(3), await frame(2));
    assert.deepEqual(await frame(6), await frame(2));
    assert.notDeepEqual(await frame(7), await frame(2));
  }));
