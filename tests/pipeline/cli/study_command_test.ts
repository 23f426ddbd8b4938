/** What `study` says to wrong input. */
import assert from "node:assert/strict";
import { parseOptions } from "../../../pipeline/cli/options.ts";
import { studyCommand } from "../../../pipeline/cli/study_command.ts";
import { exitCode, renderError } from "../../../pipeline/core/errors.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { inFolder, namesIn } from "../../e2e/support.ts";

Deno.test("wrong input of study is one sentence, and nothing is written", () =>
  inFolder(async (folder) => {
    const s = `${folder}/s`;
    const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [[], 2, /nothing is asked for, expected build, serve or report/],
      [["serv", s], 2, /"serv" is nothing it does, expected serve/],
      [["build", "--out", s], 2, /run is missing/],
      [["build", s, "--run", "x"], 2, /"\S+" is no option, expected --out DIR/],
      [
        ["build", "--run", `${folder}/missing`, "--out", s, "--backend", "wasm"],
        2,
        /missing\/config\.json/,
      ],
      [["build", "--run", "x", "--out", s, "--methods", "nearst"], 2, /expected nearest/],
      [["build", "--run", "x", "--out", s, "--ways", ","], 2, /ways is \[\], expected a list of/],
      [["build", "--run", "x", "--out", s, "--port", "1"], 2, /port is not a key/],
      [["serve"], 2, /expected one folder/],
      [["serve", "a", "b"], 2, /expected one folder/],
      [["serve", s], 1, /there is no study\.sqlite/],
      [["serve", s, "--port", "80000"], 2, /port is 80000, expected a port/],
      [["serve", s, "--origin", "study.example.org"], 2, /expected an origin/],
      [["report", s], 1, /there is no study\.sqlite/],
    ];
    for (const [args, code, says] of cases) {
      const parsed = parseOptions("study", studyCommand.options, args);
      assert.ok(E.isRight(parsed), `${args}`);
      const ended = await studyCommand.run(parsed.right);
      assert.ok(E.isLeft(ended), `${args}`);
      assert.equal(exitCode(ended.left), code, `${args}: ${renderError(ended.left)}`);
      assert.match(renderError(ended.left), says);
    }
    assert.deepEqual(await namesIn(folder), []);
  }));
