/** Runs the command line as a user does: another process, its own folder, real exit codes. */
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const command = (args: readonly string[], cwd: string): Deno.Command =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", config, cli, ...args],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });

/** Runs a command to its end. */
export const runCli = async (args: readonly string[], cwd: string): Promise<Ended> => {
  const { code, stdout, stderr } = await command(args, cwd).output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
};

/** Starts a command; the caller ends it. */
export const startCli = (args: readonly string[], cwd: string): Deno.ChildProcess =>
  command(args, cwd).spawn();

/** Settings of a run that takes seconds: tiny networks, 16 pixels, few people to judge. */
export const tiny = [
  "--config",
  fileURLToPath(new URL("./tiny.jsonc", import.meta.url)),
] as const;

/** A new empty folder for one test, removed after it. */
export const inFolder = async (test: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await Deno.makeTempDir({ prefix: "headshot-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

/** The names in a folder. */
export const namesIn = async (folder: string): Promise<readonly string[]> => {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names;
};
