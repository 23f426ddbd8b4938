/**
 * The newcomer's log is what happens today: its quick commands are run again, in a copy of this
 * tree in an empty home, and what they say is compared but for times, sizes and the machine.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Block, parseLog, renderLog } from "./log.ts";
import { differenceOf, linesOf } from "./output.ts";
import { bareEnv, type Place, runIn } from "./session.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): Promise<string> => Deno.readTextFile(`${root}${path}`);

const log = parseLog(await read("docs/walkthrough.md"));
const blocks = log.filter((part): part is Block => typeof part !== "string");

const ffmpeg = await new Deno.Command("ffmpeg", { args: ["-version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);
const required = Deno.env.get("HEADSHOT_REQUIRE_FFMPEG") === "1";

/** Why a block is not replayed, or nothing. */
const reasonOf = ({ marks }: Block): string | undefined => {
  if (marks.includes("slow")) return "slow";
  if (marks.includes("recorded")) return "recorded only";
  return marks.includes("ffmpeg") && !ffmpeg && !required ? "skipped: no ffmpeg" : undefined;
};

/** What a clone would not have. */
const left = new Set([".git", ".cache", "runs", "node_modules", "coverage"]);

const copyTree = async (from: string, to: string): Promise<void> => {
  await Deno.mkdir(to);
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (left.has(name)) continue;
    if (isDirectory) await copyTree(`${from}/${name}`, `${to}/${name}`);
    if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
};

const cacheFolder = async (): Promise<string> => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
};

Deno.test("the walkthrough: what is quick is replayed, and says what the log says", async (t) => {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "headshot-" }));
  const cache = await cacheFolder();
  const path = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
  const session = { home, env: { ...bareEnv(home, path), DENO_DIR: cache } };
  const places = [[cache, "~/.cache/deno"], [home, "~"]] as const;
  let place: Place = { folder: home, code: 0 };
  try {
    await copyTree(root, `${home}/headshot`);
    for (const block of blocks) {
      const [first] = block.entries, reason = reasonOf(block);
      const name = first?.command.split("\n")[0] ?? "nothing";
      await t.step({
        name: reason === undefined ? name : `${name} (${reason})`,
        ignore: reason !== undefined,
        fn: async () => {
          for (const { command, output } of block.entries) {
            const said = await runIn(session)(place, command);
            place = said.place;
            const lines = linesOf(said.text, places);
            const found = differenceOf(output, lines, block.marks.includes("machine"));
            assert.equal(
              found,
              undefined,
              `$ ${command}\n${found}; "deno task walkthrough" writes the log anew\n` +
                lines.join("\n"),
            );
          }
        },
      });
    }
  } finally {
    await Deno.remove(home, { recursive: true });
    await Deno.remove(`${cache}/gen/file${home}`, { recursive: true }).catch(() => {});
  }
});

Deno.test("the walkthrough is written as its reader writes it", async () => {
  assert.equal(renderLog(log), await read("docs/walkthrough.md"));
  const slow = blocks.filter(({ marks }) => marks.includes("slow"));
  assert.ok(slow.length < blocks.length / 4, "most of it is not slow");
});

Deno.test("the walkthrough runs every task that the README runs", async () => {
  const tasks = (text: string): readonly string[] =>
    [...text.matchAll(/\b(?:deno|2\.9\.6) task ([\w:-]+)/g)].flatMap(([, task]) => task ?? []);
  const run = new Set(
    blocks.flatMap(({ entries }) => entries.flatMap(({ command }) => tasks(command))),
  );
  assert.deepEqual(
    [...new Set(tasks(await read("README.md")))].filter((task) => !run.has(task)),
    [],
  );
});

Deno.test("outputs differ in words, counts and figures, not in times and sizes", () => {
  const recorded = ["Done after 6 steps in 1:07", "l1 0.4470, 3 people, 20 MiB", "Step 1 of 6"];
  const again = ["Done after 6 steps in 0:02", "l1 0.4471, 3 people, 2 MiB"];
  assert.equal(differenceOf(recorded, again), undefined);
  for (const [from, to] of [["6 steps", "7 steps"], ["0.4471", "0.5"], ["people", "heads"]]) {
    const other = again.map((line) => line.replace(from!, to!));
    assert.match(differenceOf(recorded, other) ?? "", /the log has/);
  }
  assert.match(differenceOf(recorded, again.slice(1)) ?? "", /now it is/);
  assert.match(differenceOf(recorded, [...again, "more"]) ?? "", /nothing more/);
  assert.equal(
    differenceOf(["deno  2.9.6, 2 threads"], ["deno  2.9.6, 64 threads"], true),
    undefined,
  );
});
