/** A damaged checkpoint is skipped for the one before it, and told. */
import assert from "node:assert/strict";
import { E } from "../../../pipeline/core/fp.ts";
import { writeNew } from "../../../pipeline/programs/checkpoint/durable.ts";
import { latestCheckpoint, loadCheckpoint } from "../../../pipeline/programs/checkpoint/load.ts";
import { saveCheckpoint } from "../../../pipeline/programs/checkpoint/store.ts";
import {
  contentOf,
  flipBit,
  inFolder,
  namesIn,
  newRun,
  patchMeta,
  rightOf,
  save,
  testEnv,
} from "./bench.ts";

const both = ["weights", "state"] as const;

const damages: Readonly<Record<string, readonly [(path: string) => void, RegExp]>> = {
  "weights cut short": [
    (path) => Deno.truncateSync(`${path}/weights.safetensors`, 100),
    /weights\.safetensors has 100 bytes, expected \d+/,
  ],
  "an empty state": [
    (path) => Deno.truncateSync(`${path}/state.safetensors`, 0),
    /state\.safetensors has 0 bytes/,
  ],
  "a grown state": [
    (path) => Deno.writeFileSync(`${path}/state.safetensors`, new Uint8Array(9), { append: true }),
    /state\.safetensors: it has more than \d+ bytes/,
  ],
  "a bit flipped in the last weight": [
    (path) => flipBit(`${path}/weights.safetensors`, -1),
    /weights\.safetensors is damaged: its SHA-256 is not the one in meta\.json/,
  ],
  "a bit flipped in the state's header": [
    (path) => flipBit(`${path}/state.safetensors`, 12),
    /state\.safetensors is damaged/,
  ],
  "weights gone": [
    (path) => Deno.removeSync(`${path}/weights.safetensors`),
    /weights\.safetensors: it does not exist/,
  ],
  "no meta.json": [(path) => Deno.removeSync(`${path}/meta.json`), /meta\.json: it does not exist/],
  "half a meta.json": [
    (path) => Deno.truncateSync(`${path}/meta.json`, 50),
    /its meta\.json is not JSON/,
  ],
  "a meta.json with a wrong hash": [
    (path) => patchMeta(path, { files: { weights: { bytes: 1, sha256: "x" } } }),
    /Cannot use meta\.json: files\.weights\.sha256 is "x", expected a SHA-256 in hex/,
  ],
  "the meta.json of another step": [
    (path) => patchMeta(path, { step: 7 }),
    /its meta\.json is of step 7/,
  ],
};
for (const [name, [damage, expected]] of Object.entries(damages)) {
  Deno.test(`skipped for the one before, and told: ${name}`, async () => {
    await inFolder(async (folder) => {
      using run = await newRun(`${folder}/run`);
      await save(run, 100);
      const broken = await save(run, 200);
      damage(broken);
      for (
        const read of [
          latestCheckpoint,
          (path: string) => loadCheckpoint(both)(path),
        ]
      ) {
        const env = testEnv();
        const found = rightOf(await read(run.path)(env)());
        assert.equal(found?.meta.step, 100);
        const [event] = env.events;
        assert.ok(env.events.length === 1 && event?._tag === "CheckpointSkipped");
        assert.equal(event.path, broken);
        assert.match(event.message, /^Cannot use checkpoint .*step-000200: /);
        assert.match(event.message, expected);
      }
      // Saving step 200 again, as a resumed run does, replaces it.
      await save(run, 200);
      assert.equal(rightOf(await latestCheckpoint(run.path)(testEnv())())?.meta.step, 200);
      assert.deepEqual(namesIn(`${run.path}/checkpoints`), ["step-000100", "step-000200"]);
    });
  });
}

Deno.test("a newer format is refused, never passed over for an older one, never replaced", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    await save(run, 100);
    const newer = await save(run, 200);
    patchMeta(newer, { format: 3 });
    flipBit(`${await save(run, 300)}/weights.safetensors`, -1); // broken: passed over as ever
    const kept = await Deno.readTextFile(`${newer}/meta.json`);
    const expected =
      /^Cannot use checkpoint .*step-000200: it was written in format 3, this build reads up to 1, /;
    for (const read of [latestCheckpoint, loadCheckpoint(both)]) {
      const env = testEnv(), found = await read(run.path)(env)();
      assert.ok(E.isLeft(found));
      assert.match(found.left.message, expected);
      assert.equal(env.events.length, 1, "only the broken one is passed over");
    }
    const saved = await saveCheckpoint(run)(contentOf(200))(testEnv())();
    assert.ok(E.isLeft(saved));
    assert.match(saved.left.message, /one is there and it was written in format 3/);
    assert.equal(await Deno.readTextFile(`${newer}/meta.json`), kept);
    await save(run, 400); // what is newest counts
    assert.equal(rightOf(await latestCheckpoint(run.path)(testEnv())())?.meta.step, 400);
  });
});

Deno.test("where all are broken there is an error that says so", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    for (const step of [1, 2]) flipBit(`${await save(run, step)}/state.safetensors`, -1);
    for (const read of [latestCheckpoint, loadCheckpoint(both)]) {
      const found = await read(run.path)(testEnv())();
      assert.ok(E.isLeft(found));
      assert.match(
        found.left.message,
        /none of its 2 is whole \(the newest: .*step-000002: state\.safetensors is damaged/,
      );
    }
    // The weights alone are good: driving does not need the state.
    assert.equal(rightOf(await loadCheckpoint(["weights"])(run.path)(testEnv())()).meta.step, 2);
  });
});

Deno.test("hashes that fit a bad file do not make it good", async () => {
  await inFolder(async (folder) => {
    using run = await newRun(`${folder}/run`);
    const path = await save(run, 1);
    const bytes = Uint8Array.of(0x80, 2, 0x7d, 0x71, 0, 0x2e, 0, 0, 0, 0);
    await Deno.remove(`${path}/weights.safetensors`);
    const weights = rightOf(await writeNew(`${path}/weights.safetensors`, [bytes])());
    patchMeta(path, { files: { weights, state: { bytes: 0, sha256: "0".repeat(64) } } });
    const loaded = await loadCheckpoint(["weights"])(run.path)(testEnv())();
    assert.ok(E.isLeft(loaded));
    assert.match(loaded.left.message, /it is a Python pickle/);
  });
});
