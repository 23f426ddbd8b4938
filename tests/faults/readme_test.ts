/** The table of faults names tests that exist. */
import assert from "node:assert/strict";
import { hasTest, readFaults } from "./table.ts";

Deno.test("each fault of the table is shown by tests that are in the files it names", async () => {
  const faults = await readFaults();
  assert.deepEqual(faults.map(({ number }) => Number(number)), faults.map((_, i) => i + 1));
  assert.ok(faults.length >= 25);
  for (const { fault, injected, shown } of faults) {
    assert.ok(shown.length > 0 && injected !== "", fault);
    for (const { file, names } of shown) {
      const source = await Deno.readTextFile(new URL(`../../${file}`, import.meta.url));
      assert.ok(names.length > 0, `${fault}: ${file}`);
      for (const name of names) assert.ok(hasTest(source, name), `${fault}: ${file}: ${name}`);
    }
  }
});

Deno.test("a name that is in no test is not found", () => {
  const source = 'Deno.test("a", f); const all = { "an egg": 1 }; Deno.test(`refused: ${b}`, f);';
  assert.ok(hasTest(source, "a") && hasTest(source, "refused: an egg"));
  assert.ok(!hasTest(source, "refused: a stone") && !hasTest(source, "b"));
});
