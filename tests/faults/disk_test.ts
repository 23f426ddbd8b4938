/** Disks without space, under the command line itself: what is kept, what is said, how it ends. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { E } from "../../pipeline/core/fp.ts";
import { latestCheckpoint } from "../../pipeline/programs/checkpoint/load.ts";
import { inFolder, namesIn, runCli } from "../e2e/support.ts";
import { least } from "./support.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
const deno = [Deno.execPath(), "run", "-A", "--config", config, cli];
const onUnix = Deno.build.os !== "windows";
const onLinux = Deno.build.os === "linux";

const shell = async (
  program: readonly [string, ...string[]],
  script: string,
  { args, cwd }: { readonly args: readonly string[]; readonly cwd: string },
) => {
  const [name, ...before] = program;
  const command = new Deno.Command(name, {
    args: [...before, "-c", script, "sh", ...args],
    cwd,
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
};

const canMount = onLinux && await new Deno.Command("unshare", {
  args: ["-rm", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp"],
  stdout: "null",
  stderr: "null",
}).output().then(({ success }) => success, () => false);

Deno.test({
  name: `no space for a checkpoint ends training with exit code 1, the one before is whole${
    onUnix ? "" : " (needs ulimit)"
  }`,
  ignore: !onUnix,
  fn: () =>
    inFolder(async (folder) => {
      const first = ["meta-train", ...least, "--run", "run", "--steps", "4"];
      assert.equal((await runCli(first, folder)).code, 0);
      const more = ["meta-train", ...least, "--run", "run", "--steps", "8", "--resume"];
      // A file may have 100 blocks of 512 bytes or 1 KiB; the state has 336 kB.
      const script = `trap '' XFSZ; ulimit -f 100; exec "$@"`;
      const ended = await shell(["sh"], script, { args: [...deno, ...more], cwd: folder });
      assert.equal(ended.code, 1, ended.stderr);
      assert.match(
        ended.stderr,
        /Cannot write run\/checkpoints\/step-000008\/\w+\.safetensors of \d+ bytes: File too large/,
      );
      assert.deepEqual(await namesIn(`${folder}/run/checkpoints`), ["step-000004"]);
      const env = { emit: () => assert.fail("it is damaged") };
      const latest = await latestCheckpoint(`${folder}/run`)(env)();
      assert.equal(E.isRight(latest) && latest.right?.meta.step, 4);
    }),
});

Deno.test({
  name: `a full disk is waited for: space that returns is used, nothing is lost${
    canMount ? "" : " (needs a mount in a namespace of its own)"
  }`,
  ignore: !canMount,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/disk`);
      // The filler leaves 300 kB; it goes when training has said that it waits for space.
      const script = `mount -t tmpfs -o size=2m tmpfs disk
        head -c 1750000 /dev/zero > disk/filler
        "$@" 2> said & child=$!
        while kill -0 $child 2> gone && ! grep -q 'trying again' said; do sleep 0.1; done
        rm disk/filler
        wait $child; code=$?
        ls disk/run/checkpoints
        exit $code`;
      const args = ["meta-train", ...least, "--run", "disk/run", "--steps", "4"];
      const program: readonly [string, ...string[]] = ["unshare", "-rm", "sh"];
      const ended = await shell(program, script, { args: [...deno, ...args], cwd: folder });
      const said = await Deno.readTextFile(`${folder}/said`);
      assert.equal(ended.code, 0, said);
      assert.match(said, /step-000004\/.* of \d+ bytes: the disk is full; trying again in 2 s/);
      assert.equal(ended.stdout.trim(), "step-000004");
    }),
});

Deno.test({
  name: `a full disk under the log is warned of once, training goes on and ends well${
    onLinux ? "" : " (needs /dev/full)"
  }`,
  ignore: !onLinux,
  fn: () =>
    inFolder(async (folder) => {
      const args = ["meta-train", ...least, "--run", "run", "--steps"];
      assert.equal((await runCli([...args, "2"], folder)).code, 0);
      await Deno.remove(`${folder}/run/events.jsonl`);
      await Deno.symlink("/dev/full", `${folder}/run/events.jsonl`);
      const ended = await runCli([...args, "4", "--resume"], folder);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(ended.stderr.match(/events\.jsonl: the disk is full/g)?.length, 1, ended.stderr);
      assert.ok((await namesIn(`${folder}/run/checkpoints`)).includes("step-000004"));
    }),
});
