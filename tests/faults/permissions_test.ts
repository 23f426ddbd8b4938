/** What the tasks of deno.json may do, and that what they may not do is refused. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { inFolder, namesIn } from "../e2e/support.ts";
import { least } from "./support.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const config = ["--config", path("../../deno.json")];
const { tasks } = JSON.parse(await Deno.readTextFile(path("../../deno.json"))) as {
  readonly tasks: Readonly<Record<string, { readonly command: string }>>;
};

/** The flags of a task that runs a command of the command line, nothing of others. */
const flagsOf = (task: string): readonly string[] | undefined => {
  const [, flags] = /^deno run (.*) cli\.ts [\w-]+$/.exec(tasks[task]?.command ?? "") ?? [];
  return flags?.split(" ");
};

const run = async (args: readonly string[], cwd?: string) => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...args],
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
};

/** What each task may do besides reading; `run` is for ffmpeg, wherever it was found. */
const granted: Readonly<Record<string, readonly string[]>> = {
  "meta-train": ["write", "run", "sys:hostname"],
  prepare: ["write", "run", "env:SLURM_PROCID"],
  verify: ["write"],
  drive: ["write", "run"],
  weights: ["write", "net", "net:127.0.0.1", "net:192.0.2.1"],
  bench: ["write", "sys:cpus"], // and ffmpeg and ffprobe by name
  embed: ["write", "run"],
  "fine-tune": ["write", "run"],
  rank: ["write", "run"],
  evaluate: ["write", "run", "sys:hostname"],
  demo: ["write", "run", "sys:hostname"],
  study: ["write", "run", "net:127.0.0.1"],
  plot: ["write"],
  info: ["run"],
  reproduce: ["write", "run", "sys:cpus", "sys:hostname"],
};

Deno.test("each task has the permissions that it needs, and no others", () =>
  inFolder(async (folder) => {
    const probe = `${folder}/probe.ts`;
    await Deno.writeTextFile(
      probe,
      `const asked = [{ name: "write" }, { name: "run" }, { name: "net" }, { name: "ffi" },
        { name: "net", host: "127.0.0.1" }, { name: "net", host: "192.0.2.1" },
        { name: "env" }, { name: "env", variable: "SLURM_PROCID" }, { name: "sys" },
        { name: "sys", kind: "hostname" }, { name: "sys", kind: "cpus" }] as const;
      const told = asked.filter((each) => Deno.permissions.querySync(each).state === "granted")
        .map(({ name, host, variable, kind }) =>
          [name, host ?? variable ?? kind ?? []].flat().join(":"));
      console.log(JSON.stringify(told));`,
    );
    const commands = Object.keys(tasks).filter((task) => flagsOf(task) !== undefined);
    for (const [task, expected] of Object.entries(granted)) {
      if (tasks[task] === undefined) continue;
      const flags = flagsOf(task) ?? assert.fail(`${task} runs something else`);
      assert.ok(flags.includes("--no-prompt"), `${task} would ask`);
      const { stdout } = await run([...flags, probe]);
      assert.deepEqual(JSON.parse(stdout).toSorted(), expected.toSorted(), task);
    }
    assert.deepEqual(commands.filter((task) => granted[task] === undefined), [], "not in the list");
  }));

Deno.test("meta-train as its task runs it: what the data reach out for is refused, it trains on", () =>
  inFolder(async (folder) => {
    let requests = 0;
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
      requests++;
      return new Response("export {};");
    });
    const url = `http://127.0.0.1:${server.addr.port}`;
    const flags = flagsOf("meta-train") ?? assert.fail("there is no such task");
    const ended = await run([...config, ...flags, path("./reach_out.ts"), `${folder}/run`, url]);
    await server.shutdown();
    assert.equal(ended.code, 0, ended.stderr);
    const { trained, outcomes } = JSON.parse(ended.stdout);
    assert.equal(trained, true);
    assert.equal(Object.keys(outcomes).length, 6);
    for (const [what, outcome] of Object.entries(outcomes)) {
      assert.match(String(outcome), /^NotCapable: Requires|Requires import access/, what);
    }
    assert.equal(requests, 0);
  }));

Deno.test("meta-train writes in its run folder and nowhere else: more is refused in one sentence", () =>
  inFolder(async (folder) => {
    const cli = path("../../cli.ts");
    const inside = `${folder}/run`, outside = `${folder}/elsewhere`;
    const flags = ["--no-prompt", "--allow-read", `--allow-write=${inside}`];
    const args = ["meta-train", ...least, "--steps", "1", "--run"];
    const whole = await run([...config, ...flags, cli, ...args, inside], folder);
    assert.equal(whole.code, 0, whole.stderr);
    const refused = await run([...config, ...flags, cli, ...args, outside], folder);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /^Cannot make run folder .*elsewhere: access is denied.*\n$/);
    assert.deepEqual(await namesIn(folder), ["run"]);
  }));
