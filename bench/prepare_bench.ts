/**
 * Preparing of videos by stage: processor time a frame, and frames a second of one core.
 *
 *     deno run -A bench/prepare_bench.ts [VIDEO …] [--size 256] [--format jpeg|webp] [--json]
 *
 * Without a video it makes one: 225 frames of a photo of the face package under a moving camera at
 * 1280×720, 25 frames a second (nine seconds, so that every frame counts). One clip at a time on
 * one worker, as `prepare --workers 1` does; networks are warm. Times are those of the processor,
 * of this process with its threads and of ffmpeg, so that what else runs here hardly matters:
 * decoding and cutting are measured alone, detecting and following is what is left of the whole.
 * (Where the system does not tell ffmpeg's time, it is left out, and that is said.)
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { createFaceAnalyzer } from "../backends/face.ts";
import { readImage } from "../datasets/codec.ts";
import { polishClip, writePacked } from "../datasets/prepare/pack_clip.ts";
import { cropFrame } from "../datasets/crop.ts";
import { prepareClip, type PreparedClip, regionOf } from "../datasets/video/prepare_clip.ts";
import { openClip } from "../datasets/video/source.ts";
import { findVideoTools, type VideoTools } from "../datasets/video/tools.ts";
import { E, type TE } from "../pipeline/core/fp.ts";
import { type PipelineError, renderError } from "../pipeline/core/errors.ts";
import { type Image, makeImage } from "../pipeline/core/image.ts";
import { resample } from "../pipeline/core/resample.ts";

const { _: named, size: sizeText, format, json } = parseArgs(Deno.args, {
  string: ["size", "format"],
  boolean: ["json"],
  default: { size: "256", format: "jpeg" },
});
const size = Number(sizeText);
if (format !== "jpeg" && format !== "webp") throw new Error("--format is jpeg or webp");
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

/** Seconds of the processor that ended children took; none where the system does not say. */
const childSeconds = (): number | undefined => {
  try {
    // The fields after the name in brackets: cutime and cstime are the 14th and 15th of them.
    const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /s, "").split(" ");
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return undefined;
  }
};
const childrenTold = childSeconds() !== undefined;

/** Seconds of the processor that some work takes, and what it gives. */
const spent = async <A>(work: () => A | Promise<A>): Promise<readonly [number, A]> => {
  const before = process.cpuUsage(), children = childSeconds() ?? 0;
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return [(user + system) / 1e6 + (childSeconds() ?? 0) - children, value];
};

const tools = await must(findVideoTools());
const analyzer = await must(createFaceAnalyzer());
const folder = await Deno.makeTempDir();
const { signal } = new AbortController();
const settings = { size, framesPerClip: 300, framesPerSecond: 5, minFrames: 9 };

const clipAt = (path: string, i: number) => ({
  identity: "a",
  video: "b",
  key: `a/b/${i}`,
  path,
  stamp: "",
});

/** Decodes a clip as its two passes do. */
const decodeTwice = async (
  path: string,
  { square, info, figures }: PreparedClip,
): Promise<void> => {
  const { frames } = await must(openClip(tools, clipAt(path, 0), signal));
  const passes = [
    { longest: 640 },
    { longest: 2 * size, region: regionOf(square, info) },
  ];
  for (const pass of passes) {
    for await (const frame of frames({ ...pass, frames: figures.decoded })({ signal })) {
      if (E.isLeft(frame)) throw new Error(renderError(frame.left));
    }
  }
};

/** Cuts one picture of the second pass's size as often as there are frames. */
const cutAll = ({ square, info, frames }: PreparedClip): void => {
  const region = regionOf(square, info);
  const scale = Math.min(1, 2 * size / Math.max(region.width, region.height));
  const { width, height } = region;
  const picture: Image = makeImage(Math.round(width * scale), Math.round(height * scale));
  const inside = {
    x: (square.x - region.x) * scale,
    y: (square.y - region.y) * scale,
    side: square.side * scale,
  };
  for (const { landmarks } of frames) cropFrame(picture, landmarks, inside, size);
};

const measure = async (path: string, i: number) => {
  const faces = () => Promise.resolve(E.right(analyzer));
  const clip = clipAt(path, i);
  const [whole, prepared] = await spent(() =>
    must(prepareClip(faces, tools, clip, settings, signal))
  );
  const [decode] = await spent(() => decodeTwice(path, prepared));
  const [crop] = await spent(() => cutAll(prepared));
  const [judge, polished] = await spent(() => polishClip(clip.key, prepared, 9));
  if (E.isLeft(polished)) throw new Error(renderError(polished.left));
  const [encode] = await spent(() =>
    must(writePacked(`${folder}/piece`, clip, polished.right, {
      format,
      quality: 95,
      minFrames: 9,
    }))
  );
  const { decoded, detections } = prepared.figures;
  const seconds: Readonly<Record<string, number>> = {
    "decode (both passes)": decode,
    "detect and follow": whole - decode - crop,
    crop,
    "smooth and judge": judge,
    "encode and write": encode,
  };
  const all = Object.values(seconds).reduce((sum, each) => sum + each, 0);
  const { rawJitter, jitter } = polished.right.quality;
  return {
    ...{ path, size, frames: decoded, kept: prepared.frames.length, detections, rawJitter, jitter },
    ...{ processorSeconds: seconds, framesPerSecond: decoded / all, ffmpegCounted: childrenTold },
  };
};

try {
  const films = named.map(String);
  if (films.length === 0) {
    films.push(`${folder}/film.avi`);
    await makeFilm(tools, films[0]!);
  }
  const results: Awaited<ReturnType<typeof measure>>[] = [];
  for (const [i, path] of [films[0]!, ...films].entries()) {
    const result = await measure(path, i);
    if (i === 0) continue; // networks and caches warm up
    results.push(result);
    if (json) continue;
    const { frames, detections, processorSeconds, framesPerSecond } = result;
    say(`${path}: ${frames} frames at ${size}, ${detections} detections`);
    for (const [stage, seconds] of Object.entries(processorSeconds)) {
      const each = (1000 * seconds / frames).toFixed(2).padStart(8);
      say(`  ${stage.padEnd(22)}${seconds.toFixed(2).padStart(8)} s${each} ms a frame`);
    }
    say(
      `  ${"all".padEnd(22)}${(frames / framesPerSecond).toFixed(2).padStart(8)} s  ${
        framesPerSecond.toFixed(1)
      } frames a second of one core${childrenTold ? "" : ", ffmpeg's time not counted"}`,
    );
  }
  if (json) say(JSON.stringify(results));
} finally {
  await analyzer.close();
  await Deno.remove(folder, { recursive: true });
}
