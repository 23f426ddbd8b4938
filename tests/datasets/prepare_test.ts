/** `prepare`, `verify` and the dataset that is read from the shards, on real files. */
import assert from "node:assert/strict";
import type { TrainEvent } from "../../pipeline/core/events.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { writeImage } from "../../datasets/codec.ts";
import { sha256 } from "../../datasets/prepare/digest.ts";
import { prepareFolder, type PrepareOptions } from "../../datasets/prepare/prepare_folder.ts";
import { verifyPrepared } from "../../datasets/prepare/verify.ts";
import { isPrepared, preparedVideos } from "../../datasets/prepared.ts";
import {
  groupPhoto,
  left,
  personFrames,
  right,
  videoTest,
  withFolder,
  writeVideo,
} from "./video_fixtures.ts";
import { run, verifyDamaged } from "./damaged_shards.ts";

const prepare = (options: PrepareOptions) => right(run(prepareFolder(options)));

/** Hashes of all files below a folder by their paths. */
const hashes = async (folder: string, below = ""): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
    const path = `${below}${name}`;
    if (isDirectory) (await hashes(folder, `${path}/`)).forEach((hash, at) => found.set(at, hash));
    else found.set(path, sha256(await Deno.readFile(`${folder}/${path}`)));
  }
  return new Map([...found].sort());
};

/** People with faces in both layouts, and what real folders contain. */
const makeCorpus = async (root: string): Promise<void> => {
  const mkdir = (path: string) => Deno.mkdir(`${root}/mp4/${path}`, { recursive: true });
  for (const path of ["ada/v1", "ada/v2", "bob/v1", "cyd/v1", "eve/v1", "eve/v2"]) {
    await mkdir(path);
  }
  const at = (path: string) => `${root}/mp4/${path}`;
  await writeVideo(at("ada/v1/00001.mp4"), await personFrames(0, 12));
  await writeVideo(at("ada/v1/00002.mkv"), await personFrames(0, 9));
  for (const [i, image] of (await personFrames(0, 9)).entries()) {
    await right(writeImage(at(`ada/v2/${String(i).padStart(7, "0")}.jpg`), image));
  }
  await writeVideo(at("bob/v1/-i it's $(b).mp4"), await personFrames(1, 11));
  await Deno.copyFile(at("ada/v1/00001.mp4"), at("cyd/v1/same.mp4"));
  await writeVideo(at("cyd/v1/own.mp4"), await personFrames(1, 10));
  await Deno.writeFile(at("eve/v1/zero.mp4"), new Uint8Array());
  await writeVideo(at("eve/v1/one.mp4"), await personFrames(0, 1));
  const [face] = await personFrames(0, 1);
  await writeVideo(at("eve/v2/frozen.mkv"), Array.from({ length: 9 }, () => face!), [
    ...["-c:v", "ffv1"],
  ]);
};

const rejectsOf = (rejected: readonly { readonly key: string; readonly reason: string }[]) =>
  Object.fromEntries(rejected.map(({ key, reason }) => [key, reason]));

const killMidway = async (args: readonly string[], work: string): Promise<void> => {
  const cli = decodeURIComponent(new URL("../../cli.ts", import.meta.url).pathname);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", cli, "prepare", ...args],
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended = false;
  const status = child.status.then((result) => {
    ended = true;
    return result;
  });
  for (let done = 0; done < 3 && !ended;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const files = await Array.fromAsync(Deno.readDir(work)).catch(() => []);
    done = files.filter(({ name }) => name.endsWith(".json")).length;
  }
  child.kill("SIGKILL");
  assert.equal((await status).success, false, "it was killed in the middle");
};

videoTest(
  "prepare: rejects by reason; the same bytes whole, shared by two, killed and resumed; read back",
  () =>
    withFolder(async (root) => {
      await makeCorpus(root);
      const split = { validation: 0.2, test: 0, clipsPerShard: 1 };
      const options = { path: root, size: 64, workers: 2, ...split };
      const whole = `${root}/whole`, parts = `${root}/parts`, killed = `${root}/killed`;
      const events: TrainEvent[] = [];
      const first = await right(
        run(prepareFolder({ ...options, out: whole }), (event) => events.push(event)),
      );
      const report = first.report!;
      assert.deepEqual(rejectsOf(report.rejected), {
        "cyd/v1/same.mp4": "duplicate",
        "eve/v1/one.mp4": "too short",
        "eve/v1/zero.mp4": "unreadable",
        "eve/v2/frozen.mkv": "duplicate",
      });
      assert.deepEqual([report.clips, report.usable], [9, 5]);
      assert(report.frames >= 48 && report.frames <= 51, `${report.frames} frames`);
      assert.equal(first.faces, report.frames);
      assert(report.medians.jitter! <= report.medians.rawJitter!);
      const told = events.flatMap((event) => event._tag === "Progress" ? [event] : []);
      assert.equal(told.at(-1)?.done, 8);
      assert.match(told.at(-1)?.what ?? "", /^clips \(\d+ faces, 3 rejects, 0 s left\)$/);
      const bytes = await hashes(whole);
      assert([...bytes.keys()].every((name) => /^(index|report|shards\/\w+-\d{5})\./.test(name)));
      assert(first.shards.of >= 3 && bytes.size === 2 + 2 * first.shards.of);

      // Again: nothing is done. Two machines in any order: the last one merges.
      const again = await prepare({ ...options, out: whole });
      assert.deepEqual([again.earlier, again.faces, again.figures.length], [8, 0, 0]);
      assert.deepEqual(await hashes(whole), bytes);
      for (const [order, index] of [1, 0].entries()) {
        const outcome = await prepare({
          ...options,
          workers: 1,
          out: parts,
          share: { index, count: 2 },
        });
        assert.equal(outcome.report !== undefined, order === 1);
        assert.equal(await isPrepared(parts), order === 1);
      }
      assert.deepEqual(await hashes(parts), bytes);
      await Deno.remove(`${parts}/index.json`);
      const merged = await prepare({ ...options, out: parts, mergeOnly: true });
      assert.deepEqual(merged.report, report);
      assert.deepEqual(await hashes(parts), bytes);

      // Killed in the middle: clips that were done are not done again.
      const args = ["--in", root, "--out", killed, "--size", "64", "--workers", "1", "--keep"];
      const rest = ["--validation", "0.2", "--test", "0", "--clips-per-shard", "1"];
      await killMidway([...args, ...rest], `${killed}/work`);
      assert.equal(await isPrepared(killed), false);
      const resumed = await prepare({ ...options, workers: 1, out: killed });
      assert(resumed.earlier >= 3 && resumed.earlier < 8, `${resumed.earlier} were done`);
      assert.deepEqual(await hashes(killed), bytes);

      // As a dataset: people on one side each, frames of any clip of a sequence.
      const dataset = await right(preparedVideos({ path: whole, size: 64 }));
      const sequences = [...dataset.train, ...dataset.heldOut];
      assert.equal(sequences.reduce((sum, { frames }) => sum + frames, 0), report.frames);
      const people = dataset.heldOut.map(({ identity }) => identity);
      assert(dataset.train.every(({ identity }) => !people.includes(identity)));
      const ada = sequences.find(({ identity, video }) => identity === "ada" && video === "v1");
      assert(ada !== undefined && ada.frames >= 19);
      const frames = await right(dataset.read(ada, [ada.frames - 1, 0, 5]));
      for (const { image, landmarks } of frames) {
        assert.deepEqual([image.width, image.height], [64, 64]);
        assert.equal(landmarks.length, 136);
        for (const v of landmarks) assert(v >= 0 && v <= 64);
        const across = landmarks[2 * 45]! - landmarks[2 * 36]!;
        assert(across > 12 && across < 28, `outer corners of the eyes ${across} px apart`);
      }
      assert.deepEqual(await right(dataset.read(ada, [5])), [frames[2]]);
      const beside = await right(preparedVideos({ path: whole, size: 64, decode: "beside" }));
      assert.deepEqual(await right(beside.read(ada, [ada.frames - 1, 0, 5])), frames);
      await assert.rejects(dataset.read(ada, [ada.frames])(), /Cannot read frame/);
      const other = await left(preparedVideos({ path: whole, size: 128 }));
      assert.match(other.message, /prepared with --size 64, expected a preset of 64 pixels/);
      const settings = await left(run(prepareFolder({ ...options, out: whole, fps: 3 })));
      assert.match((settings as { message: string }).message, /prepared with fps 5, not 3/);

      await verifyDamaged(whole);
    }),
);

Deno.test("prepare: a flat folder of photos, in WebP, and pictures that are bombs", () =>
  withFolder(async (root) => {
    const photo = await groupPhoto();
    const places = [[300, 260], [310, 250], [290, 255], [720, 320]] as const;
    for (const [i, [x, y]] of places.entries()) {
      const face = resample(photo, { x, y, width: 400, height: 400 }, 180 + 10 * i, 180 + 10 * i);
      const name = i < 3 ? `ada_${i}.jpg` : "bob_1.png";
      await right(writeImage(`${root}/${name}`, face));
    }
    const bomb = await Deno.readFile(`${root}/bob_1.png`);
    new DataView(bomb.buffer).setUint32(16, 60_000);
    new DataView(bomb.buffer).setUint32(20, 60_000);
    await Deno.writeFile(`${root}/bob_2.png`, bomb);
    const out = `${root}/out`;
    const { report } = await prepare({
      ...{ path: root, out, size: 96, minFrames: 3, format: "webp", workers: 1 },
      ...{ validation: 0, test: 0 },
    });
    assert.deepEqual(rejectsOf(report?.rejected ?? []), {
      "bob/photos/bob_1.png": "too short",
      "bob/photos/bob_2.png": "unreadable",
    });
    const { problems } = await right(run(verifyPrepared({ path: out, shots: 2 })));
    assert.deepEqual(problems, []);
    const dataset = await right(preparedVideos({ path: out, size: 96 }));
    assert.deepEqual(dataset.train, [{ identity: "ada", video: "photos", frames: 3 }]);
    const [frame] = await right(dataset.read(dataset.train[0]!, [2]));
    assert.deepEqual([frame?.image.width, frame?.image.height], [96, 96]);
  }));

Deno.test("prepare: no folder, no place to write, nothing prepared: one sentence each", () =>
  withFolder(async (root) => {
    const out = `${root}/out`;
    const said = async (options: PrepareOptions): Promise<string> => {
      const error = await left(run(prepareFolder(options)));
      assert(error._tag === "Data" && !error.message.includes("\n"));
      return error.message;
    };
    assert.match(await said({ path: `${root}/none`, out, size: 64 }), /it does not exist/);
    await Deno.writeTextFile(`${root}/a_1.jpg`, "no picture");
    assert.match(
      await said({ path: root, out: `${root}/a_1.jpg`, size: 64 }),
      /^Cannot write .*, expected a writable folder/,
    );
    const { report } = await prepare({ path: root, out, size: 64, workers: 1 });
    assert.deepEqual(report?.rejects, { unreadable: 1 });
    assert.deepEqual((await right(preparedVideos({ path: out, size: 64 }))).train, []);
    const none = await left(preparedVideos({ path: `${root}/none`, size: 64 }));
    assert.match(none.message, /it does not exist/);
    assert.equal(await isPrepared(root), false);
  }));
