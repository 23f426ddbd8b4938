/** The estimate of a step's memory against peaks that were measured, and against one that is. */
import assert from "node:assert/strict";
import { tf } from "../../backends/tf.ts";
import { comparable, metaStepSeconds } from "../../bench/networks.ts";
import { type Preset, type PresetName, presets } from "../../models/presets.ts";
import { stepMemory } from "../../models/step_memory.ts";
import { makeEnv } from "../../pipeline/core/env.ts";
import { estimateFactor } from "../../pipeline/programs/memory_check.ts";
import { onBackend } from "./support.ts";

type Content = "pixels" | "own";

const presetWith = (name: PresetName, shots: number, batch: number, content: Content): Preset => {
  const preset = comparable(presets[name], { shots, batch });
  return content === "pixels" ? preset : {
    ...preset,
    training: { ...preset.training, content: presets[name].training.content },
  };
};

/**
 * The heap of wasm in MB after two steps on noise with two updates of D, as it was measured on
 * 2026-11-23 (two threads; the VGGs of paper-256 with random weights).
 */
const measured: readonly (readonly [PresetName, number, number, Content, number])[] = [
  ["toy-64", 1, 1, "pixels", 125],
  ["toy-64", 8, 1, "pixels", 151],
  ["toy-64", 4, 4, "pixels", 260],
  ["toy-64", 4, 4, "own", 312],
  ["toy-64", 16, 4, "pixels", 470],
  ["small-128", 1, 1, "pixels", 764],
  ["small-128", 8, 1, "pixels", 777],
  ["small-128", 4, 4, "pixels", 1386],
  ["paper-256", 8, 1, "own", 3636],
];

const within = (what: string, megabytes: number, preset: Preset): void => {
  const ratio = megabytes / (stepMemory(preset).total / 1e6);
  assert.ok(
    ratio < estimateFactor && ratio > 1 / estimateFactor,
    `${what}: ${megabytes} MB are ${ratio.toFixed(2)} times the estimate`,
  );
};

Deno.test("the estimate is within the stated factor of every peak that was measured", () => {
  for (const [name, shots, batch, content, megabytes] of measured) {
    within(`${name}, K ${shots}, B ${batch}`, megabytes, presetWith(name, shots, batch, content));
  }
});

Deno.test("the estimate is within the stated factor of the heap that a step has here", () =>
  onBackend("wasm", async (backend) => {
    const preset = presetWith("toy-64", 2, 2, "own");
    await metaStepSeconds(makeEnv({ backend }), preset, {
      ...{ runs: 1, warmUpSeconds: 0, mostSeconds: 0 },
    });
    const { wasm } = tf.backend() as unknown as { readonly wasm: { readonly HEAPU8: Uint8Array } };
    within("toy-64, K 2, B 2", wasm.HEAPU8.byteLength / 1e6, preset);
  }));

Deno.test("more of anything takes more, parts of a batch take less than the batch", () => {
  const total = (training: Partial<Preset["training"]>): number =>
    stepMemory({
      architecture: presets["small-128"].architecture,
      training: { ...presets["small-128"].training, ...training },
    }).total;
  const base = total({});
  assert.ok(total({ shots: 8 }) > base);
  assert.ok(total({ batch: 8 }) > base);
  assert.ok(total({ batch: 2, accumulate: 2 }) < base);
  assert.ok(total({ content: [{ network: "pixels", taps: [], weight: 1 }] }) < base);
  assert.ok(total({ batch: 1, shots: 1, discriminatorSteps: 4 }) > total({ batch: 1, shots: 1 }));
});

Deno.test("the largest tensor is the one that a GPU with the guaranteed limits can just bind", () => {
  const { largest } = stepMemory(presets["paper-256"]);
  assert.deepEqual(largest, { where: "E/block0/conv1", bytes: 8 * 256 * 256 * 64 * 4 });
  assert.equal(largest.bytes, 128 * 2 ** 20);
});
