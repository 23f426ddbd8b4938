/** What one step of the adversarial game changes, and what it must not change. */
import assert from "node:assert/strict";
import { meanAbsoluteDifference } from "../../../backends/ops.ts";
import { syntheticHeads } from "../../../datasets/synthetic.ts";
import { episodes } from "../../../datasets/sample.ts";
import { discriminatorGradients, generatorGradients } from "../../../models/adversarial.ts";
import { effectiveWeights, type Tensors } from "../../../models/parameters.ts";
import { type Preset, presets } from "../../../models/presets.ts";
import { runCollect, take, through } from "../../../pipeline/core/flow.ts";
import type { Backend } from "../../../pipeline/core/env.ts";
import { makeEnv } from "../../../pipeline/core/env.ts";
import { F, TE } from "../../../pipeline/core/fp.ts";
import type { Owned } from "../../../pipeline/core/owned.ts";
import {
  adversarialStep,
  rampAt,
  rateFactor,
} from "../../../pipeline/programs/adversarial_step.ts";
import {
  type DeviceStep,
  landmarkMaps,
  toDevice,
} from "../../../pipeline/programs/device_batch.ts";
import { loadContentNetworks } from "../../../models/content_loss.ts";
import { createTrainState, type TrainState } from "../../../pipeline/programs/train_state.ts";
import { expectRight, numbersOf, onBackend } from "../../models/support.ts";

const people = syntheticHeads({
  size: 16,
  identities: 4,
  videos: 1,
  framesPerVideo: 6,
  heldOut: 1,
});
const base = presets["test-16"];

const presetWith = (training: Partial<Preset["training"]>): Preset => ({
  ...base,
  training: { ...base.training, ...training },
});

const stepOn = async (
  backend: Backend,
  { batch, accumulate }: { readonly batch: number; readonly accumulate: number },
): Promise<Owned<DeviceStep>> => {
  const [step] = await expectRight(
    F.pipe(
      episodes(people, { shots: 2, batch }),
      through(landmarkMaps),
      through(toDevice(accumulate)),
      take(1),
      runCollect,
    )(makeEnv({ backend })),
  );
  assert.ok(step);
  return step;
};

const read = async (tensors: Tensors): Promise<Record<string, Float32Array>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(tensors).map(async ([name, tensor]) => [name, await numbersOf(tensor)]),
    ),
  );

const snapshot = async ({ value }: Owned<TrainState>) => ({
  generator: await read(value.generator.network.parameters),
  discriminator: await read(value.discriminator.network.parameters),
});

/** One step with a preset, and what the parameters were before and after. */
const changes = async (
  backend: Backend,
  preset: Preset,
  sizes = { batch: 2, accumulate: 1 },
) => {
  const env = makeEnv({ backend });
  using state = await expectRight(createTrainState(preset, people.train.length)(env));
  using content = await expectRight(loadContentNetworks(preset.training.content)(env));
  const before = await snapshot(state);
  const step = await stepOn(backend, sizes);
  using report = await expectRight(adversarialStep(preset, content.value, state)(step)(env));
  const values = await numbersOf(report.value.values);
  const after = await snapshot(state);
  const figures = Object.fromEntries(report.value.names.map((name, i) => [name, values[i] ?? NaN]));
  return { before, after, figures };
};

const moved = (
  before: Record<string, Float32Array>,
  after: Record<string, Float32Array>,
): readonly string[] =>
  Object.keys(before).filter((name) =>
    before[name]?.some((value, i) => !Object.is(value, after[name]?.[i]))
  );

Deno.test("a step moves every parameter of E, G, P and D", () =>
  onBackend("wasm", async (backend) => {
    const { before, after } = await changes(backend, base);
    const still = [
      ...Object.keys(before.generator).filter((name) =>
        !moved(before.generator, after.generator).includes(name)
      ),
      ...Object.keys(before.discriminator).filter((name) =>
        !moved(before.discriminator, after.discriminator).includes(name)
      ),
    ];
    // gamma starts at 0, so what it multiplies has no gradient yet.
    assert.deepEqual(still.filter((name) => !name.includes("/attention")), []);
  }));

Deno.test("with the generator's rate at 0 D still learns, and the other way round", () =>
  onBackend("wasm", async (backend) => {
    const frozenG = await changes(backend, presetWith({ generatorRate: 0 }));
    assert.deepEqual(moved(frozenG.before.generator, frozenG.after.generator), []);
    assert.ok(moved(frozenG.before.discriminator, frozenG.after.discriminator).length > 10);
    const frozenD = await changes(backend, presetWith({ discriminatorRate: 0 }));
    assert.deepEqual(moved(frozenD.before.discriminator, frozenD.after.discriminator), []);
    assert.ok(moved(frozenD.before.generator, frozenD.after.generator).length > 10);
  }));

Deno.test("each side's gradients name its own parameters only", () =>
  onBackend("wasm", async (backend) => {
    using state = await expectRight(createTrainState(base, 3)(makeEnv({ backend })));
    using step = await stepOn(backend, { batch: 1, accumulate: 1 });
    const names = await expectRight(F.pipe(
      backend.run("gradients", () => {
        const { generator, discriminator } = state.value;
        const [batch] = step.value.parts;
        assert.ok(batch);
        const model = {
          architecture: base.architecture,
          pooling: "sum-relu",
          gain: "raw",
        } as const;
        const rows = discriminator.network.parameters["D/w0"]?.reshape([1, 8]);
        assert.ok(rows);
        const weights = { adversarial: 1, featureMatching: 10, match: 1, matchRows: true };
        const made = generatorGradients(
          model,
          generator.network,
          effectiveWeights(discriminator.network),
          batch,
          rows,
          (fake) => ({ pixels: meanAbsoluteDifference(fake, batch.target) }),
          weights,
        );
        const judged = discriminatorGradients(
          model,
          discriminator.network,
          batch,
          rows,
          made,
          weights,
        );
        return [Object.keys(made.gradients), Object.keys(judged.gradients)];
      }),
      TE.map(([g = [], d = []]) => ({ g, d })),
    ));
    assert.ok(names.g.length > 40 && names.g.every((name) => /^[EGP]\//.test(name)));
    assert.ok(names.d.length > 20 && names.d.every((name) => /^D\//.test(name)));
    assert.ok(names.d.includes("D/W"));
  }));

Deno.test("two parts of one sequence make the update of one part of two", () =>
  onBackend("wasm", async (backend) => {
    // L1 means over a batch of equal parts are means of the parts' means.
    const whole = await changes(backend, base, { batch: 2, accumulate: 1 });
    const parts = await changes(backend, base, { batch: 2, accumulate: 2 });
    for (const name of ["content/pixels", "discriminator", "generatorGradient"]) {
      const a = whole.figures[name] ?? NaN, b = parts.figures[name] ?? NaN;
      assert.ok(Math.abs(a - b) < 1e-4 * Math.abs(a), `${name}: ${a} and ${b}`);
    }
  }));

Deno.test("an infinite batch changes nothing and is reported", () =>
  onBackend("wasm", async (backend) => {
    const { before, after, figures } = await changes(
      backend,
      presetWith({ content: [{ network: "pixels", taps: [], weight: 3e38 }], generatorRate: 1 }),
    );
    assert.equal(figures.generatorFinite, 0);
    assert.deepEqual(moved(before.generator, after.generator), []);
    assert.equal(figures.discriminatorFinite, 1);
  }));

Deno.test("ramps and rates follow their schedule", () => {
  const ramp = { start: 0, end: 2, from: 100, to: 200 };
  assert.deepEqual([0, 100, 150, 200, 900].map((step) => rampAt(ramp, step)), [0, 0, 1, 2, 2]);
  const training = { ...base.training, steps: 100, rateDecay: { from: 0.5, to: 0.1 } };
  assert.equal(rateFactor(training, 50), 1);
  assert.ok(Math.abs(rateFactor(training, 75) - 0.55) < 1e-12);
  assert.ok(Math.abs(rateFactor(training, 100) - 0.1) < 1e-12);
  assert.equal(rateFactor({ ...training, rateDecay: { from: 1, to: 1 } }, 99), 1);
});
