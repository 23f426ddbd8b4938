/** `reproduce ablation` and `reproduce table2` at the size of the tests, as a user runs them. */
import assert from "node:assert/strict";
import type { Parsed } from "../../pipeline/cli/options.ts";
import { decodeReproduction } from "../../pipeline/cli/reproduce_options.ts";
import { inFolder, namesIn, runCli, startCli, tiny } from "./support.ts";

interface Row {
  readonly shots: number;
  readonly answer: string;
  readonly people: number;
}

const tableOf = (folder: string, out: string): Promise<string> =>
  Deno.readTextFile(`${folder}/${out}/ablation/table.json`);

const protocol = ["--shots", "2", "--videos", "2", "--frames", "2", "--backend", "wasm"];

Deno.test("the ablation is trained and judged; killed in the middle and run again, the same table", () =>
  inFolder(async (folder) => {
    const args = ["reproduce", "ablation", "--preset", "test-16", ...tiny, "--steps", "4"];
    // What a run leaves that was killed before its first checkpoint.
    await Deno.mkdir(`${folder}/whole/ft`, { recursive: true });
    await Deno.writeTextFile(`${folder}/whole/ft/config.json`, "{}");
    const whole = await runCli([...args, ...protocol, "--out", "whole", "--json"], folder);
    assert.equal(whole.code, 0, whole.stderr);
    const rows: readonly Row[] = JSON.parse(whole.stdout).rows;
    assert.deepEqual(rows.map(({ answer }) => answer), [
      "Ours, without the match term, new W",
      "Ours, random embedding",
      "Ours, random ψ′",
      "Ours, without the adversarial term",
      "Ours, full method",
      "mean training frame",
      "real, another frame",
      "real, the frame itself",
    ]);
    assert.ok(rows.every(({ people, shots }) => people === 2 && shots === 2));
    const compared: readonly { readonly answer: string; readonly minus: string }[] =
      JSON.parse(whole.stdout).differences;
    assert.deepEqual(compared.map(({ answer }) => answer), rows.slice(0, 4).map((r) => r.answer));
    assert.ok(compared.every(({ minus }) => minus === "Ours, full method"));
    const page = await Deno.readTextFile(`${folder}/whole/ablation/report.html`);
    assert.match(page, /Source, landmarks, truth, Ours, without .*, Ours, full method\./);
    const names = await namesIn(`${folder}/whole/ablation`);
    assert.ok(names.includes("grid-t2.png") && names.includes("table.csv"));
    const shots = async (run: string) =>
      JSON.parse(await Deno.readTextFile(`${folder}/whole/${run}/config.json`)).training.shots;
    assert.deepEqual([await shots("ft"), await shots("no-match")], [2, 1]);

    // The other folder takes the full method's run: the same settings, from there.
    const taken = ["reproduce", "ablation", "--run", "whole/ft", ...protocol, "--out", "parts"];
    const child = startCli(taken, folder);
    const done = async (): Promise<readonly string[]> =>
      (await namesIn(`${folder}/parts/ablation/people`).catch(() => []))
        .filter((name) => name.endsWith(".json"));
    while ((await done()).length === 0) await new Promise((resume) => setTimeout(resume, 20));
    child.kill("SIGKILL");
    await child.output();
    assert.ok((await done()).length < 2, "it was killed too late to show anything");
    const resumed = await runCli(taken, folder);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.ok(!resumed.stderr.includes("Training on"), "a finished run was trained again");
    assert.equal(await tableOf(folder, "parts"), await tableOf(folder, "whole"));

    const longer = args.with(-1, "5");
    const refused = await runCli([...longer, ...protocol, "--out", "whole"], folder);
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /whole\/ft: it was trained in another way \(.*steps is 4, now 5/);
  }));

Deno.test("table 2: every method is timed for every T and a frame, from a run where there is one", () =>
  inFolder(async (folder) => {
    const trained = await runCli(["meta-train", ...tiny, "--steps", "1", "--run", "run"], folder);
    assert.equal(trained.code, 0, trained.stderr);
    const timed = await runCli([
      ...["reproduce", "table2", "--run", "run", "--shots", "2,1", "--iterations", "2"],
      ...["--seconds", "0.2", "--backend", "wasm", "--out", "t", "--json"],
    ], folder);
    assert.equal(timed.code, 0, timed.stderr);
    const { preset, rows, peakBytes, content, effort } = JSON.parse(timed.stdout);
    assert.deepEqual([preset, content, effort], ["test-16", ["pixels"], {
      iterations: 2,
      seconds: 0.2,
    }]);
    assert.ok(peakBytes > 2 ** 20);
    const methods = ["X2Face", "Pix2pixHD", "Ours-FT", "Ours-FF"];
    assert.deepEqual(
      rows.map(({ part, method, shots }: Record<string, unknown>) => [part, method, shots]),
      [
        ...[1, 2].flatMap((shots) => methods.map((name) => ["few-shot learning", name, shots])),
        ...methods.map((name) => ["inference", name, undefined]),
      ],
    );
    for (const { seconds, iterations, method, networks } of rows) {
      assert.ok(seconds > 0 && seconds < 60 && iterations >= 1 && iterations <= 2);
      assert.equal(networks, method.startsWith("Ours") ? "run" : "untrained");
    }
    assert.deepEqual(
      (await namesIn(`${folder}/t/table2`)).toSorted(),
      ["table.csv", "table.json", "table.md"],
    );
    assert.match(await Deno.readTextFile(`${folder}/t/table2/table.md`), /\| Ours-FF \(1\) \|/);
  }));

Deno.test("wrong options of reproduce are named", () => {
  const cases: readonly (readonly [options: Parsed, says: RegExp])[] = [
    [{ what: "table3" }, /what/],
    [{ what: "table2", steps: "4" }, /table2 with --steps: .* an option of table1 and ablation/],
    [{ what: "table1", seconds: "4" }, /table1 with --seconds: it is an option of table2/],
    [{ what: "ablation", run: ["x"], preset: "toy-64" }, /--preset and --run: the run says it/],
    [{ what: "ablation", run: ["x", "y"] }, /several runs/],
    [{ what: "table2", shots: "1,none" }, /shots/],
  ];
  for (const [options, says] of cases) {
    const decoded = decodeReproduction({ ...options, out: "t" }, {});
    assert.ok(decoded._tag === "Left", JSON.stringify(options));
    assert.match(decoded.left.problems.join("\n"), says);
  }
});
