/** What is saved is loaded; what dies while it saves leaves the one before. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { E } from "../../../pipeline/core/fp.ts";
import { writeNew } from "../../../pipeline/programs/checkpoint/durable.ts";
import { latestCheckpoint, loadCheckpoint } from "../../../pipeline/programs/checkpoint/load.ts";
import { openRun } from "../../../pipeline/programs/checkpoint/run_folder.ts";
import { saveCheckpoint } from "../../../pipeline/programs/checkpoint/store.ts";
import { config, contentOf, inFolder, namesIn, newRun, rightOf, save, testEnv } from "./bench.ts";

const both = ["weights", "state"] as const;

Deno.test("what is saved is loaded: every tensor, the step, the seed, the configuration", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    const env = testEnv();
    const content = contentOf(100, 50, 0.25);
    const { path } = rightOf(await saveCheckpoint(run)(content)(env)());
    assert.equal(path, `${folder}/run/checkpoints/step-000100`);
    assert.deepEqual(namesIn(path), ["meta.json", "state.safetensors", "weights.safetensors"]);
    assert.deepEqual(env.events, [{ _tag: "CheckpointSaved", step: 100, path }]);
    const loaded = rightOf(await loadCheckpoint(both)(run.path)(env)());
    assert.deepEqual(loaded.parts.weights, content.weights);
    assert.deepEqual(loaded.parts.state, content.state);
    const { files, time, ...meta } = loaded.meta;
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    assert.deepEqual(meta, {
      format: 1,
      step: 100,
      seed: 1,
      architecture: "test-16/1",
      config,
      score: 0.25,
    });
    assert.equal(files.weights.bytes, (await Deno.stat(`${path}/weights.safetensors`)).size);
    const weights = rightOf(await loadCheckpoint(["weights"])(run.path)(env)());
    assert.deepEqual(Object.keys(weights.parts), ["weights"]);
  });
});

Deno.test("the newest step is the latest, by number and not by name", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    assert.equal(rightOf(await latestCheckpoint(run.path)(testEnv())()), undefined);
    for (const step of [999_999, 5, 1_000_000]) await save(run, step);
    const latest = rightOf(await latestCheckpoint(run.path)(testEnv())());
    assert.equal(latest?.meta.step, 1_000_000);
  });
});

Deno.test("a run without checkpoints, and a folder that is not there, cannot be loaded", async () => {
  await inFolder(async (folder) => {
    for (const path of [folder, `${folder}/none`]) {
      const loaded = await loadCheckpoint(both)(path)(testEnv())();
      assert.ok(E.isLeft(loaded));
      assert.equal(
        loaded.left.message,
        `Cannot load a checkpoint of ${path}: it has none, expected ${path}/checkpoints/step-…`,
      );
    }
  });
});

Deno.test("a whole checkpoint of the same step is kept as it is", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    const path = await save(run, 1);
    const before = (await Deno.stat(`${path}/meta.json`)).ino;
    assert.equal(await save(run, 1), path);
    assert.equal((await Deno.stat(`${path}/meta.json`)).ino, before);
  });
});

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const saver = fileURLToPath(import.meta.resolve("./saver.ts"));

Deno.test("kill -9 during a save, five times: the last one said to be saved is there, whole", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/run`;
    const floats = 500_000; // 4 MB a checkpoint
    let saved = 0, halfWritten = 0;
    for (let round = 0; round < 5; round++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          saver,
          path,
          `${floats}`,
          ...(round > 0 ? ["resume"] : []),
        ],
        stdout: "piped",
      }).spawn();
      let said = "";
      const listening = (async () => {
        for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) said += text;
      })();
      while (!said.includes("saved")) await sleep(1);
      // At a moment of a later save that differs from round to round.
      while (!namesIn(`${path}/checkpoints`).some((name) => name.startsWith(".tmp-"))) {
        await sleep(1);
      }
      await sleep(3 * round);
      child.kill("SIGKILL");
      await child.status;
      await listening;
      if (namesIn(`${path}/checkpoints`).some((name) => name.startsWith(".tmp-"))) halfWritten++;
      for (const [, step] of said.matchAll(/saved (\d+)\n/g)) saved = Math.max(saved, Number(step));
      const { meta, parts } = rightOf(await loadCheckpoint(both)(path)(testEnv())());
      assert.ok(meta.step === saved || meta.step === saved + 1, `${meta.step} after ${saved}`);
      assert.deepEqual(parts.weights, contentOf(meta.step, floats).weights);
    }
    assert.ok(saved >= 5 && halfWritten > 0, `${saved} saved, ${halfWritten} killed in a save`);
    rightOf(await openRun({ path, config, resume: true })(testEnv())())[Symbol.dispose]();
    for (const name of namesIn(`${path}/checkpoints`)) assert.match(name, /^step-\d{6}$/);
  });
});

const onUnix = Deno.build.os !== "windows";

Deno.test({
  name: `a full disk${
    onUnix ? "" : " (needs ulimit)"
  }: the error names path and bytes, older ones are intact`,
  ignore: !onUnix,
  fn: async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/run`;
      {
        using run = await newRun(path);
        await save(run, 1);
      }
      // Files may have 200 blocks of 512 bytes or 1 KiB in there, the weights have 400 kB.
      const script = `trap '' XFSZ; ulimit -f 200; exec "$@"`;
      const { stdout } = await new Deno.Command("sh", {
        args: [
          "-c",
          script,
          "sh",
          Deno.execPath(),
          "run",
          "-A",
          "--no-check",
          saver,
          path,
          "100000",
          "resume",
        ],
      }).output();
      const said = new TextDecoder().decode(stdout);
      assert.match(
        said,
        /failed Cannot write .*\/checkpoints\/step-000002\/weights\.safetensors of 400\d{3} bytes: File too large/,
      );
      assert.deepEqual(namesIn(`${path}/checkpoints`), ["step-000001"]);
      assert.equal(rightOf(await latestCheckpoint(path)(testEnv())())?.meta.step, 1);
    });
  },
});

Deno.test("nothing is ever written through a link", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/outside`, "mine");
    await Deno.symlink(`${folder}/outside`, `${folder}/link`);
    const through = await writeNew(`${folder}/link`, [new Uint8Array(10)])();
    assert.ok(E.isLeft(through));
    assert.match(through.left.message, /Cannot write .*link of 10 bytes: .*exists/);
    assert.equal(await Deno.readTextFile(`${folder}/outside`), "mine");
  });
});
