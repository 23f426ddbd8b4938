/**
 * The command line: a name and options → a program → an exit code. People read stderr, `--json`
 * puts one object on stdout.
 *
 * @module
 */
import type { Command } from "./pipeline/cli/command.ts";
import { benchCommand } from "./pipeline/cli/bench_command.ts";
import { embedCommand } from "./pipeline/cli/embed_command.ts";
import { evaluateCommand } from "./pipeline/cli/evaluate_command.ts";
import { fineTuneCommand } from "./pipeline/cli/fine_tune_command.ts";
import { infoCommand } from "./pipeline/cli/info_command.ts";
import { metaTrainCommand } from "./pipeline/cli/meta_train_command.ts";
import { plotCommand } from "./pipeline/cli/plot_command.ts";
import { prepareCommand } from "./pipeline/cli/prepare_command.ts";
import { reproduceCommand } from "./pipeline/cli/reproduce_command.ts";
import { studyCommand } from "./pipeline/cli/study_command.ts";
import { verifyCommand } from "./pipeline/cli/verify_command.ts";
import { driveCommand } from "./pipeline/cli/drive_command.ts";
import { rankCommand } from "./pipeline/cli/rank_command.ts";
import { demoCommand } from "./pipeline/cli/demo_command.ts";
import { helpText, parseOptions } from "./pipeline/cli/options.ts";
import { say } from "./pipeline/cli/terminal.ts";
import { weightsCommand } from "./pipeline/cli/weights_command.ts";
import { exitCode, type PipelineError, renderError } from "./pipeline/core/errors.ts";
import { E } from "./pipeline/core/fp.ts";
import { nearest } from "./pipeline/core/words.ts";

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  metaTrainCommand,
  embedCommand,
  fineTuneCommand,
  prepareCommand,
  verifyCommand,
  driveCommand,
  weightsCommand,
  evaluateCommand,
  reproduceCommand,
  studyCommand,
  benchCommand,
  rankCommand,
  demoCommand,
  plotCommand,
  infoCommand,
];

const print = (text: string): void => {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
};

const fail = (error: PipelineError): number => {
  say(renderError(error));
  return exitCode(error);
};

const unknownCommand = (name: string): number => {
  const names = commands.map((command) => command.name), meant = nearest(name, names);
  return fail({
    _tag: "Config",
    problems: [
      `Cannot run "${name}": there is no such command, expected ${
        meant ? meant : `one of ${names.join(", ")}`
      }`,
    ],
  });
};

const overview = (): string =>
  [
    "deno task COMMAND [options]",
    "",
    ...commands.map(({ name, about }) => `  ${name.padEnd(14)}${about}`),
    "",
    "deno task COMMAND --help says more.",
  ].join("\n");

const main = async ([name, ...args]: readonly string[]): Promise<number> => {
  if (name === undefined || name === "--help") {
    print(overview());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((each) => each.name === name);
  if (!command) return unknownCommand(name);
  if (args.includes("--help")) {
    const usage = `deno task ${name} [options]`;
    print(helpText(usage, command.about, command.options, command.example));
    return 0;
  }
  const parsed = parseOptions(name, command.options, args);
  if (E.isLeft(parsed)) return fail(parsed.left);
  const outcome = await command.run(parsed.right);
  if (E.isLeft(outcome)) return fail(outcome.left);
  const { json, text, code = 0 } = outcome.right;
  if (text !== undefined) say(text);
  if (parsed.right.json || text === undefined) {
    print(JSON.stringify(json, undefined, parsed.right.json ? undefined : 2));
  }
  return code;
};

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (cause) {
    say(
      `This is a bug in Headshot, please report it: ${
        cause instanceof Error ? cause.stack : cause
      }`,
    );
    Deno.exit(70);
  }
}
