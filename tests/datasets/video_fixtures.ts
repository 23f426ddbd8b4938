/** Small videos made on the spot for the tests of video reading; ffmpeg is needed for them. */
import assert from "node:assert/strict";
import { E, type TE } from "../../pipeline/core/fp.ts";
import type { Image } from "../../pipeline/core/image.ts";
import { readImage } from "../../datasets/codec.ts";
import { resample } from "../../pipeline/core/resample.ts";

const present = await new Deno.Command("ffmpeg", { args: ["-version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);
const required = Deno.env.get("HEADSHOT_REQUIRE_FFMPEG") === "1";

/**
 * A test that makes videos: skipped, visibly, where there is no ffmpeg, unless one is required;
 * and where `lacking` names something else that is not there.
 */
export const videoTest = (name: string, run: () => Promise<void>, lacking?: string): void => {
  const missing = lacking ?? (present || required ? undefined : "ffmpeg");
  Deno.test({
    name: missing === undefined ? name : `${name} (skipped: no ${missing})`,
    ignore: missing !== undefined,
    fn: run,
  });
};

/** Runs ffmpeg; true where it succeeded. */
export const tryFfmpeg = async (
  args: readonly string[],
  stdin: Uint8Array<ArrayBuffer> = new Uint8Array(),
): Promise<boolean> => {
  const child = new Deno.Command("ffmpeg", {
    args: ["-v", "quiet", "-y", ...args],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(stdin).then(() => writer.close()).catch(() => {});
  return (await child.status).success;
};

/** Runs ffmpeg, which must succeed. */
export const ffmpeg = async (
  args: readonly string[],
  stdin?: Uint8Array<ArrayBuffer>,
): Promise<void> => {
  assert(await tryFfmpeg(args, stdin), `ffmpeg ${args.join(" ")}`);
};

/** Writes pictures of one size as a video; `name` is taken literally. */
export const writeVideo = async (
  path: string,
  frames: readonly Image[],
  args: readonly string[] = ["-c:v", "mpeg4", "-q:v", "2"],
): Promise<void> => {
  const [{ width, height }] = frames as [Image];
  const all = new Uint8Array(frames.length * width * height * 3);
  frames.forEach(({ data }, i) => all.set(data, i * data.length));
  const raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`, "-r", "25"];
  await ffmpeg([...raw, "-i", "pipe:0", "-pix_fmt", "yuv420p", ...args, `file:${path}`], all);
};

/** A group photo that ships in the face package: three people. */
export const groupPhoto = (): Promise<Image> => {
  const code = import.meta.resolve("npm:@vladmandic/face-api@1.7.15/dist/face-api.node-wasm.js");
  return right(readImage(decodeURIComponent(new URL("../demo/sample1.jpg", code).pathname)));
};

/** Where two of them are. */
const PEOPLE = [{ x: 300, y: 260 }, { x: 720, y: 320 }] as const;

/** Frames of a person of the group photo, 192 × 192, with a camera that drifts. */
export const personFrames = async (person: 0 | 1, count: number): Promise<readonly Image[]> => {
  const photo = await groupPhoto();
  const { x, y } = PEOPLE[person];
  return Array.from(
    { length: count },
    (_, i) => resample(photo, { x: x + 2 * i, y: y + i, width: 400, height: 400 }, 192, 192),
  );
};

/** The success of a task, or the test fails. */
export const right = async <L, A>(task: TE.TaskEither<L, A>): Promise<A> => {
  const either = await task();
  assert(E.isRight(either), JSON.stringify(either));
  return either.right;
};

/** The failure of a task, or the test fails. */
export const left = async <L, A>(task: TE.TaskEither<L, A>): Promise<L> => {
  const either = await task();
  assert(E.isLeft(either), "it succeeded");
  return either.left;
};

/** Runs with a temporary folder that is removed afterwards. */
export const withFolder = async (use: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await Deno.makeTempDir({ prefix: "headshot test's $(folder) " });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};
