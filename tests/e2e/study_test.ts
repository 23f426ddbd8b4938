/** A user study from a run to its report, as its users run it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { beginRating, sketchStudy } from "../pipeline/programs/study/support.ts";
import { least } from "../faults/support.ts";
import { inFolder, runCli, startCli } from "./support.ts";

/** Waits until a server says where it is. */
const listening = async (child: Deno.ChildProcess) => {
  const reader = child.stderr.getReader();
  let told = "";
  while (!/http:\S+ /.test(told)) {
    const { value, done } = await reader.read();
    if (done) break;
    told += new TextDecoder().decode(value);
  }
  const [url] = /http:\S+(?=\/ )/.exec(told) ?? assert.fail(told);
  return {
    url,
    stop: async (signal: Deno.Signal) => {
      child.kill(signal);
      while (!(await reader.read()).done);
      return await child.status;
    },
  };
};

/** Serves a study until it is stopped with a signal. */
const serveCli = async (folder: string, study: string) => {
  const child = startCli(["study", "serve", study, "--port", "0", "--json"], folder);
  const printed = new Response(child.stdout).text(), { url, stop } = await listening(child);
  return {
    url,
    stop: async (signal: Deno.Signal) => {
      const { code } = await stop(signal);
      return { code, text: await printed };
    },
  };
};

Deno.test("study: built of a run, served, rated, stopped, killed, served again, counted", () =>
  inFolder(async (folder) => {
    const trained = await runCli(["meta-train", ...least, "--steps", "2", "--run", "run"], folder);
    assert.equal(trained.code, 0, trained.stderr);
    const build = [
      "study",
      "build",
      "--run",
      "tiny=run",
      "--shots",
      "1",
      "--videos",
      "2",
      "--rounds",
      "4",
    ];
    const more = ["--frames", "2", "--backend", "wasm", "--methods", "nearest", "--out", "s"];
    const built = await runCli([...build, ...more, "--json"], folder);
    assert.equal(built.code, 0, built.stderr);
    const { triplets, people, methods, excluded } = JSON.parse(built.stdout);
    assert.deepEqual([triplets, people, excluded], [12, 2, []]);
    assert.deepEqual(methods, ["tiny, feed-forward", "tiny, fine-tuned", "nearest, copy"]);

    const first = await serveCli(folder, "s");
    const ada = await beginRating(first.url);
    for (const number of [1, 2, 3]) {
      const vote = await ada.vote({ number, place: number, seconds: number });
      assert.deepEqual(await vote.json(), { total: 8, done: number, begun: true });
    }
    const ended = await first.stop("SIGINT");
    assert.equal(ended.code, 0);
    assert.deepEqual(JSON.parse(ended.text), { raters: 1, votes: 3 });

    const second = await serveCli(folder, "s");
    const back = { headers: { cookie: ada.cookie } };
    const state = await fetch(`${second.url}/api/study`, back);
    assert.deepEqual(await state.json(), { total: 8, done: 3, begun: true });
    const bob = await beginRating(second.url);
    const vote = await bob.vote({ number: 1, place: 1 });
    assert.equal(vote.status, 200);
    await vote.body?.cancel();
    const during = await runCli(["study", "report", "s", "--json"], folder);
    await second.stop("SIGKILL"); // what was answered for is on the disk
    const counted = await runCli(["study", "report", "s", "--json"], folder);
    assert.equal(counted.code, 0, counted.stderr);
    assert.equal(during.stdout, counted.stdout);
    const report = JSON.parse(counted.stdout);
    assert.deepEqual(report.raters, { begun: 2, voted: 2, finished: 0 });
    assert.deepEqual([report.votes, report.places, report.medianSeconds], [4, [2, 1, 1], 2]);
    assert.equal(report.rows.length, 3);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${folder}/s/report.json`)), report);
    assert.match(await Deno.readTextFile(`${folder}/s/report.md`), /\| tiny, fine-tuned \|/);

    const other = await runCli([...build, ...more, "--seed", "2"], folder);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /holds another one \(seed is 1, now 2\)/);
  }));

Deno.test("study serve as its task runs it: on the loopback, and nowhere else", () =>
  inFolder(async (folder) => {
    await sketchStudy(`${folder}/s`);
    const root = new URL("../../", import.meta.url);
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
    const [, ...args] = String(tasks.study.command).split(" ");
    const serve = [...args, "serve", `${folder}/s`, "--port", "0"];
    const refused = await new Deno.Command(Deno.execPath(), {
      args: [...serve, "--host", "0.0.0.0"],
      cwd: fileURLToPath(root),
    }).output();
    assert.equal(refused.code, 2);
    assert.match(
      new TextDecoder().decode(refused.stderr),
      /^Cannot listen on 0\.0\.0\.0:0: it is not permitted \(--allow-net=0\.0\.0\.0:0\), expected/m,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: serve,
      cwd: fileURLToPath(root),
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { url, stop } = await listening(child);
    const state = await fetch(`${url}/api/study`);
    assert.deepEqual(await state.json(), { total: 4, done: 0, begun: false });
    const taken = await runCli(["study", "serve", "s", "--port", new URL(url).port], folder);
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /another program listens there, expected a free --port/);
    assert.equal((await stop("SIGTERM")).code, 0);
  }));
