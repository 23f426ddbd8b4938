/** The peak of a command is measured, and a small run keeps far below the bound of a large one. */
import assert from "node:assert/strict";
import { inFolder } from "../e2e/support.ts";
import { commands, measure, smallRun } from "./memory.ts";

const onLinux = Deno.build.os === "linux";
Deno.test({
  name: `a training of four steps keeps below its bound of memory${
    onLinux ? "" : " (needs Linux)"
  }`,
  ignore: !onLinux,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/small.json`, smallRun("test-16"));
      const training = commands.find(({ name }) => name === "meta-train");
      assert.ok(training);
      const { code, said, peak } = await measure(training.args, folder);
      assert.equal(code, 0, said);
      assert.ok(peak > 100 && peak < training.bound, `${peak} MiB`);
    }),
});
