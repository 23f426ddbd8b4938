/**
 * Without their `@ts-expect-error` the type tests have an error in the line after each of them and
 * nowhere else: so with them they hold, and each of them can fail.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const files = ["stage_types.ts", "flow_types.ts", "person_types.ts"];
const root = new URL("../../", import.meta.url);

const check = async (paths: readonly string[]): Promise<{ ok: boolean; said: string }> => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--config", fileURLToPath(new URL("deno.json", root)), ...paths],
    env: { NO_COLOR: "1" },
    stderr: "piped",
    stdout: "null",
  }).output();
  return { ok: success, said: new TextDecoder().decode(stderr) };
};

Deno.test("each expected error is there", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const expected: string[] = [];
    for (const file of files) {
      const source = await Deno.readTextFile(new URL(file, import.meta.url));
      source.split("\n").forEach((line, i) => {
        if (line.includes("// @ts-expect-error")) expected.push(`${file}:${i + 2}`);
      });
      const bare = source.replaceAll("// @ts-expect-error", "//")
        .replaceAll('"../../', `"${root.href}`)
        .replaceAll('"@std/testing/types"', `"${root.href}vendor/std-testing/types.ts"`);
      await Deno.writeTextFile(`${folder}/${file}`, bare);
    }
    const { ok, said } = await check(files.map((file) => `${folder}/${file}`));
    assert.ok(!ok);
    const found = [...said.matchAll(/^ {4}at .*\/(\w+\.ts):(\d+):\d+$/gm)]
      .map(([, file, line]) => `${file}:${line}`);
    assert.ok(expected.length > 20);
    assert.deepEqual([...new Set(found)].sort(), expected.sort());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
