/** Everything that Headshot reads back from disk, and how damage is read by it. */
import assert from "node:assert/strict";
import { decodeImage } from "../../datasets/codec.ts";
import { parseSample } from "../../datasets/prepare/record.ts";
import { parseTable } from "../../datasets/prepare/table.ts";
import { walkTar } from "../../datasets/prepare/tar.ts";
import { preparedVideos } from "../../datasets/prepared.ts";
import { readTrack } from "../../datasets/track/landmark_track.ts";
import { readClipFrames, readClipIndex } from "../../datasets/video/clip_file.ts";
import { convertTensors } from "../../models/weights/convert.ts";
import { readWeights } from "../../models/weights/read.ts";
import { metaTrainCommand } from "../../pipeline/cli/meta_train_command.ts";
import { type PipelineError, renderError } from "../../pipeline/core/errors.ts";
import { E, type Either } from "../../pipeline/core/fp.ts";
import type { Image } from "../../pipeline/core/image.ts";
import {
  type HostTensors,
  readSafetensorsFile,
  readSafetensorsHeader,
} from "../../pipeline/core/safetensors.ts";
import { loadCheckpoint } from "../../pipeline/programs/checkpoint/load.ts";
import { readRunConfig } from "../../pipeline/programs/checkpoint/run_folder.ts";
import { readRollbacks } from "../../pipeline/programs/guard.ts";
import { decodePerson } from "../../pipeline/programs/person_file.ts";
import type { Bytes } from "./damage.ts";
import {
  type Mend,
  mendCheckpoint,
  mendClip,
  mendPerson,
  mendPng,
  mendPrepared,
  mendTar,
  mendZip,
  unbundle,
} from "./mend.ts";
import * as seeds from "./seeds.ts";
import { problemOf } from "./sentences.ts";

/** A reader, whole files for it, and the bounds that it keeps. */
export interface Target {
  readonly name: string;
  /** Whole files. */
  readonly seeds: () => Promise<readonly Bytes[]>;
  /** Used in every second case. */
  readonly mend?: Mend;
  /** Reads; the sentences of a refusal, none where it was read. Whatever it throws is a bug. */
  readonly read: (bytes: Bytes, folder: string) => Promise<readonly string[]>;
  /** The longest that a case may take, in milliseconds of processor. */
  readonly ms: number;
  /** The most resident memory that all cases together may add, in MiB. */
  readonly mib: number;
}

const said = <A>(result: Either<PipelineError | string, A>): readonly string[] => {
  if (E.isRight(result)) return [];
  const { left } = result;
  return typeof left === "string" ? [left] : renderError(left).split("\n");
};

/** What a reader makes of a file of that name. */
const ofFile = (
  name: string,
  read: (path: string) => Promise<readonly string[]>,
): Target["read"] =>
async (bytes, folder) => {
  const path = `${folder}/${name}`;
  await Deno.writeFile(path, bytes);
  return await read(path);
};

const checkTensors = (tensors: HostTensors): void => {
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    assert.equal(shape.reduce((a, b) => a * b, 1), data.length, name);
  }
};

const checkImage = ({ width, height, data }: Image): void => {
  assert.ok(width > 0 && height > 0 && data.length === 3 * width * height);
};

const weightsOf = async (path: string): Promise<readonly string[]> => {
  const read = await readWeights(path)();
  if (E.isLeft(read)) return said(read);
  checkTensors(read.right.tensors);
  // These few layers are of no network that is known: that must be said, it is no refusal to read.
  assert.equal(problemOf(said(convertTensors(read.right, { preprocessing: "caffe" }))), undefined);
  return [];
};
const weights = ofFile("weights", weightsOf);

const manifest: Target["read"] = async (bytes, folder) => {
  const [json = new Uint8Array(), shard = new Uint8Array()] = unbundle(bytes);
  await Deno.writeFile(`${folder}/weights.bin`, shard);
  return await ofFile("weights_manifest.json", weightsOf)(json, folder);
};

const image: Target["read"] = async (bytes) => {
  const read = await decodeImage(bytes, "a picture")();
  if (E.isRight(read)) checkImage(read.right);
  return said(read);
};

const checkpoint: Target["read"] = async (bytes, folder) => {
  const run = `${folder}/run`, path = `${run}/checkpoints/step-000001`;
  const [meta = new Uint8Array(), one, two] = unbundle(bytes);
  await Deno.mkdir(path, { recursive: true });
  await Deno.writeFile(`${path}/meta.json`, meta);
  await Deno.writeFile(`${path}/weights.safetensors`, one ?? new Uint8Array());
  await Deno.writeFile(`${path}/state.safetensors`, two ?? new Uint8Array());
  const told: string[] = [];
  const emit = (event: { readonly message?: string }): void => void told.push(event.message ?? "");
  const read = await loadCheckpoint(["weights", "state"])(run)({ emit: emit as () => void })();
  if (E.isRight(read)) Object.values(read.right.parts).forEach(checkTensors);
  return [...said(read), ...told];
};

const tar = ofFile("a.tar", async (path) => {
  const problems: string[] = [];
  for await (const found of walkTar(path)) {
    if ("problem" in found) problems.push(found.problem);
    else if (found.name.endsWith(".json")) problems.push(...said(parseSample(found.data)));
    else problems.push(...said(await decodeImage(found.data, found.name)()));
  }
  return problems;
});

const prepared: Target["read"] = async (bytes, folder) => {
  const path = `${folder}/prepared`, [index, list, shard] = unbundle(bytes);
  await Deno.mkdir(`${path}/shards`, { recursive: true });
  const write = (name: string, part: Bytes | undefined) =>
    Deno.writeFile(`${path}/${name}`, part ?? new Uint8Array());
  await write("index.json", index);
  await write("shards/train-00000.json", list);
  await write("shards/train-00000.tar", shard);
  const opened = await preparedVideos({ path, size: 16, decode: "here" })();
  if (E.isLeft(opened)) return said(opened);
  const { train, heldOut, read } = opened.right, problems: string[] = [];
  for (const sequence of [...train, ...heldOut]) {
    const count = Math.min(4, sequence.frames);
    const frames = await read(sequence, Array.from({ length: count }, (_, i) => i))();
    if (E.isRight(frames)) assert.equal(frames.right.length, count);
    problems.push(...said(frames));
  }
  return problems;
};

const clip = ofFile("clip.safetensors", async (path) => {
  const index = await readClipIndex(path, 8);
  if (index === undefined) return ["it is none"];
  const count = Math.min(4, index.offsets.length - 1);
  const frames = await readClipFrames(index, "a/b", Array.from({ length: count }, (_, i) => i))();
  if (E.isRight(frames)) frames.right.forEach((frame) => checkImage(frame.image));
  return said(frames);
});

const runFiles: Target["read"] = async (bytes, folder) => {
  const run = `${folder}/run`, [config, rollbacks] = unbundle(bytes);
  await Deno.mkdir(run, { recursive: true });
  await Deno.writeFile(`${run}/config.json`, config ?? new Uint8Array());
  await Deno.writeFile(`${run}/rollbacks.json`, rollbacks ?? new Uint8Array());
  return [...said(await readRunConfig(run)()), ...said(await readRollbacks(run))];
};

const safetensors = ofFile("a.safetensors", async (path) => {
  const read = await readSafetensorsFile(path)();
  const header = await readSafetensorsHeader(path)();
  if (E.isRight(read)) {
    checkTensors(read.right.tensors);
    if (E.isLeft(header)) assert.fail(`the file is read, its header not: ${header.left.message}`);
  }
  return said(read);
});

const small = { ms: 2000, mib: 256 };
/** A picture of 100 megapixels is within what is read. */
const large = { ms: 10_000, mib: 1536 };

/** All readers. */
export const targets: readonly Target[] = [
  { name: "safetensors", seeds: seeds.safetensors, read: safetensors, ...small },
  { name: "caffemodel", seeds: seeds.caffemodels, read: weights, ...small },
  { name: "pth (zip)", seeds: seeds.zips, mend: mendZip, read: weights, ...small },
  { name: "pth (legacy)", seeds: seeds.legacies, read: weights, ...small },
  { name: "TensorFlow.js", seeds: seeds.manifests, read: manifest, ...small },
  { name: "tar", seeds: seeds.shards, mend: mendTar, read: tar, ...large },
  { name: "prepared", seeds: seeds.prepared, mend: mendPrepared, read: prepared, ...large },
  { name: "clip", seeds: seeds.clips, mend: mendClip, read: clip, ...small },
  {
    name: "track",
    seeds: seeds.tracks,
    read: ofFile("a.json", async (path) => said(await readTrack(path)())),
    ...small,
  },
  {
    name: "config",
    seeds: seeds.configs,
    read: ofFile(
      "a.jsonc",
      async (config) => said(await metaTrainCommand.run({ config, "print-config": true })),
    ),
    ...small,
  },
  { name: "run", seeds: seeds.runs, read: runFiles, ...small },
  {
    name: "table",
    seeds: seeds.tables,
    read: (bytes) =>
      Promise.resolve(
        said(parseTable(new TextDecoder().decode(bytes), ["file", "identity"])),
      ),
    ...small,
  },
  {
    name: "person",
    seeds: seeds.people,
    mend: mendPerson,
    read: (bytes) => Promise.resolve(said(decodePerson(bytes, "a person"))),
    ...small,
  },
  {
    name: "checkpoint",
    seeds: seeds.checkpoints,
    mend: mendCheckpoint,
    read: checkpoint,
    ...small,
  },
  { name: "JPEG", seeds: seeds.jpegs, read: image, ...large },
  { name: "PNG", seeds: seeds.pngs, mend: mendPng, read: image, ...large },
  { name: "WebP", seeds: seeds.webps, read: image, ...large },
];
