/**
 * What a person is learnt from: photos, paintings, videos, folders of pictures, or a synthetic
 * person → frames, cut out by the one crop of the project.
 *
 * @module
 */
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import { isImageName } from "../../datasets/codec.ts";
import { readImageHeader } from "../../datasets/image_header.ts";
import { readPhoto } from "../../datasets/photo.ts";
import { syntheticHeads, syntheticName } from "../../datasets/synthetic.ts";
import { prepareClip } from "../../datasets/video/prepare_clip.ts";
import { findVideoTools } from "../../datasets/video/tools.ts";
import type { HasAbort, HasEvents } from "../core/env.ts";
import { abortedBy } from "../core/abort.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { fileProblem, openFile, readFully } from "../core/files.ts";
import { E, type Either, type TaskEither, TE } from "../core/fp.ts";
import type { Frame } from "../core/image.ts";
import type { Stage } from "../core/stage.ts";

/** How sources become frames. */
export interface SourceOptions {
  /** Side of the frames in pixels: that of the model. */
  readonly size: number;
  /** In photos with several faces: which one, 1 for the largest (the default). */
  readonly face?: number;
  /** So many frames are taken from a video or a synthetic person, spread evenly. Default 8. */
  readonly frames?: number;
}

type Frames = Either<PipelineError, readonly Frame[]>;

/** Frames of a video that are looked at, as many as for training. */
const LOOKED_AT = 48;

const spread = <A>(items: readonly A[], count: number): readonly A[] =>
  items.length <= count
    ? items
    : Array.from({ length: count }, (_, i) => Math.floor((i + 0.5) * items.length / count))
      .flatMap((at) => items.slice(at, at + 1));

const bad = (problem: string): Either<Err<"Config">, never> =>
  E.left({ _tag: "Config", problems: [problem] });

const SYNTHETIC = /^synthetic:/;

/** `synthetic:7`, or `synthetic:7/2` for another video of the same person. */
const readSynthetic = async (
  source: string,
  { size, frames = 8 }: SourceOptions,
): Promise<Frames> => {
  const [, identity, video = "0"] = /^synthetic:(\d{1,9})(?:\/(\d{1,9}))?$/.exec(source) ?? [];
  const heads = syntheticHeads({ size, seed: 1 });
  const name = syntheticName(Number(identity)), people = [...heads.train, ...heads.heldOut];
  const sequence = people.find((each) =>
    each.identity === name && each.video === String(Number(video))
  );
  if (identity === undefined || !sequence) {
    const most = new Set(people.map((each) => each.identity)).size - 1;
    return bad(
      `Cannot use ${source}: there is nobody of that name, expected synthetic:0 to ${most}`,
    );
  }
  const indices = Array.from({ length: sequence.frames }, (_, i) => i);
  return await heads.read(sequence, spread(indices, frames))();
};

/** The pictures of a folder, in order. */
const picturesIn = async (folder: string): Promise<Either<Err<"Data">, readonly string[]>> => {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory && isImageName(name)) names.push(`${folder}/${name}`);
  }
  return names.length > 0 ? E.right(names.sort()) : E.left({
    _tag: "Data",
    path: folder,
    message: `Cannot use ${folder}: it holds no picture, expected JPEG, PNG or WebP files`,
  });
};

const isPicture = async (path: string): Promise<boolean> => {
  if (isImageName(path)) return true;
  using file = await openFile(path);
  return E.isRight(readImageHeader(await readFully(file, new Uint8Array(1 << 20))));
};

const readVideo = async (
  faces: FaceAnalyzer,
  path: string,
  { size, frames = 8 }: SourceOptions,
  signal: AbortSignal,
): Promise<Frames> => {
  const tools = await findVideoTools()();
  if (E.isLeft(tools)) return tools;
  const clip = { identity: "", video: "", key: path, path, stamp: "" };
  const settings = { size, framesPerClip: LOOKED_AT, minFrames: 1 };
  const made = await prepareClip(TE.right(faces), tools.right, clip, settings, signal)();
  return E.isLeft(made) ? made : E.right(spread(made.right.frames, frames));
};

const readFile = async (
  faces: FaceAnalyzer,
  path: string,
  options: SourceOptions,
  signal: AbortSignal,
): Promise<Frames> => {
  if (!await isPicture(path)) return await readVideo(faces, path, options, signal);
  const frame = await readPhoto(faces, options)(path)();
  return E.isLeft(frame) ? frame : E.right([frame.right]);
};

/** Folders become their pictures; what cannot be opened is an error before any work is done. */
const expand = async (
  sources: readonly string[],
): Promise<Either<Err<"Data">, readonly string[]>> => {
  const all: string[] = [];
  for (const source of sources) {
    if (SYNTHETIC.test(source)) {
      all.push(source);
      continue;
    }
    try {
      const { isDirectory } = await Deno.stat(source);
      if (!isDirectory) {
        all.push(source);
        continue;
      }
    } catch (cause) {
      const expected = "expected photos, a video, a folder of photos or synthetic:ID";
      const message = `Cannot read ${source}: ${fileProblem(cause)}, ${expected}`;
      return E.left({ _tag: "Data", path: source, message });
    }
    const pictures = await picturesIn(source);
    if (E.isLeft(pictures)) return pictures;
    all.push(...pictures.right);
  }
  return E.right(all);
};

const readAll = async (
  sources: readonly string[],
  options: SourceOptions,
  { signal, emit }: HasAbort & HasEvents,
): Promise<Frames> => {
  const frames: Frame[] = [];
  let faces: FaceAnalyzer | undefined;
  try {
    for (const [i, source] of sources.entries()) {
      if (signal.aborted) return E.left(abortedBy(signal));
      if (!SYNTHETIC.test(source) && !faces) {
        const started = await createFaceAnalyzer()();
        if (E.isLeft(started)) return started;
        faces = started.right;
      }
      const read = faces && !SYNTHETIC.test(source)
        ? await readFile(faces, source, options, signal)
        : await readSynthetic(source, options);
      if (E.isLeft(read)) return read;
      frames.push(...read.right);
      emit({ _tag: "Progress", what: "source frames", done: i + 1, of: sources.length });
    }
    return E.right(frames);
  } finally {
    await faces?.close();
  }
};

/**
 * Sources → frames of one person: paths of photos (JPEG, PNG, WebP, upright by their EXIF), of
 * videos, of folders of photos, or `synthetic:ID`. One that cannot be used ends it and is named:
 * `Data` (not there), `BadFile` (unreadable), `BadSample` (no face, no such face, too small),
 * `ToolMissing` (a video without ffmpeg), `Config` (nobody of that name), `Backend`, `Aborted`.
 *
 * @example
 * ```ts
 * import { readSources } from "./sources.ts";
 * const env = { signal: new AbortController().signal, emit: () => {} };
 * const frames = await readSources({ size: 16, frames: 2 })(["synthetic:7"])(env)();
 * if (frames._tag === "Left" || frames.right.length !== 2) throw new Error("unexpected");
 * ```
 */
export const readSources = (
  options: SourceOptions,
): Stage<HasAbort & HasEvents, PipelineError, readonly string[], readonly Frame[]> =>
(sources) =>
(env): TaskEither<PipelineError, readonly Frame[]> =>
async () => {
  if (sources.length === 0) return bad("Cannot learn a person: there are no photos, expected some");
  const all = await expand(sources);
  return E.isLeft(all) ? all : await readAll(all.right, options, env);
};
