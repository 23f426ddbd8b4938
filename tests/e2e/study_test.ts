/** A user study from a run to its report, as its users run it. */
import assert from "node:assert/strict";
import { beginRating } from "../pipeline/programs/study/support.ts";
import { inFolder, namesIn, runCli, startCli, tiny } from "./support.ts";

/** Serves a study until it is stopped with a signal. */
const serveCli = async (folder: string, study: string) => {
  const child = startCli(["study", "serve", study, "--port", "0", "--json"], folder);
  const reader = child.stderr.getReader();
  let told = "";
  while (!/http:\S+/.test(told)) {
    const { value, done } = await reader.read();
    if (done) break;
    told += new TextDecoder().decode(value);
  }
  const [url] = /http:\S+(?=\/ )/.exec(told) ?? assert.fail(told);
  return {
    url,
    stop: async (signal: Deno.Signal) => {
      child.kill(signal);
      const [text, { code }] = await Promise.all([
        new Response(child.stdout).text(),
        child.status,
        (async () => {
          while (!(await reader.read()).done);
        })(),
      ]);
      return { code, text };
    },
  };
};

Deno.test("study: built of a run, served, rated, stopped, killed, served again, counted", () =>
  inFolder(async (folder) => {
    const trained = await runCli(["meta-train", ...tiny, "--steps", "4", "--run", "run"], folder);
    assert.equal(trained.code, 0, trained.stderr);
    const build = ["study", "build", "--run", "tiny=run", "--shots", "1,2", "--videos", "2"];
    const more = ["--frames", "2", "--backend", "wasm", "--methods", "nearest", "--out", "s"];
    const built = await runCli([...build, ...more, "--json"], folder);
    assert.equal(built.code, 0, built.stderr);
    const { triplets, people, methods, excluded } = JSON.parse(built.stdout);
    assert.deepEqual([triplets, people, excluded], [24, 2, []]);
    assert.deepEqual(methods, ["tiny, feed-forward", "tiny, fine-tuned", "nearest, copy"]);

    const first = await serveCli(folder, "s");
    const ada = await beginRating(first.url);
    for (const number of [1, 2, 3]) {
      const vote = await ada.vote({ number, place: number, seconds: number });
      assert.deepEqual(await vote.json(), { total: 24, done: number, begun: true });
    }
    const ended = await first.stop("SIGINT");
    assert.equal(ended.code, 0);
    assert.deepEqual(JSON.parse(ended.text), { raters: 1, votes: 3 });

    const second = await serveCli(folder, "s");
    const back = { headers: { cookie: ada.cookie } };
    const state = await fetch(`${second.url}/api/study`, back);
    assert.deepEqual(await state.json(), { total: 24, done: 3, begun: true });
    const bob = await beginRating(second.url);
    const vote = await bob.vote({ number: 1, place: 1 });
    assert.equal(vote.status, 200);
    await vote.body?.cancel();
    await second.stop("SIGKILL"); // what was answered for is on the disk

    const counted = await runCli(["study", "report", "s", "--json"], folder);
    assert.equal(counted.code, 0, counted.stderr);
    const report = JSON.parse(counted.stdout);
    assert.deepEqual(report.raters, { begun: 2, voted: 2, finished: 0 });
    assert.deepEqual([report.votes, report.places, report.medianSeconds], [4, [2, 1, 1], 2]);
    assert.equal(report.rows.length, 6);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${folder}/s/report.json`)), report);
    assert.match(await Deno.readTextFile(`${folder}/s/report.md`), /\| tiny, fine-tuned \|/);

    const other = await runCli([...build, ...more, "--seed", "2"], folder);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /holds another one \(seed is 1, now 2\)/);
  }));

Deno.test("wrong input of study is one sentence, and nothing is written", () =>
  inFolder(async (folder) => {
    const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [[], 2, /nothing is asked for, expected build, serve or report/],
      [["serv", "s"], 2, /"serv" is nothing it does, expected serve/],
      [["build", "--out", "s"], 2, /run is missing/],
      [["build", "s", "--run", "x"], 2, /"s" is no option, expected --out DIR/],
      [["build", "--run", "missing", "--out", "s"], 2, /missing\/config\.json/],
      [["build", "--run", "x", "--out", "s", "--methods", "nearst"], 2, /expected nearest/],
      [["build", "--run", "x", "--out", "s", "--ways", ","], 2, /ways is \[\], expected a list of/],
      [["build", "--run", "x", "--out", "s", "--port", "1"], 2, /port is not a key/],
      [["serve"], 2, /expected one folder/],
      [["serve", "a", "b"], 2, /expected one folder/],
      [["serve", "s"], 1, /there is no study\.sqlite/],
      [["serve", "s", "--port", "80000"], 2, /port is 80000, expected a port/],
      [["serve", "s", "--origin", "study.example.org"], 2, /expected an origin/],
      [["report", "s"], 1, /there is no study\.sqlite/],
    ];
    for (const [args, code, says] of cases) {
      const ended = await runCli(["study", ...args], folder);
      assert.equal(ended.code, code, `${args}: ${ended.stderr}`);
      assert.match(ended.stderr, says);
    }
    assert.deepEqual(await namesIn(folder), []);
  }));
