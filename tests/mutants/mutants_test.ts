/** The mutants fit the code; two of them are killed here, all of them by `deno task mutants`. */
import assert from "node:assert/strict";
import { copyRepository, killMutant } from "./kill.ts";
import { mutants } from "./mutants.ts";

const read = (path: string): Promise<string> =>
  Deno.readTextFile(new URL(`../../${path}`, import.meta.url));

Deno.test("every mutant changes one place that is there, and names a test that is there", async () => {
  assert.ok(mutants.length >= 20);
  for (const { mistake, file, find, replace, killedBy } of mutants) {
    assert.equal((await read(file)).split(find).length, 2, `${mistake}: ${find}`);
    assert.notEqual(find, replace);
    assert.match(await read(killedBy), /Deno\.test\(/);
  }
  assert.equal(new Set(mutants.map(({ mistake }) => mistake)).size, mutants.length);
});

Deno.test("a mistake in a metric and one in the sampler are noticed, no mistake is not", async () => {
  await using copy = await copyRepository();
  const [first, ...rest] = mutants.filter(({ file }) => /roc|sample/.test(file));
  const [second] = rest;
  assert.ok(first && second && first.file !== second.file);
  assert.equal(await killMutant(copy.path, first), "killed");
  assert.equal(await killMutant(copy.path, second), "killed");
  const harmless = { ...first, replace: `${first.find} ` };
  assert.equal(await killMutant(copy.path, harmless), "survived");
  const gone = { ...first, find: "nowhere" };
  assert.equal(await killMutant(copy.path, gone), "out of date");
});
