/** What the documents name is there: files, exported names, tasks. */
import assert from "node:assert/strict";

const read = (path: string): Promise<string> =>
  Deno.readTextFile(new URL(`../${path}`, import.meta.url));

const names = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? []);

Deno.test("from paper to code: every file has the names that the table gives it", async () => {
  const rows = (await read("docs/paper_to_code.md")).split("\n")
    .filter((line) => line.startsWith("| ")).map((line) => line.split("|").slice(1, -1))
    .filter(([, file = ""]) => file.includes("`"));
  assert.ok(rows.length > 25);
  for (const [what, files = "", symbols = ""] of rows) {
    const texts = (await Promise.all(names(files).map(read))).join("\n");
    for (const symbol of names(symbols)) {
      assert.match(texts, new RegExp(`export const ${symbol}\\b`), `${what}: ${symbol}`);
    }
  }
});

Deno.test("every task that the documents run exists", async () => {
  const { tasks } = JSON.parse(await read("deno.json")) as { tasks: Record<string, unknown> };
  const documents = [
    "README.md",
    "docs/paper_to_code.md",
    "docs/troubleshooting.md",
    "docs/bring_your_data.md",
    "docs/model_card.md",
    "docs/user_study.md",
  ];
  for (const document of documents) {
    for (
      const [, task = ""] of (await read(document)).matchAll(/\b(?:deno|2\.9\.6) task ([\w:-]+)/g)
    ) {
      assert.ok(task in tasks, `${document}: deno task ${task}`);
    }
  }
});
