/** What happens to a run folder from outside, while it is used and after its process has died. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { E } from "../../pipeline/core/fp.ts";
import { loadCheckpoint } from "../../pipeline/programs/checkpoint/load.ts";
import { openRun } from "../../pipeline/programs/checkpoint/run_folder.ts";
import { rotateCheckpoints } from "../../pipeline/programs/checkpoint/store.ts";
import { inFolder, namesIn, runCli, startCli } from "../e2e/support.ts";
import { config, contentOf, patchMeta, rightOf, testEnv } from "../pipeline/checkpoint/bench.ts";
import { least } from "./support.ts";

const sleep = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

Deno.test("killed between saving and rotating: all that was saved is there, the newest is used", () =>
  inFolder(async (folder) => {
    const path = `${folder}/run`;
    const program = fileURLToPath(import.meta.resolve("./save_and_wait.ts"));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", program, path, "3"],
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.getReader();
    await lines.read(); // it has saved three, would keep one, and waits
    child.kill("SIGKILL");
    await child.status;
    await lines.cancel();
    assert.equal((await namesIn(`${path}/checkpoints`)).length, 3);
    using run = rightOf(await openRun({ path, config, resume: true })(testEnv())());
    const { meta, parts } = rightOf(await loadCheckpoint(["weights"])(path)(testEnv())());
    assert.deepEqual(parts.weights, contentOf(3, 1000).weights);
    assert.equal(meta.step, 3);
    rightOf(await rotateCheckpoints(1)(run)({})());
    assert.deepEqual(await namesIn(`${path}/checkpoints`), ["step-000003"]);
  }));

Deno.test("two trainings in one folder: the second is told who has it, the first goes on", () =>
  inFolder(async (folder) => {
    const args = ["meta-train", ...least, "--run", "run", "--steps", "100000"];
    const first = startCli(args, folder);
    try {
      const there = () =>
        Deno.stat(`${folder}/run/checkpoints/step-000004`).then(() => true, () => false);
      while (!await there()) await sleep(20);
      const second = await runCli([...args, "--resume"], folder);
      assert.equal(second.code, 1, second.stderr);
      assert.match(second.stderr, new RegExp(`process ${first.pid} on .* is using it`));
      const before = (await namesIn(`${folder}/run/checkpoints`)).toSorted().at(-1);
      for (let i = 0; i < 500; i++) {
        if ((await namesIn(`${folder}/run/checkpoints`)).toSorted().at(-1) !== before) break;
        await sleep(20);
      }
      assert.notEqual((await namesIn(`${folder}/run/checkpoints`)).toSorted().at(-1), before);
    } finally {
      first.kill("SIGKILL");
      await first.output();
    }
  }));

Deno.test("a run of a newer build: the program says which format it is of, and leaves it as it is", () =>
  inFolder(async (folder) => {
    const train = (...more: readonly string[]) =>
      runCli(["meta-train", ...least, "--run", "run", ...more], folder);
    assert.equal((await train("--steps", "8")).code, 0);
    const newest = `${folder}/run/checkpoints/step-000008`;
    patchMeta(newest, { format: 3 });
    const resumed = await train("--steps", "12", "--resume");
    assert.equal(resumed.code, 1, resumed.stderr);
    assert.match(resumed.stderr, /it was written in format 3, this build reads up to 1, expected/);
    const names = await namesIn(`${folder}/run/checkpoints`);
    assert.deepEqual(names.toSorted(), ["step-000004", "step-000008"]);
    assert.equal(JSON.parse(await Deno.readTextFile(`${newest}/meta.json`)).format, 3);
  }));

const uid = Deno.build.os === "windows" ? null : Deno.uid();
Deno.test({
  name: `a run folder that cannot be written, a config that cannot be read: one sentence each${
    uid === 0 || uid === null ? " (needs a user who is not root)" : ""
  }`,
  ignore: uid === 0 || uid === null,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/closed`, { mode: 0o500 });
      const opened = await openRun({ path: `${folder}/closed/run`, config, resume: false })(
        testEnv(),
      )();
      assert.ok(E.isLeft(opened) && opened.left._tag === "Checkpoint");
      assert.match(opened.left.message, /closed\/run: access is denied/);
      await Deno.writeTextFile(`${folder}/secret.jsonc`, "{}", { mode: 0 });
      const ended = await runCli(["meta-train", "--config", "secret.jsonc"], folder);
      assert.equal(ended.code, 2);
      assert.match(ended.stderr, /secret\.jsonc: access is denied/);
    }),
});
