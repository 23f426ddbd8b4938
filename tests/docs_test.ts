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
    "docs/pipeline.md",
    "CONTRIBUTING.md",
    "docs/user_study.md",
    "docs/walkthrough.md",
  ];
  for (const document of documents) {
    for (
      const [, task = ""] of (await read(document)).matchAll(/\b(?:deno|2\.9\.6) task ([\w:-]+)/g)
    ) {
      assert.ok(task in tasks, `${document}: deno task ${task}`);
    }
  }
});

/** The boxes of a document's pictures: name and file. */
const boxesOf = (text: string): readonly (readonly [name: string, file: string])[] =>
  [...text.matchAll(/[[(]"(\w+)<br\/>([\w./]+)"[\])]/g)].map(([, name = "", file = ""]) => [
    name,
    file,
  ]);

Deno.test("the pictures of the pipelines: every box is an export of its file", async () => {
  const boxes = boxesOf(await read("docs/pipeline.md"));
  assert.ok(boxes.length > 25, `${boxes.length} boxes`);
  for (const [name, file] of boxes) {
    assert.match(await read(file), new RegExp(`export (const|interface) ${name}\\b`), name);
  }
});

Deno.test("the picture of meta-learning has the stages of the code in the code's order", async () => {
  const [, picture = ""] = (await read("docs/pipeline.md")).split("```mermaid");
  const code = await read("pipeline/programs/learn.ts");
  const [, pipe = ""] = /return F\.pipe\(([^]*?)\)\(\{ \.\.\.env/.exec(code) ?? [];
  // The step is that of the method which is trained: of the paper's own it is adversarialStep.
  const stages = [...pipe.matchAll(/^ {6}(?:through\()?(?:accounted\([^)]*\)\()?([\w.]+)/gm)]
    .map(([, name = ""]) => name.replace("training.value.step", "adversarialStep"))
    .filter((name) => name !== "runFold");
  const drawn = boxesOf(picture).map(([name]) => name).slice(1, -2);
  assert.deepEqual(drawn, stages);
});
