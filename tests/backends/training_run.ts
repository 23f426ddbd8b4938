/** A training run of the stage itself, the same on every backend. */
import assert from "node:assert/strict";
import type { Tensor } from "../../backends/tf.ts";
import { loadContentNetworks } from "../../models/content_loss.ts";
import { type Preset, type PresetName, presets } from "../../models/presets.ts";
import type { Backend } from "../../pipeline/core/env.ts";
import { type Owned, owned } from "../../pipeline/core/owned.ts";
import { makeRng } from "../../pipeline/core/rng.ts";
import { adversarialStep } from "../../pipeline/programs/adversarial_step.ts";
import type { DeviceStep } from "../../pipeline/programs/device_batch.ts";
import { createTrainState, type TrainState } from "../../pipeline/programs/train_state.ts";
import { assertAgree, distances, livingOf, type Results, succeed } from "./conformance.ts";
import { batchOf, readAll } from "./whole_step.ts";

/** A training run of a preset on made-up pictures. */
export interface Run {
  readonly state: Owned<TrainState>;
  /** Makes one step of `adversarialStep`; gives its figures. */
  readonly step: () => Promise<Results>;
  /** Everything that training changes. */
  readonly results: () => Promise<Results>;
}

/** Starts a training run from seeded networks. */
export const startRun = async (
  backend: Backend,
  name: PresetName,
  shots: number,
): Promise<Run> => {
  const preset: Preset = presets[name], { size } = preset.architecture;
  const env = { backend, rng: makeRng(5) };
  const state = await succeed(createTrainState(preset, 3)(env));
  const content = await succeed(
    loadContentNetworks([{ network: "pixels", taps: [], weight: 10 }])(env),
  );
  const step = async (): Promise<Results> => {
    const batch = await succeed(backend.run("batch", (): DeviceStep => ({
      step: state.value.step,
      rows: [1],
      parts: [batchOf(size, shots)],
    })));
    const report = await succeed(
      adversarialStep(preset, content.value, state)(owned(batch, backend.dispose))(env),
    );
    const { figures = new Float32Array() } = await readAll(backend, {
      figures: report.value.values,
    });
    const found = Object.fromEntries(
      report.value.names.map((name, i) => [`figure ${name}`, figures.slice(i, i + 1)]),
    );
    report[Symbol.dispose]();
    return found;
  };
  const results = (): Promise<Results> => {
    const { generator, discriminator, average, pending } = state.value;
    const named = (prefix: string, tensors: Readonly<Record<string, Tensor>>) =>
      Object.fromEntries(Object.entries(tensors).map(([name, x]) => [`${prefix}/${name}`, x]));
    return readAll(backend, {
      ...named("generator", generator.network.parameters),
      ...named("discriminator", discriminator.network.parameters),
      ...named("u", { ...generator.network.spectral, ...discriminator.network.spectral }),
      ...named("average", average),
      ...Object.fromEntries(pending.map(({ values }, i) => [`rows/${i}`, values])),
    });
  };
  return { state, step, results };
};

/** One step of the stage on two backends: same figures, and what training changes stays together. */
export const assertRunsAgree = async (
  reference: Backend,
  backend: Backend,
  name: PresetName,
): Promise<void> => {
  const steps = [];
  for (const one of [reference, backend]) {
    const run = await startRun(one, name, 2);
    const figures = await run.step(), results = await run.results();
    run.state[Symbol.dispose]();
    steps.push({ figures, results });
  }
  const [expected, found] = steps;
  assert.ok(expected && found);
  assertAgree(expected.figures, found.figures, "step");
  // Adam divides a gradient by its own size: where the true one is 0, before a norm, noise moves.
  const errors = distances(expected.results, found.results).map(({ error }) => error);
  errors.sort((a, b) => a - b);
  assert.ok((errors[errors.length >> 1] ?? NaN) < 1e-6, `median ${errors[errors.length >> 1]}`);
  assert.ok((errors.at(-1) ?? NaN) < 2e-3, `worst ${errors.at(-1)}`);
};

/** Trains for some steps: after the first one the number of living tensors must not change. */
export const assertRunFlat = async (
  backend: Backend,
  name: PresetName,
  steps: number,
): Promise<void> => {
  const run = await startRun(backend, name, 2), living: string[] = [];
  for (let i = 0; i < steps; i++) {
    const figures = await run.step();
    for (const [figure, values] of Object.entries(figures)) {
      assert.ok(values.every(Number.isFinite), `${figure} at step ${i}`);
    }
    living.push(livingOf(backend));
  }
  assert.deepEqual([...new Set(living.slice(1))], living.slice(1, 2));
  run.state[Symbol.dispose]();
};
