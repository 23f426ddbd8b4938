/** The example runs, and what is its own in it has its effect. */
import assert from "node:assert/strict";
import { train } from "../../examples/custom_pipeline.ts";
import { makeEnv, syntheticHeads } from "../../mod.ts";
import { expectRight, onBackend } from "../models/support.ts";

const heads = syntheticHeads({ size: 16, identities: 6, framesPerVideo: 6, heldOut: 2 });

Deno.test("examples/custom_pipeline.ts trains, logs every step and frees its tensors", () =>
  onBackend("wasm", async (backend) => {
    const rows: number[] = [], lines: string[] = [];
    const watched = {
      ...heads,
      read: (...[sequence, indices]: Parameters<typeof heads.read>) => {
        rows.push(heads.train.indexOf(sequence));
        return heads.read(sequence, indices);
      },
    };
    const before = backend.tensors();
    const run = train(watched, 3, (line) => lines.push(line));
    const figures = await expectRight(run(makeEnv({ backend, seed: 1 })));
    assert.equal(backend.tensors(), before);
    assert.equal(rows.length, 3);
    rows.forEach((row, step) => assert.ok(row < 2 + step, `step ${step} drew row ${row}`));
    assert.deepEqual(lines.map((line) => line.slice(0, 7)), ["step 1:", "step 2:", "step 3:"]);
    assert.ok(figures.every((of) => Object.values(of).every(Number.isFinite)));
    // With the preset's weight of 10 it would be about 7.
    assert.ok((figures[0]?.["content/pixels"] ?? 0) > 12, "the content loss has another weight");
  }));
