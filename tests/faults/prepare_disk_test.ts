/** A disk that fills up under `prepare`, under the command line itself. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { writeImage } from "../../datasets/codec.ts";
import { sha256 } from "../../datasets/prepare/digest.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { groupPhoto, right } from "../datasets/video_fixtures.ts";
import { inFolder, namesIn } from "../e2e/support.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));

const canMount = Deno.build.os === "linux" && await new Deno.Command("unshare", {
  args: ["-rm", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp"],
  stdout: "null",
  stderr: "null",
}).output().then(({ success }) => success, () => false);

/** Photos of one person: the piece of each takes some 10 kB at 96 pixels. */
const writePhotos = async (folder: string): Promise<void> => {
  const photo = await groupPhoto();
  await Deno.mkdir(folder);
  for (const i of [0, 1, 2, 3]) {
    const rect = { x: 300 + 5 * i, y: 260 - 4 * i, width: 400, height: 400 };
    await right(writeImage(`${folder}/ada_${i}.png`, resample(photo, rect, 200, 200)));
  }
};

/** Hashes of all files below a folder, by their paths. */
const hashesIn = async (folder: string): Promise<readonly string[]> => {
  const all: string[] = [];
  for (const name of (await namesIn(folder)).toSorted()) {
    const path = `${folder}/${name}`;
    if ((await Deno.stat(path)).isDirectory) {
      all.push(...(await hashesIn(path)).map((line) => `${name}/${line}`));
    } else all.push(`${name} ${sha256(await Deno.readFile(path))}`);
  }
  return all;
};

Deno.test({
  name: `a full disk under prepare ends it with exit code 1; with space the bytes are the same${
    canMount ? "" : " (needs a mount in a namespace of its own)"
  }`,
  ignore: !canMount,
  fn: () =>
    inFolder(async (folder) => {
      await writePhotos(`${folder}/photos`);
      await Deno.mkdir(`${folder}/disk`);
      // The filler leaves 32 kB: enough for a few photos, not for all and their shard.
      const script = `mount -t tmpfs -o size=1m tmpfs disk
        head -c 1015808 /dev/zero > disk/filler
        "$@" --out disk/out 2> full; echo $? > code
        find disk/out -name '*.partial' > left
        rm disk/filler
        "$@" --out disk/out 2> again; echo $? >> code
        "$@" --out plain 2> plainly; echo $? >> code
        cp -r disk/out copied`;
      const prepare = ["prepare", "--in", "photos", "--size", "96", "--workers", "1"];
      const shares = ["--min-frames", "1", "--validation", "0", "--test", "0"];
      const deno = [Deno.execPath(), "run", "-A", "--no-check", "--config", config, cli];
      await new Deno.Command("unshare", {
        args: ["-rm", "sh", "-c", script, "sh", ...deno, ...prepare, ...shares],
        cwd: folder,
        stdin: "null",
        stdout: "null",
      }).output();
      const read = (name: string) => Deno.readTextFile(`${folder}/${name}`);
      assert.equal(await read("code"), "1\n0\n0\n", await read("full"));
      assert.match(await read("full"), /Cannot write disk\/out\/.*: the disk is full, expected/);
      assert.equal(await read("left"), "", "half a file is left");
      const hashes = await hashesIn(`${folder}/copied`);
      assert.ok(hashes.some((line) => line.includes(".tar ")), hashes.join("\n"));
      assert.deepEqual(hashes, await hashesIn(`${folder}/plain`));
    }),
});
