/** What holds for every command of the command line: help, defaults, examples, slips. */
import assert from "node:assert/strict";
import { commands } from "../../../cli.ts";
import { helpText, type Option, parseOptions } from "../../../pipeline/cli/options.ts";
import { presetNames } from "../../../models/presets.ts";
import { draftRunConfig } from "../../../pipeline/programs/run_config.ts";
import { editDistance } from "../../../pipeline/core/words.ts";
import { E } from "../../../pipeline/core/fp.ts";

const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
) as { readonly tasks: Readonly<Record<string, { readonly command: string }>> };

/** Neighbouring letters exchanged, a letter forgotten, a letter doubled. */
const slipsOf = (name: string): readonly string[] => {
  const at = Math.floor(name.length / 2),
    before = name.slice(0, at - 1),
    after = name.slice(at + 1);
  const [a = "", b = ""] = [name[at - 1], name[at]];
  return [before + b + a + after, before + a + after, before + a + b + b + after]
    .filter((slip) => slip !== name && slip.length > 2);
};

/** The words of a command line, without the shell. */
const wordsOf = (example: string): readonly string[] => example.trim().split(/\s+/);

const takesValue = ({ value }: Option): boolean => value !== undefined;

assert.ok(commands.length >= 12);

for (const { name, about, options, example } of commands) {
  const help = helpText(`deno task ${name} [options]`, about, options, example);

  Deno.test(`${name}: the help says what is taken when an option is not given`, () => {
    for (const option of options.filter(takesValue)) {
      const line = help.split("\n").find((text) => text.includes(option.help)) ??
        assert.fail(`--${option.name} is not in the help`);
      assert.match(line, /\([^()]+\)/, `--${option.name} names no default`);
    }
    assert.match(about, /^[A-Z].*\.$/);
    assert.ok(help.includes(example));
    assert.ok(help.split("\n").every((line) => line.length <= 150), "a line is too long to read");
  });

  Deno.test(`${name}: the example of the help is one that it takes, by its own task`, () => {
    const [deno, task, command, ...args] = wordsOf(example);
    assert.deepEqual([deno, task, command], ["deno", "task", name]);
    const parsed = parseOptions(name, options, args);
    assert.ok(E.isRight(parsed), E.isLeft(parsed) ? parsed.left.problems.join("\n") : "");
    assert.match(tasks[name]?.command ?? "", new RegExp(`cli\\.ts ${name}$`));
  });

  Deno.test(`${name}: a slip in an option is answered with the real one`, () => {
    const names = new Set(options.map((option) => option.name));
    for (const option of options) {
      for (const slip of slipsOf(option.name)) {
        if (names.has(slip)) continue;
        const parsed = parseOptions(
          name,
          options,
          [`--${slip}`, "1"].slice(0, option.value ? 2 : 1),
        );
        assert.ok(E.isLeft(parsed), `--${slip} is taken`);
        const [problem = ""] = parsed.left.problems;
        const [, meant = ""] = /is no option, expected --([\w-]+)$/.exec(problem) ?? [];
        assert.ok(problem.includes(`--${slip} is no option`) && names.has(meant), problem);
        assert.ok(editDistance(slip, meant) <= editDistance(slip, option.name), problem);
      }
    }
    const strange = parseOptions(name, options, ["--zzqqxxyyww"]);
    assert.ok(E.isLeft(strange));
    assert.match(strange.left.problems.join(), /is no option, expected one of those that --help/);
  });
}

Deno.test("the defaults that the help of meta-train names are those that are used", () => {
  const config = draftRunConfig({});
  assert.ok(E.isRight(config));
  const { preset, seed, data, variant, method, backend, checkpointEvery, gridEvery, training } =
    config.right;
  const used = {
    ...{ preset, seed, data, variant, method, backend, accumulate: training.accumulate },
    "checkpoint-every": checkpointEvery,
    "grid-every": gridEvery,
  };
  const { options } = commands.find(({ name }) => name === "meta-train") ?? assert.fail();
  for (const [name, value] of Object.entries(used)) {
    const { help } = options.find((option) => option.name === name) ?? assert.fail(name);
    assert.ok(help.endsWith(`(${value})`), `--${name} is ${value}, the help says: ${help}`);
  }
  assert.ok(presetNames.every((name) => options.some(({ help }) => help.includes(name))));
});

Deno.test("every command has a task of its name, and no two have one name", () => {
  const names = commands.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const ours = Object.entries(tasks).filter(([, { command }]) => / cli\.ts [\w-]+$/.test(command));
  assert.deepEqual(ours.map(([name]) => name).toSorted(), names.toSorted());
});
