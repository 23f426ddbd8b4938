import assert from "node:assert/strict";
import { E } from "../../../pipeline/core/fp.ts";
import { fileURLToPath } from "node:url";
import { exitCode, renderError } from "../../../pipeline/core/errors.ts";
import {
  openRun,
  readRunConfig,
  type RunRequest,
  writeResult,
  writeSample,
} from "../../../pipeline/programs/checkpoint/run_folder.ts";
import { config, inFolder, namesIn, newRun, rightOf, testEnv } from "./bench.ts";

const refusal = async (request: RunRequest) => {
  const opened = await openRun(request)(testEnv())();
  if (E.isLeft(opened)) return { said: renderError(opened.left), code: exitCode(opened.left) };
  opened.right[Symbol.dispose]();
  return { said: "opened", code: 0 };
};

Deno.test("a new run has its configuration and its folders; an empty folder will do", async () => {
  await inFolder(async (folder) => {
    for (const path of [`${folder}/a/deep/run`, folder + "/empty"]) {
      if (path.endsWith("empty")) await Deno.mkdir(path);
      using run = await newRun(path);
      assert.equal(run.resumed, false);
      assert.deepEqual(namesIn(path), [".lock", "checkpoints", "config.json", "samples"]);
      assert.deepEqual(rightOf(await readRunConfig(path)()), config);
    }
  });
});

Deno.test("nothing is overwritten: a folder with anything in it is refused, and left as it was", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/thesis.txt`, "mine");
    const { said, code } = await refusal({ path: folder, config, resume: false });
    assert.equal(
      said,
      `Cannot start a run in ${folder}: it is not empty, expected a new folder, or --resume to go on`,
    );
    assert.equal(code, 2);
    assert.deepEqual(namesIn(folder), ["thesis.txt"]);
    const run = `${folder}/run`;
    (await newRun(run))[Symbol.dispose]();
    assert.match((await refusal({ path: run, config, resume: false })).said, /it is not empty/);
  });
});

Deno.test("resuming what is not there, a file, or a folder of something else is refused", async () => {
  await inFolder(async (folder) => {
    assert.equal(
      (await refusal({ path: `${folder}/none`, config, resume: true })).said,
      `Cannot resume ${folder}/none: it does not exist, expected the folder of an earlier run`,
    );
    assert.deepEqual(namesIn(folder), []);
    assert.match(
      (await refusal({ path: folder, config, resume: true })).said,
      /it has no config\.json, expected the folder of an earlier run/,
    );
    await Deno.writeTextFile(`${folder}/file`, "");
    assert.match(
      (await refusal({ path: `${folder}/file`, config, resume: true })).said,
      /it is a file, expected a folder/,
    );
    assert.match(
      (await refusal({ path: `${folder}/file/x`, config, resume: false })).said,
      /a part of its path is not a folder/,
    );
  });
});

Deno.test("a run of another configuration is refused, with the keys that differ", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/run`;
    (await newRun(path))[Symbol.dispose]();
    const other = { ...config, steps: 500, optimiser: { learningRate: 1e-3 }, extra: [1] };
    const { said, code } = await refusal({ path, config: other, resume: true });
    assert.equal(
      said,
      `Cannot resume ${path}: it belongs to another configuration, expected the same\n` +
        "  steps is 100, now 500\n" +
        "  optimiser.learningRate is 0.00005, now 0.001\n" +
        "  extra is not there, now [1]",
    );
    assert.equal(code, 2);
    const many = { ...config, ...Object.fromEntries([..."abcdefg"].map((key) => [key, 1])) };
    assert.match((await refusal({ path, config: many, resume: true })).said, /\n {2}and 2 more$/);
    const mayChange = ["steps", "optimiser", "extra"];
    assert.equal((await refusal({ path, config: other, resume: true, mayChange })).said, "opened");
    assert.equal((await refusal({ path, config, resume: true })).said, "opened");
    assert.deepEqual(rightOf(await readRunConfig(path)()), config); // as it was at the start
    await Deno.writeTextFile(`${path}/config.json`, "{ broken");
    assert.match((await refusal({ path, config, resume: true })).said, /config\.json: line 1/);
  });
});

Deno.test("a run in use is refused, with the process that uses it", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/run`;
    {
      using _run = await newRun(path);
      const { said, code } = await refusal({ path, config, resume: true });
      assert.match(said, new RegExp(`process ${Deno.pid} on .* is using it, expected nobody else`));
      assert.equal(code, 1);
    }
    const env = testEnv();
    rightOf(await openRun({ path, config, resume: true })(env)())[Symbol.dispose]();
    assert.deepEqual(env.events, []); // let go in order: nothing to tell
  });
});

Deno.test("a lock of a live process holds; of a killed one it is taken over, and told", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/run`;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        fileURLToPath(import.meta.resolve("./saver.ts")),
        path,
        "1",
      ],
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.getReader();
    await lines.read();
    const { said } = await refusal({ path, config, resume: true });
    assert.match(said, new RegExp(`process ${child.pid} on .* is using it`));
    child.kill("SIGKILL");
    await child.status;
    await lines.cancel();
    const env = testEnv();
    rightOf(await openRun({ path, config, resume: true })(env)())[Symbol.dispose]();
    const [event] = env.events;
    assert.ok(event?._tag === "Warning");
    assert.match(event.message, new RegExp(`in use by process ${child.pid} on .*, which is gone`));
  });
});

Deno.test("what a killed process left is removed, and nothing else", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/run`;
    (await newRun(path))[Symbol.dispose]();
    await Deno.mkdir(`${path}/checkpoints/.tmp-1`);
    await Deno.writeTextFile(`${path}/checkpoints/.tmp-1/weights.safetensors`, "half");
    await Deno.writeTextFile(`${path}/.tmp-2`, "half");
    await Deno.writeTextFile(`${path}/samples/.tmp-3`, "half");
    await Deno.writeTextFile(`${path}/samples/step-000100.png`, "whole");
    await Deno.writeTextFile(`${path}/notes.tmp-`, "mine");
    // A link out of the folder: it goes, what it points to stays.
    await Deno.writeTextFile(`${folder}/outside`, "mine");
    await Deno.symlink(`${folder}/outside`, `${path}/checkpoints/.tmp-4`);
    rightOf(await openRun({ path, config, resume: true })(testEnv())())[Symbol.dispose]();
    assert.deepEqual(namesIn(path), [
      ".lock",
      "checkpoints",
      "config.json",
      "notes.tmp-",
      "samples",
    ]);
    assert.deepEqual(namesIn(`${path}/checkpoints`), []);
    assert.deepEqual(namesIn(`${path}/samples`), ["step-000100.png"]);
    assert.equal(await Deno.readTextFile(`${folder}/outside`), "mine");
  });
});

Deno.test("samples and the result are put in place as a whole", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    const sample = rightOf(await writeSample(run, 100, Uint8Array.of(1, 2))());
    assert.equal(sample, `${folder}/run/samples/step-000100.png`);
    assert.deepEqual(await Deno.readFile(sample), Uint8Array.of(1, 2));
    await writeResult(run, { ssim: 0.4 })();
    await writeResult(run, { ssim: 0.5 })();
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${run.path}/result.json`)), { ssim: 0.5 });
    await Deno.remove(`${run.path}/samples`, { recursive: true });
    const failed = await writeSample(run, 200, Uint8Array.of(1, 2))();
    assert.ok(E.isLeft(failed));
    assert.match(
      failed.left.message,
      /^Cannot write .*samples\/step-000200\.png of 2 bytes: it does not exist/,
    );
    assert.throws(() => writeSample(run, -1, new Uint8Array(1)), /Cannot name step -1/);
    assert.throws(() => writeSample(run, 1.5, new Uint8Array(1)), RangeError);
  });
});
