/** The soak of `deno task soak`, short: a healthy run passes, one that leaks does not. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { growthOf, type Look, problemsOf } from "./soak.ts";

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** What a short soak in a process of its own says, and what its log holds. */
const soak = async (...args: readonly string[]) => {
  const folder = await Deno.makeTempDir({ prefix: "headshot-soak-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", "--v8-flags=--expose-gc", "--config"],
        ...[path("../../deno.json"), path("./soak.ts"), "--preset", "test-16", "--steps", "60"],
        ...["--every", "4"],
        ...["--folder", folder, ...args],
      ],
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    const log = await Deno.readTextFile(`${folder}/soak.jsonl`);
    return { code, said: text(stdout) + text(stderr), log };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

Deno.test("a soak of 60 steps: tensors and memory stay flat, every look is in the log", async () => {
  const { code, said, log } = await soak();
  assert.equal(code, 0, said);
  assert.match(said, /Healthy: tensors and memory flat/);
  assert.ok(log.split("\n").filter((line) => line.includes('"_tag":"Look"')).length >= 15);
});

Deno.test("a soak of a step that forgets a tensor and 4 MiB says both, and names the stage", async () => {
  const { code, said } = await soak("--plant", "leaks");
  assert.equal(code, 1, said);
  assert.match(said, /Not healthy: tensors grow from \d+ to \d+/);
  assert.match(said, /Not healthy: memory grows by 1\d\d MiB, expected at most 64/);
  assert.match(said, /LeakSuspected.*"stage":"training step"/);
});

Deno.test("a collapse, a rollback and a noise without a trend are told apart", () => {
  const looks = (change: (look: Look) => Partial<Look>): readonly Look[] =>
    Array.from({ length: 30 }, (_, i) => {
      const resident = 500 + 20 * Math.sin(7 * i);
      const look = { step: 50 * i, tensors: 90, resident, spread: 40, saturated: 0.1, l1: 0.2 };
      return { ...look, ...change(look) };
    });
  assert.deepEqual(problemsOf(looks(() => ({})), []), []);
  assert.match(
    problemsOf(looks(({ step }) => ({ resident: 500 + step / 10 })), [])[0] ?? "",
    /memory/,
  );
  assert.match(
    problemsOf(looks(({ step }) => ({ spread: step > 900 ? 1 : 40 })), [])[0] ?? "",
    /spread/,
  );
  assert.deepEqual(problemsOf(looks(({ step }) => ({ spread: step < 300 ? 1 : 40 })), []), []);
  const back = { _tag: "RolledBack", step: 9, reason: "it died", rollbacks: 1 } as const;
  assert.match(problemsOf(looks(() => ({})), [back])[0] ?? "", /it died/);
  assert.ok(Math.abs(growthOf([[0, 1], [1, 3], [2, 5]]) - 4) < 1e-12);
});
