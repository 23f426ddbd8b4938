/** A copy of the repository with one mistake in it, and what a test says to that. */
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutants.ts";

/** The root of the repository. */
const root = fileURLToPath(new URL("../../", import.meta.url));

/** What the quick tests read: no pictures, no documents. */
const parts = ["backends", "datasets", "models", "pipeline", "tests", "vendor"];
const files = ["deno.json", "deno.lock", "mod.ts"];

/** What became of a mutant. */
export type Fate =
  /** The test failed: it noticed. */
  | "killed"
  /** The test passed: nobody notices this mistake. */
  | "survived"
  /** What is to be replaced is not there exactly once: the mutant is out of date. */
  | "out of date";

const copyFolder = async (from: string, to: string): Promise<void> => {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
};

/** A temporary copy of what the quick tests read; removed when it is disposed. */
export const copyRepository = async (): Promise<{ readonly path: string } & AsyncDisposable> => {
  const path = await Deno.makeTempDir({ prefix: "headshot-mutants-" });
  for (const part of parts) await copyFolder(`${root}/${part}`, `${path}/${part}`);
  for (const file of files) await Deno.copyFile(`${root}/${file}`, `${path}/${file}`);
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
};

/** Whether the test of a mutant passes in the copy as it is. */
export const testPasses = async (copy: string, { killedBy }: Mutant): Promise<boolean> => {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--no-prompt", "--quiet", "--fail-fast", killedBy],
    cwd: copy,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
};

/** Puts the mistake into the copy, runs its test, takes it out again. */
export const killMutant = async (copy: string, mutant: Mutant): Promise<Fate> => {
  const path = `${copy}/${mutant.file}`, right = await Deno.readTextFile(path);
  if (right.split(mutant.find).length !== 2) return "out of date";
  await Deno.writeTextFile(path, right.replace(mutant.find, () => mutant.replace));
  try {
    return await testPasses(copy, mutant) ? "survived" : "killed";
  } finally {
    await Deno.writeTextFile(path, right);
  }
};
