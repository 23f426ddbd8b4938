/** Evaluation of a run at the size of the tests: the table, a kill in the middle, wrong input. */
import assert from "node:assert/strict";
import { inFolder, namesIn, runCli, startCli, tiny } from "./support.ts";

const table = (folder: string, out: string): Promise<string> =>
  Deno.readTextFile(`${folder}/${out}/table.json`);

const protocol = ["--videos", "3", "--shots", "1,2,4", "--frames", "2", "--backend", "wasm"];

Deno.test("a table of every answer; killed in the middle and run again, the same table", () =>
  inFolder(async (folder) => {
    const trained = await runCli(
      ["meta-train", ...tiny, "--steps", "4", "--run", "run"],
      folder,
    );
    assert.equal(trained.code, 0, trained.stderr);
    const evaluation = ["evaluate", "--run", "tiny=run", ...protocol];
    const whole = await runCli([...evaluation, "--out", "whole", "--json"], folder);
    assert.equal(whole.code, 0, whole.stderr);
    const { rows, tooShort, unanswered } = JSON.parse(whole.stdout);
    const answers = [
      "tiny, feed-forward",
      "tiny, fine-tuned",
      "nearest, copy",
      "mean training frame",
      "real, another frame",
      "real, the frame itself",
    ];
    assert.deepEqual(
      rows.map(({ shots, answer }: { shots: number; answer: string }) => [shots, answer]),
      [1, 2, 4].flatMap((shots) => answers.map((answer) => [shots, answer])),
    );
    assert.deepEqual([tooShort, unanswered], [[], []]);
    const itself = rows[5];
    assert.deepEqual(
      [itself.people, itself.frames, itself.figures.ssim.mean, itself.figures.l1.mean],
      [3, 6, 1, 0],
    );
    assert.ok(Math.abs(itself.figures.csim.mean - 1) < 1e-6);
    const page = await Deno.readTextFile(`${folder}/whole/report.html`);
    assert.ok(page.includes("data:image/png;base64,") && page.includes("tiny, fine-tuned"));

    const child = startCli([...evaluation, "--out", "parts"], folder);
    const done = async (): Promise<readonly string[]> =>
      (await namesIn(`${folder}/parts/people`).catch(() => []))
        .filter((name) => name.endsWith(".json"));
    while ((await done()).length === 0) await new Promise((resume) => setTimeout(resume, 20));
    child.kill("SIGKILL");
    await child.output();
    assert.ok((await done()).length < 2, "it was killed too late to show anything");
    // Fewer people first: those who come later are added to them.
    for (const people of ["2", "3"]) {
      const args = [...evaluation, "--videos", people, "--out", "parts"];
      const resumed = await runCli(args, folder);
      assert.equal(resumed.code, 0, resumed.stderr);
      assert.equal((await done()).length, Number(people));
    }
    assert.equal(await table(folder, "parts"), await table(folder, "whole"));

    const other = await runCli([...evaluation, "--seed", "2", "--out", "whole"], folder);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /holds another evaluation \(seed is 1, now 2\)/);
  }));

Deno.test("wrong input of evaluate is one sentence, and nothing is written", () =>
  inFolder(async (folder) => {
    const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [["--out", "e"], 2, /run/],
      [["--run", "missing", "--out", "e"], 2, /missing\/config\.json/],
      [["--run", "a=x", "--run", "a=y", "--out", "e"], 2, /two runs are called a/],
      [["--run", "x", "--methods", "nearst", "--out", "e"], 2, /expected nearest/],
      [["--run", "x", "--shots", "1,none", "--out", "e"], 2, /shots/],
    ];
    for (const [args, code, says] of cases) {
      const ended = await runCli(["evaluate", ...args], folder);
      assert.equal(ended.code, code, `${args}: ${ended.stderr}`);
      assert.match(ended.stderr, says);
    }
    assert.deepEqual(await namesIn(folder), []);
  }));

Deno.test("table 1 at the size of the tests: rivals and both variants, trained, judged, and not twice", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/tiny.json`, await Deno.readTextFile(tiny[1]));
    const args = ["reproduce", "table1", "--preset", "test-16", "--config", "tiny.json"];
    const few = { steps: 5, shots: [1, 2], videos: 2, frames: 2 };
    await Deno.writeTextFile(`${folder}/budget.json`, JSON.stringify(few));
    const budget = ["--budget", "budget.json", "--steps", "4"];
    const first = await runCli([...args, ...budget, "--out", "t", "--json"], folder);
    assert.equal(first.code, 0, first.stderr);
    const { rows } = JSON.parse(first.stdout);
    const answers = new Set(rows.map(({ answer }: { answer: string }) => answer));
    assert.deepEqual([...answers].slice(0, 6), [
      "X2Face, feed-forward",
      "Pix2pixHD, fine-tuned",
      "Ours-FF, feed-forward",
      "Ours-FT, feed-forward",
      "Ours-FT, fine-tuned",
      "nearest, copy",
    ]);
    const steps = async (variant: string) =>
      JSON.parse(await Deno.readTextFile(`${folder}/t/${variant}/result.json`)).steps;
    const trained = ["ft", "ff", "x2face", "pix2pixhd"];
    assert.deepEqual(await Promise.all(trained.map(steps)), [4, 8, 4, 4]);
    const again = await runCli([...args, ...budget, "--out", "t", "--json"], folder);
    assert.equal(again.stdout, first.stdout);
    assert.ok(!again.stderr.includes("Training on"));
  }));
