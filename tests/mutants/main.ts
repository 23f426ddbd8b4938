/**
 * `deno task mutants`: puts each mistake of `mutants.ts` into a copy of the repository and runs the
 * quick test that must notice it. Prints a table; fails where one survives.
 */
import { copyRepository, type Fate, killMutant, testPasses } from "./kill.ts";
import { type Mutant, mutants } from "./mutants.ts";

const print = (text: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
};

await using copy = await copyRepository();

// A test that fails anyway would kill every mutant.
const tests = [...new Map(mutants.map((mutant) => [mutant.killedBy, mutant])).values()];
for (const mutant of tests) {
  if (await testPasses(copy.path, mutant)) continue;
  print(`Cannot judge mutants by ${mutant.killedBy}: it fails without one, expected it to pass`);
  Deno.exit(1);
}

const fates: (readonly [Mutant, Fate])[] = [];
print("| mistake | in | noticed by | fate |\n| --- | --- | --- | --- |");
for (const mutant of mutants) {
  const fate = await killMutant(copy.path, mutant);
  fates.push([mutant, fate]);
  print(`| ${mutant.mistake} | \`${mutant.file}\` | \`${mutant.killedBy}\` | ${fate} |`);
}
const killed = fates.filter(([, fate]) => fate === "killed").length;
print(`\n${killed} of ${mutants.length} mutants killed`);
Deno.exitCode = killed === mutants.length ? 0 : 1;
