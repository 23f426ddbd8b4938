/** Few-shot learning: what it starts from, what a step changes, what driving runs. */
import assert from "node:assert/strict";
import { tf } from "../../../backends/tf.ts";
import { discriminate, discriminatePerson } from "../../../models/discriminator.ts";
import { coefficientsName, generatePerson } from "../../../models/few_shot.ts";
import { exactUpdates, fineTunings } from "../../../models/fine_tuning.ts";
import { generate, generateFolded } from "../../../models/generator.ts";
import { loadContentNetworks } from "../../../models/content_loss.ts";
import { effectiveWeights, plainWeights, type Tensors } from "../../../models/parameters.ts";
import type { Env } from "../../../pipeline/core/env.ts";
import { collect } from "../../../pipeline/core/sinks.ts";
import type { Owned } from "../../../pipeline/core/owned.ts";
import { imagesToTensor, mapFrame } from "../../../pipeline/programs/device_batch.ts";
import { embedPerson } from "../../../pipeline/programs/embed.ts";
import {
  type FewShotState,
  fewShotStep,
  paintNow,
  uploadFrames,
} from "../../../pipeline/programs/few_shot_step.ts";
import { startFewShot } from "../../../pipeline/programs/few_shot_start.ts";
import { fineTune } from "../../../pipeline/programs/fine_tune.ts";
import { encodePerson } from "../../../pipeline/programs/person_file.ts";
import { modelOf } from "../../../pipeline/programs/person.ts";
import { openPerson, renderLandmarks } from "../../../pipeline/programs/render.ts";
import { modelFrom, uploadModel } from "../../../pipeline/programs/trained_model.ts";
import { expectRight, numbersOf, onBackend, relativeDifference } from "../../models/support.ts";
import { envOf, framesOf, untrainedModel } from "./few_shot_support.ts";

const settings = fineTunings["test-16"];

const readAll = async (tensors: Tensors): Promise<Readonly<Record<string, Float32Array>>> => {
  const entries = Object.entries(tensors).map(async ([name, tensor]) =>
    [name, await numbersOf(tensor)] as const
  );
  return Object.fromEntries(await Promise.all(entries));
};

const worst = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);

for (const gain of ["raw", "one-plus"] as const) {
  Deno.test(`before the first step G′ paints as G and D′ scores as D with W_i = ê (${gain})`, () =>
    onBackend("wasm", async (backend) => {
      const env = envOf(backend), frames = await framesOf(3);
      const trained = await untrainedModel(env, gain), model = modelFrom(trained.config);
      const person = await expectRight(embedPerson(trained)(frames)(env));
      using state = await expectRight(startFewShot(trained)(person.embedding)(env));
      const made = await expectRight(backend.run("both", () => {
        const { generator, discriminator } = uploadModel(trained);
        const images = imagesToTensor(frames.map(({ image }) => image));
        const maps = imagesToTensor(frames.map((frame) => mapFrame(frame).map));
        const e = tf.tile(tf.tensor2d(person.embedding, [1, person.embedding.length]), [3, 1]);
        const { architecture, pooling } = model;
        const d = effectiveWeights(discriminator);
        const own = effectiveWeights(state.value.discriminator.network);
        return {
          fake: generate(effectiveWeights(generator), architecture, maps, e, model.gain),
          own: generatePerson(effectiveWeights(state.value.generator.network), model, maps),
          average: paintNow(model, state.value, maps),
          score: discriminate(d, architecture, images, maps, e, pooling).score,
          ownScore: discriminatePerson(own, architecture, images, maps, pooling).score,
          general: discriminate(d, architecture, images, maps, tf.zerosLike(e), pooling).score,
        };
      }));
      const { fake, own, average, score, ownScore, general } = await readAll(made);
      assert.ok(fake && own && average && score && ownScore && general);
      assert.ok(worst(own, fake) < 1e-5, `frames differ by ${worst(own, fake)}`);
      // The average starts there too; its u has come further in the meantime.
      assert.ok(worst(average, fake) < 1e-3, `averages differ by ${worst(average, fake)}`);
      assert.ok(worst(ownScore, score) < 1e-5, `scores differ by ${worst(ownScore, score)}`);
      assert.ok(worst(general, score) > 1e-3, "ê has no part in the score: the test says nothing");
      backend.dispose(made);
    }));
}

const oneStep = async (env: Env, state: Owned<FewShotState>, count: number): Promise<void> => {
  const trained = await untrainedModel(env);
  using content = await expectRight(loadContentNetworks(trained.config.training.content)(env));
  using frames = await expectRight(
    uploadFrames(content.value, settings)(await framesOf(count))(env),
  );
  const model = modelFrom(trained.config);
  const context = { model, settings, steps: 4, content: content.value, frames };
  using _report = await expectRight(
    fewShotStep(context, state)(Array.from({ length: count }, (_, i) => i))(env),
  );
};

Deno.test("one step changes ψ, ψ′, θ, w′ and b, and has neither E nor P to change", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), trained = await untrainedModel(env);
    const person = await expectRight(embedPerson(trained)(await framesOf(2))(env));
    const untouched = JSON.stringify(Array.from(trained.weights["E/block0/conv1/kernel"]!.data));
    using state = await expectRight(startFewShot(trained)(person.embedding)(env));
    const look = async () => ({
      ...await readAll(state.value.generator.network.parameters),
      ...await readAll(state.value.discriminator.network.parameters),
    });
    const before = await look();
    await oneStep(env, state, 2);
    const after = await look(), names = Object.keys(after);
    assert.ok(names.includes(coefficientsName) && names.includes("D/w"));
    assert.ok(!names.some((name) => /^[EP]\/|^D\/(w0|W)/.test(name)), names.join());
    // f, g and h of self-attention have no gradient while its gamma is 0.
    const still = names.filter((name) => worst(after[name]!, before[name]!) === 0)
      .filter((name) => !/attention.*\/[fgh]\//i.test(name));
    // A bias that feeds an instance norm has no effect, and a dead ReLU stops a gradient.
    assert.ok(still.length <= names.length / 10, `unchanged: ${still.join()}`);
    for (const name of [coefficientsName, "D/w", "D/b", "G/head/kernel", "D/res/conv1/kernel"]) {
      assert.ok(worst(after[name]!, before[name]!) > 0, `${name} is unchanged`);
    }
    assert.equal(
      JSON.stringify(Array.from(trained.weights["E/block0/conv1/kernel"]!.data)),
      untouched,
    );
  }));

Deno.test("driving folded networks gives the frames of the unfolded ones", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(4);
    for (const gain of ["raw", "one-plus"]) {
      const trained = await untrainedModel(env, gain);
      const person = await expectRight(embedPerson(trained)(frames.slice(0, 2))(env));
      using folded = await expectRight(openPerson(person)(env));
      const painted = await expectRight(
        renderLandmarks(folded)(frames.map(({ landmarks }) => landmarks))(env),
      );
      const { architecture } = modelOf(person);
      const made = await expectRight(backend.run("unfolded", () => {
        const maps = imagesToTensor(frames.map((frame) => mapFrame(frame).map));
        const e = tf.tensor2d(person.embedding, [1, person.embedding.length]);
        const weights = effectiveWeights(uploadModel(trained).generator);
        return {
          unfolded: generate(weights, architecture, maps, tf.tile(e, [4, 1]), person.gain),
          driven: generateFolded(
            plainWeights(folded.value.weights),
            architecture,
            maps,
            folded.value.affines,
          ),
        };
      }));
      const { unfolded, driven } = await readAll(made);
      assert.ok(unfolded && driven);
      backend.dispose(made);
      assert.ok(worst(driven, unfolded) < 1e-4, `${gain}: ${worst(driven, unfolded)}`);
      const bytes = painted.flatMap(({ data }) => Array.from(data));
      // Rounded to bytes: half a level of 255 at most, 1 / 255 in [-1, 1].
      const error = bytes.reduce(
        (most, byte, i) => Math.max(most, Math.abs(byte / 127.5 - 1 - (unfolded[i] ?? NaN))),
        0,
      );
      assert.ok(error < 0.5 / 127.5 + 1e-4, `${gain}: ${error}`);
    }
  }));

Deno.test("fine-tuning is a function of the seed, gets closer, and leaks nothing", () =>
  onBackend("wasm", async (backend) => {
    const frames = await framesOf(3), { emit, events } = collect();
    const env = { ...envOf(backend), emit }, trained = await untrainedModel(env);
    const person = await expectRight(embedPerson(trained)(frames)(env));
    const tune = (seed: number, batch: number) =>
      fineTune(trained, { settings: { epochs: 20, batch } })({ person, frames })({
        ...envOf(backend, seed),
        emit,
      });
    const first = await expectRight(tune(1, 2));
    const tensors = backend.tensors();
    const again = await expectRight(tune(1, 2)), other = await expectRight(tune(2, 2));
    await expectRight(tune(1, 8));
    assert.equal(backend.tensors(), tensors);
    assert.deepEqual(encodePerson(again), encodePerson(first));
    assert.ok(worst(other.coefficients, first.coefficients) > 0, "the seed has no part in it");
    assert.equal(first.kind, "fine-tuned");
    assert.deepEqual(first.embedding, person.embedding);
    assert.ok(relativeDifference(first.coefficients, person.coefficients) > 1e-3);
    const looks = events.flatMap((event) => event._tag === "Evaluated" ? [event] : []);
    assert.deepEqual([...new Set(looks.map(({ of }) => of))], ["a photo that is learnt"]);
    const [start, end] = [looks[0]?.figures.l1, looks.at(-1)?.figures.l1];
    assert.ok(start !== undefined && end !== undefined && end < 0.8 * start, `${start} → ${end}`);
    assert.equal(events.filter(({ _tag }) => _tag === "StepDone").length, 3 * 30 + 20);
  }));

Deno.test("early stopping keeps the best look at a photo that is not learnt", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(4), { emit, events } = collect();
    const trained = await untrainedModel(env);
    const person = await expectRight(embedPerson(trained)(frames)(env));
    // A rate that ruins the person: nothing gets better after the first look.
    const options = { earlyStopping: true, settings: { generatorRate: 1, epochs: 200 } };
    const tuned = await expectRight(
      fineTune(trained, options)({ person, frames })({ ...env, emit }),
    );
    const steps = events.filter(({ _tag }) => _tag === "StepDone").length;
    assert.ok(
      events.some((event) => event._tag === "Evaluated" && event.of === "a held-out photo"),
    );
    assert.ok(steps <= settings.watchEvery * (settings.patience + 3), `${steps} steps`);
    assert.ok(worst(tuned.coefficients, person.coefficients) < 1, "the best look was not kept");
  }));

Deno.test("a person of another model, and too few photos to spare one, are refused", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(3), trained = await untrainedModel(env);
    const person = await expectRight(embedPerson(trained)(frames)(env));
    const refused = async (...[model, options]: Parameters<typeof fineTune>) => {
      const made = await fineTune(model, options)({ person, frames })(env)();
      assert.equal(made._tag === "Left" && made.left._tag, "Config");
      return made._tag === "Left" && made.left._tag === "Config" ? made.left.problems.join() : "";
    };
    assert.match(await refused({ ...trained, hash: "cd".repeat(32) }), /another model/);
    assert.match(await refused(trained, { earlyStopping: true }), /3 frames, expected at least 4/);
  }));

Deno.test("a batch in parts is the same update, whether all frames are in it or some are drawn", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(4), trained = await untrainedModel(env);
    const person = await expectRight(embedPerson(trained)(frames)(env));
    const tune = (batch: number, together: number) => {
      const settings = { ...exactUpdates(2), batch, together };
      return expectRight(fineTune(trained, { settings })({ person, frames })(env));
    };
    for (const batch of [2, 4]) {
      const whole = await tune(batch, batch), parts = await tune(batch, 1);
      const moved = worst(whole.coefficients, person.coefficients);
      assert.ok(worst(whole.coefficients, parts.coefficients) < 1e-3 * moved);
      assert.notDeepEqual(encodePerson(whole), encodePerson(parts), "there was one part only");
    }
  }));
