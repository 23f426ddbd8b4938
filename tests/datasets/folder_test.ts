/** A folder of videos as a dataset: frames, reasons, its cache. */
import assert from "node:assert/strict";
import { makeImage } from "../../pipeline/core/image.ts";
import { writeImage } from "../../datasets/codec.ts";
import { videoFolder } from "../../datasets/folder.ts";
import {
  ffmpeg,
  left,
  personFrames,
  right,
  videoTest,
  withFolder,
  writeVideo,
} from "./video_fixtures.ts";
import { open } from "./open_folder.ts";

const files = async (folder: string): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(`${folder}/${name}`);
    found.set(name, new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex());
  }
  return found;
};

/** Two people with faces, and everything that goes wrong in real folders. */
const makeCorpus = async (root: string): Promise<void> => {
  const mkdir = (path: string) => Deno.mkdir(`${root}/mp4/${path}`, { recursive: true });
  for (const path of ["ada/v1", "ada/v2", "bob/v1", "eve/v1", "eve/v2"]) await mkdir(path);
  await writeVideo(`${root}/mp4/ada/v1/00001.mp4`, await personFrames(0, 14));
  await writeVideo(`${root}/mp4/ada/v1/00002.mkv`, await personFrames(0, 10));
  for (const [i, image] of (await personFrames(0, 10)).entries()) {
    await right(writeImage(`${root}/mp4/ada/v2/${String(i).padStart(7, "0")}.jpg`, image));
  }
  await writeVideo(`${root}/mp4/bob/v1/it's $(b).mp4`, await personFrames(1, 12));
  await Deno.writeTextFile(`${root}/mp4/bob/v1/notes.txt`, "not a clip");
  await Deno.writeFile(`${root}/mp4/eve/v1/zero.mp4`, new Uint8Array());
  await writeVideo(`${root}/mp4/eve/v1/one.mp4`, await personFrames(0, 1));
  await ffmpeg(["-f", "lavfi", "-i", "sine=d=1", `${root}/mp4/eve/v1/sound.mp4`]);
  const walls = Array.from({ length: 9 }, (_, i) => makeImage(192, 192, [90, 9 * i, 60]));
  await writeVideo(`${root}/mp4/eve/v2/wall.mp4`, walls);
};

videoTest(
  "folder: faces become frames, bad clips reasons; the cache is used, mended, the same again",
  () =>
    withFolder(async (root) => {
      await makeCorpus(root);
      const options = {
        path: root,
        size: 64,
        cache: `${root}/cache`,
        heldOutShare: 0.5,
        workers: 2,
      };
      const first = open(options);
      const { report, ...dataset } = await right(first.opened);
      assert.deepEqual(
        Object.fromEntries(report.rejected.map(({ key, reason }) => [key, reason])),
        {
          "eve/v1/one.mp4": "too short",
          "eve/v1/sound.mp4": "no video",
          "eve/v1/zero.mp4": "unreadable",
          "eve/v2/wall.mp4": "no face",
        },
      );
      assert.equal(report.usable, 4);
      assert.equal(report.cached, 0);
      const skipped = first.events.filter(({ _tag }) => _tag === "SampleSkipped");
      assert.equal(skipped.length, 4);
      const progress = first.events.flatMap((e) => e._tag === "Progress" ? [e.done, e.of] : []);
      assert.deepEqual(progress, [1, 2, 3, 4, 5, 6, 7, 8].flatMap((done) => [done, 8]));

      // One person on each side; the clips of a video pooled.
      const sequences = [...dataset.train, ...dataset.heldOut];
      assert.equal(dataset.train.length * dataset.heldOut.length, 2);
      const ada = sequences.find(({ identity, video }) => identity === "ada" && video === "v1");
      assert(ada !== undefined && ada.frames > 20 && ada.frames <= 24);
      const frames = await right(dataset.read(ada, [ada.frames - 1, 0, 5]));
      for (const { image, landmarks } of frames) {
        assert.deepEqual([image.width, image.height, image.data.length], [64, 64, 64 * 64 * 3]);
        assert.equal(landmarks.length, 136);
        for (const v of landmarks) assert(v >= 0 && v <= 64, `${v}`);
        // The convention of the crop: a face is half of the square wide, eyes above its middle.
        const across = landmarks[2 * 45]! - landmarks[2 * 36]!;
        assert(across > 12 && across < 28, `outer corners of the eyes ${across} px apart`);
        assert(landmarks[2 * 36 + 1]! < 36 && landmarks[2 * 8 + 1]! > 40);
      }
      const [again] = await right(dataset.read(ada, [5]));
      assert.deepEqual(again, frames[2]);

      // A second run opens the cache; it emits the same rejects and reads the same frames.
      const cached = await files(options.cache);
      const second = open(options);
      const reopened = await right(second.opened);
      assert.equal(reopened.report.cached, 8);
      assert.deepEqual(reopened.report.rejects, report.rejects);
      assert.deepEqual(reopened.train, dataset.train);

      // Broken entries, and one that is missing, are made again: to the same bytes.
      const [name, other] = [...cached.keys()].filter((file) => file.endsWith(".safetensors"));
      const reject = [...cached.keys()].find((file) => file.endsWith(".json"));
      const bytes = await Deno.readFile(`${options.cache}/${name}`);
      bytes[bytes.length - 9]! ^= 1;
      await Deno.writeFile(`${options.cache}/${name}`, bytes);
      await Deno.truncate(`${options.cache}/${other}`, 1000);
      await Deno.remove(`${options.cache}/${reject}`);
      const mended = await right(open({ ...options, workers: 1 }).opened);
      assert.equal(mended.report.cached, 5);
      assert.deepEqual(await files(options.cache), cached);
    }),
);

videoTest(
  "folder: a clip that changed is prepared again, other settings have files of their own",
  () =>
    withFolder(async (root) => {
      await Deno.mkdir(`${root}/ada/v1`, { recursive: true });
      const path = `${root}/ada/v1/a.mp4`;
      await writeVideo(path, await personFrames(0, 10));
      const options = { path: root, size: 64, cache: `${root}/ada/.cache`, workers: 1 };
      assert.equal((await right(open(options).opened)).report.frames, 10);
      await writeVideo(path, await personFrames(0, 12));
      const changed = await right(open(options).opened);
      assert.deepEqual([changed.report.frames, changed.report.cached], [12, 0]);
      const large = await right(open({ ...options, size: 160, framesPerClip: 9 }).opened);
      assert.deepEqual([large.report.frames, large.report.cached], [9, 0]);
      const [sequence] = large.train; // one person alone is trained on
      assert(sequence !== undefined);
      const [frame] = await right(large.read(sequence, [8])); // stored as JPEG
      assert.deepEqual([frame?.image.width, frame?.image.height], [160, 160]);
      assert.equal((await right(open(options).opened)).report.cached, 1);
    }),
);

videoTest(
  "folder: no face in any clip is one sentence that says what and where",
  () =>
    withFolder(async (root) => {
      await Deno.mkdir(`${root}/x/y`, { recursive: true });
      const walls = Array.from({ length: 9 }, () => makeImage(96, 96, [90, 120, 60]));
      await writeVideo(`${root}/x/y/wall.mp4`, walls);
      const error = await left(open({ path: root, size: 64, cache: `${root}/cache` }).opened);
      assert(error._tag === "Data");
      assert.equal(
        error.message,
        `Cannot use ${root}: none of its 1 clips shows a face to train on (no face 1), ` +
          "expected at least one",
      );
    }),
);

videoTest(
  "folder: stopped in the middle it says so, and goes on where it was",
  () =>
    withFolder(async (root) => {
      await Deno.mkdir(`${root}/x/y`, { recursive: true });
      for (let i = 0; i < 5; i++) {
        await Deno.writeFile(`${root}/x/y/${i}.mp4`, new Uint8Array());
      }
      await Deno.mkdir(`${root}/z/y`, { recursive: true });
      await writeVideo(`${root}/z/y/a.mp4`, await personFrames(0, 10));
      const options = { path: root, size: 64, cache: `${root}/cache`, workers: 1 };
      const stop = new AbortController();
      const stopping = videoFolder(options)({
        emit: (event) => {
          if (event._tag === "Progress" && event.done === 2) stop.abort("enough");
        },
        signal: stop.signal,
      });
      assert.deepEqual(await left(stopping), { _tag: "Aborted", reason: "enough" });
      const { report } = await right(open(options).opened);
      assert(report.cached >= 2 && report.cached < 6, `${report.cached} were there`);
      assert.deepEqual([report.usable, report.rejects.get("unreadable")], [1, 5]);
    }),
);

const corpus = new URL("../../../shared/corpus/", import.meta.url);

const isThere = await Deno.stat(corpus).then(() => true, () => false);

videoTest("folder: real clips, one of them cut off", () =>
  withFolder(async (root) => {
    const path = decodeURIComponent(corpus.pathname);
    for (const name of ["id001/sad", "id008/bbaf2n"]) {
      await Deno.mkdir(`${root}/${name.replace(/\/.*/, "")}`);
      await Deno.symlink(`${path}mp4/${name}`, `${root}/${name}`);
    }
    const { report } = await right(open({ path: root, size: 64, cache: `${root}/.cache` }).opened);
    assert.deepEqual([report.clips, report.usable], [2, 1]);
    assert.match(report.rejected[0]?.message ?? "", /its end is missing: 110 of 157/);
    assert(report.frames >= 44, `${report.frames} frames`);
  }), isThere ? undefined : "../shared/corpus");
