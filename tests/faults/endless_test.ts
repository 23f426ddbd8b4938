/** Files that never end, or are not files: refused in a sentence before they are opened. */
import assert from "node:assert/strict";
import { readImage } from "../../datasets/codec.ts";
import { readSamples } from "../../datasets/prepare/read_samples.ts";
import { walkTar } from "../../datasets/prepare/tar.ts";
import { readTrack } from "../../datasets/track/landmark_track.ts";
import { probeVideo } from "../../datasets/video/probe.ts";
import { readWeights } from "../../models/weights/read.ts";
import { readConfigFile } from "../../pipeline/core/config_file.ts";
import { fileProblem } from "../../pipeline/core/files.ts";
import { E, TE } from "../../pipeline/core/fp.ts";
import { readSafetensorsFile, readSafetensorsHeader } from "../../pipeline/core/safetensors.ts";
import { takeLock } from "../../pipeline/programs/checkpoint/lock.ts";
import { readMeta } from "../../pipeline/programs/checkpoint/meta.ts";
import { openDriver } from "../../pipeline/programs/open_driver.ts";
import { loadPerson } from "../../pipeline/programs/person_file.ts";
import { inFolder, runCli } from "../e2e/support.ts";

const onUnix = Deno.build.os !== "windows";
const never = new AbortController().signal;

const messageOf = async <A>(read: TE.TaskEither<unknown, A>): Promise<string> => {
  const result = await read();
  assert.ok(E.isLeft(result), "it was read");
  return JSON.stringify(result.left);
};

const pipeAt = async (path: string): Promise<void> => {
  const made = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert.ok(made.success);
};

/** Of this test file: others run beside it in the same process. */
const ownMemory = (): number => {
  const { heapTotal, external } = Deno.memoryUsage();
  return heapTotal + external;
};

const readers: Readonly<Record<string, (path: string) => TE.TaskEither<unknown, unknown>>> = {
  configuration: readConfigFile,
  picture: readImage,
  safetensors: readSafetensorsFile,
  "their header": readSafetensorsHeader,
  weights: readWeights,
  track: readTrack,
  person: loadPerson,
  shard: (path) => TE.tryCatch(() => Array.fromAsync(walkTar(path)), fileProblem),
  checkpoint: (path) => async () => await readMeta(path.replace(/\/[^/]*$/, "")),
  "frames of a shard": (path) => () => readSamples([{ tar: path, begin: 0, bytes: [1, 1] }], 8),
  video: (path) =>
    probeVideo({ ffmpeg: "false", ffprobe: "false", everyFrame: [] }, path, "v", never),
  driver: (path) => openDriver(path, { size: 16 })({ signal: never, emit: () => {} }),
};

/** The readers of a file that is none: each refuses at once, in a sentence, with little memory. */
const allRefuse = async (path: string, what: string): Promise<void> => {
  for (const [name, read] of Object.entries(readers)) {
    const before = ownMemory(), from = performance.now();
    const said = await messageOf(read(path));
    assert.match(said, new RegExp(`it is ${what}|no ffmpeg|ffmpeg .* is not`), name);
    assert.ok(ownMemory() - before < 1e8, `${name} takes much memory`);
    assert.ok(performance.now() - from < 2000, `${name} takes long`);
  }
};

Deno.test({
  name: `a device without end is refused at once by every reader${
    onUnix ? "" : " (needs /dev/zero)"
  }`,
  ignore: !onUnix,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.symlink("/dev/zero", `${folder}/meta.json`);
      await allRefuse(`${folder}/meta.json`, "a device");
    }),
});

Deno.test({
  name: `a pipe that nobody writes is refused at once by every reader${
    onUnix ? "" : " (needs pipes)"
  }`,
  ignore: !onUnix,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/meta.json`; // one of the readers chooses its name
      await pipeAt(path);
      await allRefuse(path, "a pipe");
      await pipeAt(`${folder}/.lock`);
      const locked = await takeLock(folder)();
      assert.ok(E.isLeft(locked) && /\.lock .*it is a pipe/.test(locked.left.message));
      const config = await runCli(["meta-train", "--config", path], folder);
      assert.match(config.stderr, /^Cannot read .*meta\.json: it is a pipe, expected a file\n$/);
      assert.equal(config.code, 2);
    }),
});

Deno.test({
  name: `a picture that is a pipe, a folder or a link in a circle is refused at once${
    onUnix ? "" : " (needs pipes)"
  }`,
  ignore: !onUnix,
  fn: () =>
    inFolder(async (folder) => {
      await pipeAt(`${folder}/pipe.png`);
      await Deno.symlink(`${folder}/loop.png`, `${folder}/loop.png`);
      for (const path of [`${folder}/pipe.png`, folder, `${folder}/loop.png`]) {
        assert.match(await messageOf(readImage(path)), /Cannot read /, path);
      }
    }),
});
