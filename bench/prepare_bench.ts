/**
 * Preparing of videos by stage: seconds and frames a second of one core.
 *
 *     deno run -A bench/prepare_bench.ts [VIDEO …] [--size 256] [--json]
 *
 * Without a video it makes one: 225 frames of a photo of the face package under a moving camera at
 * 1280×720, 25 frames a second (nine seconds, so that every frame counts). One clip at a time on
 * one worker, as `prepare --workers 1` does; networks are warm.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { createFaceAnalyzer } from "../backends/face.ts";
import { readImage } from "../datasets/codec.ts";
import { polishClip, writePacked } from "../datasets/prepare/pack_clip.ts";
import { prepareClip } from "../datasets/video/prepare_clip.ts";
import { findVideoTools, type VideoTools } from "../datasets/video/tools.ts";
import { E, type TE } from "../pipeline/core/fp.ts";
import { type PipelineError, renderError } from "../pipeline/core/errors.ts";
import { resample } from "../pipeline/core/resample.ts";

const { _: named, size: sizeText, json } = parseArgs(Deno.args, {
  string: ["size"],
  boolean: ["json"],
  default: { size: "256" },
});
const size = Number(sizeText);
const say = (line: string): void =>
  void Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

const must = async <A>(task: TE.TaskEither<PipelineError, A>): Promise<A> => {
  const result = await task();
  if (E.isRight(result)) return result.right;
  throw new Error(renderError(result.left));
};

/** A film of the group photo that ships in the face package, the camera moving over one person. */
const makeFilm = async (tools: VideoTools, path: string): Promise<void> => {
  const code = import.meta.resolve("npm:@vladmandic/face-api@1.7.15/dist/face-api.node-wasm.js");
  const name = decodeURIComponent(new URL("../demo/sample1.jpg", code).pathname);
  const photo = await must(readImage(name));
  const [width, height] = [1280, 720];
  const child = new Deno.Command(tools.ffmpeg, {
    args: [
      ...["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`],
      ...["-r", "25", "-i", "pipe:0", "-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "3", path],
    ],
    stdin: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  for (let i = 0; i < 225; i++) {
    const x = 250 + 30 * Math.sin(i / 9), y = 240 + 12 * Math.sin(i / 5);
    const { data } = resample(photo, { x, y, width: 640, height: 360 }, width, height);
    await writer.write(new Uint8Array(data));
  }
  await writer.close();
  if (!(await child.status).success) throw new Error("ffmpeg could not make the film");
};

const tools = await must(findVideoTools());
const analyzer = await must(createFaceAnalyzer());
const folder = await Deno.makeTempDir();
try {
  const films = named.map(String);
  if (films.length === 0) {
    films.push(`${folder}/film.avi`);
    await makeFilm(tools, films[0]!);
  }
  const settings = { size, framesPerClip: 300, framesPerSecond: 5, minFrames: 9 };
  const { signal } = new AbortController();
  const results: Record<string, unknown>[] = [];
  for (const [i, path] of [films[0]!, ...films].entries()) {
    const before = process.cpuUsage();
    const clip = { identity: "a", video: "b", key: `a/b/${i}`, path, stamp: "" };
    const prepared = await must(
      prepareClip(() => Promise.resolve(E.right(analyzer)), tools, clip, settings, signal),
    );
    const polishing = performance.now();
    const polished = polishClip(clip.key, prepared, 9);
    if (E.isLeft(polished)) throw new Error(renderError(polished.left));
    const encoding = performance.now();
    const pack = { format: "jpeg", quality: 95, minFrames: 9 } as const;
    await must(writePacked(`${folder}/piece`, clip, polished.right, pack));
    const ended = performance.now();
    if (i === 0) continue; // networks and caches warm up
    const { figures } = prepared, { user, system } = process.cpuUsage(before);
    const cpuSeconds = (user + system) / 1e6;
    const seconds: Record<string, number> = {
      probe: figures.probeSeconds,
      decode: figures.decodeSeconds,
      "detect and follow": figures.analyseSeconds,
      crop: figures.cropSeconds,
      "smooth and judge": (encoding - polishing) / 1000,
      "encode and write": (ended - encoding) / 1000,
    };
    const all = Object.values(seconds).reduce((sum, each) => sum + each, 0);
    const { decoded, detections } = figures;
    results.push({
      path,
      size,
      frames: decoded,
      detections,
      seconds,
      cpuSeconds,
      framesPerSecond: decoded / all,
    });
    if (json) continue;
    say(`${path}: ${decoded} frames at ${size}, ${detections} detections`);
    for (const [stage, spent] of Object.entries(seconds)) {
      const each = (1000 * spent / decoded).toFixed(2).padStart(8);
      say(`  ${stage.padEnd(20)}${spent.toFixed(2).padStart(8)} s${each} ms a frame`);
    }
    say(
      `  ${"all".padEnd(20)}${all.toFixed(2).padStart(8)} s  ${
        (decoded / all).toFixed(1)
      } frames a second`,
    );
    say(`  processor time without ffmpeg's: ${cpuSeconds.toFixed(2)} s`);
  }
  if (json) say(JSON.stringify(results));
} finally {
  await analyzer.close();
  await Deno.remove(folder, { recursive: true });
}
