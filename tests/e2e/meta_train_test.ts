/** The program itself, at the size of the tests: what it writes, resuming, stopping. */
import assert from "node:assert/strict";
import { inFolder, namesIn, runCli, startCli, tiny } from "./support.ts";

const bytesOf = (path: string): Promise<Uint8Array> => Deno.readFile(path);

const has = async (path: string): Promise<boolean> =>
  await Deno.stat(path).then(() => true, () => false);

const events = async (run: string): Promise<readonly Record<string, unknown>[]> =>
  (await Deno.readTextFile(`${run}/events.jsonl`)).trim().split("\n").map((line) =>
    JSON.parse(line)
  );

Deno.test("a run writes its folder, and resumed it equals an uninterrupted one bit for bit", () =>
  inFolder(async (folder) => {
    const whole = await runCli(
      ["meta-train", ...tiny, "--steps", "8", "--run", "whole", "--json"],
      folder,
    );
    assert.equal(whole.code, 0, whole.stderr);
    const result = JSON.parse(whole.stdout);
    assert.equal(result.steps, 8);
    for (const row of ["output", "other person's embedding", "nearest source frame"]) {
      assert.ok(Number.isFinite(result.heldOut[row].l1), row);
    }
    for (
      const name of [
        "config.json",
        "events.jsonl",
        "result.json",
        "samples/step-000008.png",
        "checkpoints/step-000008/meta.json",
      ]
    ) assert.ok(await has(`${folder}/whole/${name}`), name);
    const steps = (await events(`${folder}/whole`)).filter(({ _tag }) => _tag === "StepDone");
    assert.deepEqual(steps.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.ok(!(await events(`${folder}/whole`)).some(({ _tag }) => _tag === "LeakSuspected"));

    const args = ["meta-train", ...tiny, "--run", "parts"];
    const child = startCli([...args, "--steps", "8"], folder);
    const path = `${folder}/parts/checkpoints/step-000004/meta.json`;
    while (!(await has(path))) await new Promise((resume) => setTimeout(resume, 20));
    child.kill("SIGKILL");
    await child.output();
    // The run knows its settings: preset, steps and everything else.
    const resumed = await runCli(["meta-train", "--run", "parts", "--resume"], folder);
    assert.equal(resumed.code, 0, resumed.stderr);
    for (const file of ["weights", "state"]) {
      const name = `checkpoints/step-000008/${file}.safetensors`;
      assert.deepEqual(
        await bytesOf(`${folder}/parts/${name}`),
        await bytesOf(`${folder}/whole/${name}`),
        `${file} differ`,
      );
    }
  }));

Deno.test("SIGINT finishes the step, saves and exits with 130; another config is refused", () =>
  inFolder(async (folder) => {
    const args = ["meta-train", ...tiny, "--run", "run", "--steps", "100000"];
    const child = startCli(args, folder);
    while (!(await has(`${folder}/run/checkpoints/step-000004/meta.json`))) {
      await new Promise((resume) => setTimeout(resume, 20));
    }
    child.kill("SIGINT");
    const { code } = await child.output();
    assert.equal(code, 130);
    const saved = await namesIn(`${folder}/run/checkpoints`);
    const steps = saved.map((name) => Number(name.slice(5)));
    assert.ok(Math.max(...steps) >= 4, saved.join());

    const other = await runCli([...args, "--resume", "--seed", "2"], folder);
    assert.equal(other.code, 2, other.stderr);
    assert.match(other.stderr, /seed/);
  }));

Deno.test("a run whose checkpoints are all gone is not resumed from nothing", () =>
  inFolder(async (folder) => {
    const args = ["meta-train", ...tiny, "--run", "run", "--steps", "4"];
    assert.equal((await runCli(args, folder)).code, 0);
    await Deno.remove(`${folder}/run/checkpoints`, { recursive: true });
    const ended = await runCli([...args, "--resume"], folder);
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /Cannot load a checkpoint of run: it has none/);
  }));
