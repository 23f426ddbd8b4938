/** 500 damaged files for every reader; `deno task fuzz` is 10,000 of each, for a night. */
import assert from "node:assert/strict";
import { fuzz } from "./fuzz.ts";
import { targets } from "./targets.ts";

Deno.test("500 damaged files of every kind: sentences, nothing thrown, bounded time and memory", async () => {
  const names = targets.map(({ name }) => name);
  const reports = await fuzz({ names, cases: 500, seed: 1 });
  for (const { name, cases, read, ways, failures } of reports) {
    assert.deepEqual(failures, [], name);
    assert.equal(cases, 500);
    // Damage that is always refused, in the same words, would test nothing.
    assert.ok(read + ways >= 3, `${name}: ${read} read, ${ways} ways of refusal`);
  }
});
