/** Bad input ends in one sentence that says what and where, with the right code, nothing written. */
import assert from "node:assert/strict";
import { inFolder, namesIn, runCli, tiny } from "./support.ts";

const lines = (text: string): readonly string[] => text.trim().split("\n");

const isEmpty = async (folder: string): Promise<boolean> => (await namesIn(folder)).length === 0;

const refused = (
  name: string,
  args: readonly string[],
  { code, says, problems = 1 }: {
    readonly code: number;
    readonly says: RegExp;
    readonly problems?: number;
  },
): void =>
  Deno.test(name, () =>
    inFolder(async (folder) => {
      const ended = await runCli(args, folder);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, says);
      assert.equal(lines(ended.stderr).length, problems, ended.stderr);
      assert.equal(ended.stdout, "");
      assert.ok(await isEmpty(folder), "something was written");
    }));

refused("an unknown command names the nearest one", ["meta-trian"], {
  code: 2,
  says: /Cannot run "meta-trian".*expected meta-train/,
});

refused("a misspelt option names the nearest one", ["meta-train", "--stesp", "5"], {
  code: 2,
  says: /--stesp is no option, expected --steps/,
});

refused("an unknown preset lists the presets", ["meta-train", "--preset", "toy-65"], {
  code: 2,
  says: /preset is "toy-65", expected one of .*toy-64/,
});

refused("negative steps are refused", ["meta-train", "--steps", "-5"], {
  code: 2,
  says: /training\.steps is -5, expected a positive integer/,
});

refused("steps that are no number are refused", ["meta-train", "--steps", "many"], {
  code: 2,
  says: /training\.steps is "many", expected a positive integer/,
});

refused("an option without its value is refused", ["meta-train", "--seed"], {
  code: 2,
  says: /--seed has no value/,
});

refused("a config file that is not there is named", ["meta-train", "--config", "none.jsonc"], {
  code: 2,
  says: /none\.jsonc/,
});

refused("resuming a run that is not there is refused", [
  "meta-train",
  ...tiny,
  "--run",
  "none",
  "--resume",
], { code: 2, says: /Cannot resume none: it does not exist/ });

refused("resuming without a run is refused", ["meta-train", ...tiny, "--resume"], {
  code: 2,
  says: /Cannot resume: no run is named, expected --run DIR/,
});

refused(
  "a data folder that is not there is named",
  ["meta-train", ...tiny, "--data", "no-videos"],
  {
    code: 1,
    says: /no-videos/,
  },
);

refused("the paper's preset without its weights says how to get them", [
  "meta-train",
  "--preset",
  "paper-256",
], { code: 2, says: /expected --content vgg19=PATH/, problems: 2 });

Deno.test("every problem of a configuration file is listed at once", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/run.jsonc`,
      `{ "seed": -1, /* a comment */ "traning": {}, "training": { "batch": "4", "shots": 0 } }`,
    );
    const ended = await runCli(["meta-train", "--config", "run.jsonc"], folder);
    assert.equal(ended.code, 2);
    for (const path of ["seed", "traning", "training.batch", "training.shots"]) {
      assert.ok(ended.stderr.includes(path), `${path} is not in: ${ended.stderr}`);
    }
    assert.equal(lines(ended.stderr).length, 4);
  }));

Deno.test("an empty data folder is named and nothing is written beside it", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/videos`);
    const ended = await runCli(["meta-train", ...tiny, "--data", "videos"], folder);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /videos/);
    assert.ok(!(await namesIn(folder)).includes("runs"));
  }));

Deno.test("a run folder that is in use by another run is not overwritten", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/precious`);
    await Deno.writeTextFile(`${folder}/precious/thesis.txt`, "do not lose");
    const ended = await runCli(["meta-train", ...tiny, "--run", "precious"], folder);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /precious.*not empty/);
    assert.deepEqual(await namesIn(`${folder}/precious`), ["thesis.txt"]);
  }));

Deno.test("--print-config and --help write nothing but what was asked for", () =>
  inFolder(async (folder) => {
    const printed = await runCli(["meta-train", "--steps", "7", "--print-config"], folder);
    assert.equal(printed.code, 0);
    assert.equal(JSON.parse(printed.stdout).training.steps, 7);
    const helped = await runCli(["meta-train", "--help"], folder);
    assert.equal(helped.code, 0);
    assert.match(helped.stdout, /--preset NAME/);
    assert.ok(await isEmpty(folder));
  }));
