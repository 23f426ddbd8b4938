/** The ablation: each variant changes what it says, and only that. */
import assert from "node:assert/strict";
import { coefficientsName } from "../../../../models/few_shot.ts";
import { collect } from "../../../../pipeline/core/sinks.ts";
import type { Env } from "../../../../pipeline/core/env.ts";
import { differences } from "../../../../pipeline/core/differences.ts";
import { E } from "../../../../pipeline/core/fp.ts";
import { embedPerson } from "../../../../pipeline/programs/embed.ts";
import { type FewShotStart, startFewShot } from "../../../../pipeline/programs/few_shot_start.ts";
import { fineTune } from "../../../../pipeline/programs/fine_tune.ts";
import { fineTuned } from "../../../../pipeline/programs/methods/headshot.ts";
import {
  ablationOf,
  type Variant,
  withMatch,
  withoutMatch,
} from "../../../../pipeline/programs/reproduce/ablation.ts";
import { decodeRunConfig } from "../../../../pipeline/programs/run_config.ts";
import { expectRight, numbersOf, onBackend } from "../../../models/support.ts";
import { envOf, framesOf, untrainedModel } from "../few_shot_support.ts";

type Numbers = Readonly<Record<string, Float32Array>>;

const rowName = "D/w";

/** Every number of G′ and D′ before the first update. */
const startOf = async (env: Env, start?: FewShotStart): Promise<Numbers> => {
  const trained = await untrainedModel(env);
  const person = await expectRight(embedPerson(trained)(await framesOf(2))(env));
  using state = await expectRight(startFewShot(trained, start)(person.embedding)(env));
  const { generator, discriminator } = state.value;
  const found: [string, Float32Array][] = [];
  for (
    const [name, tensor] of Object.entries({
      ...generator.network.parameters,
      ...discriminator.network.parameters,
    })
  ) found.push([name, await numbersOf(tensor)]);
  return { ...Object.fromEntries(found), embedding: person.embedding };
};

const changed = (before: Numbers, after: Numbers): readonly string[] =>
  Object.keys(before).filter((name) => before[name]?.join() !== after[name]?.join()).toSorted();

const sorted = (values: Float32Array | undefined): string =>
  (values ?? assert.fail("nothing is there")).toSorted().join();

const variantOf = (name: string): Variant =>
  [...withMatch.variants, ...withoutMatch.variants].find((each) => each.name === name) ??
    assert.fail(`there is no variant ${name}`);

/** What a start adds to w0. */
const rowOf = (usual: Numbers, start: Numbers): Float32Array =>
  (start[rowName] ?? assert.fail()).map((value, i) =>
    value - ((usual[rowName]?.[i] ?? NaN) - (usual.embedding?.[i] ?? NaN))
  );

Deno.test("each start of the ablation changes the numbers that it says, and no others", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), usual = await startOf(env);
    const of = (name: string) => startOf(env, variantOf(name).start);
    assert.deepEqual(changed(usual, await of("full method")), []);

    const embedding = await of("random embedding");
    assert.deepEqual(changed(usual, embedding), [rowName, coefficientsName]);
    const close = (values: Float32Array | undefined): Float32Array =>
      (values ?? assert.fail()).map((value) => Math.round(1e4 * value));
    assert.equal(sorted(close(rowOf(usual, embedding))), sorted(close(usual.embedding)));

    const coefficients = await of("random ψ′");
    assert.deepEqual(changed(usual, coefficients), [coefficientsName]);
    assert.equal(sorted(coefficients[coefficientsName]), sorted(usual[coefficientsName]));

    const row = await of("without the match term, new W");
    assert.deepEqual(changed(usual, row), [rowName]);
    assert.ok(rowOf(usual, row).every((value) => Math.abs(value) <= 0.1 + 1e-5));

    assert.deepEqual(changed(embedding, await of("random embedding")), [], "not repeatable");
    const other = await startOf(envOf(backend, 2), variantOf("random embedding").start);
    assert.notEqual(other[rowName]?.join(), embedding[rowName]?.join(), "the seed has no part");
  }));

Deno.test("without the adversarial term there is no D′, and the content is compared alone", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(2), trained = await untrainedModel(env);
    const person = await expectRight(embedPerson(trained)(frames)(env));
    const termsOf = async (name: string) => {
      const { emit, events } = collect(), { name: _, ...options } = variantOf(name);
      await expectRight(fineTune(trained, options)({ person, frames })({ ...env, emit }));
      const steps = events.flatMap((event) => event._tag === "StepDone" ? [event.losses] : []);
      return { count: steps.length, names: Object.keys(steps[0] ?? {}).toSorted() };
    };
    const full = await termsOf("full method"),
      without = await termsOf(
        "without the adversarial term",
      );
    assert.equal(without.count, full.count);
    assert.deepEqual(without.names, ["content/pixels", "generatorFinite", "generatorGradient"]);
    for (const name of [...without.names, "adversarial", "featureMatching", "discriminator"]) {
      assert.ok(full.names.includes(name), name);
    }
  }));

Deno.test("each way to fine-tune gives another person; a shorter practice is shorter", () =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), frames = await framesOf(2), trained = await untrainedModel(env);
    const paint = async (variant: Variant, updates?: number): Promise<string> => {
      const { learn, practice } = fineTuned(trained, variant);
      assert.equal(practice?.updates(2), 4);
      const { emit, events } = collect();
      const way = updates === undefined ? learn : practice?.learn(updates) ?? learn;
      using person = await expectRight(way(frames)({ ...env, emit }));
      assert.equal(events.filter(({ _tag }) => _tag === "StepDone").length, updates ?? 4);
      const [image] = await expectRight(person.value.render(frames.slice(0, 1))(env));
      return image?.data.join() ?? assert.fail();
    };
    const variants = [...withMatch.variants, ...withoutMatch.variants];
    const pictures = [];
    for (const variant of variants) pictures.push(await paint(variant));
    pictures.push(await paint(variantOf("full method"), 1));
    assert.equal(new Set(pictures).size, variants.length + 1);
    assert.equal(backend.tensors(), 0);
  }));

Deno.test("the run without the match term differs in that and in K, nothing else", () => {
  const given = { preset: "toy-64", seed: 3, training: { steps: 7, shots: 8 } };
  const [full, without] = [withMatch, withoutMatch].map(({ run }) => {
    const config = decodeRunConfig(given, run.overrides);
    return E.isRight(config) ? config.right : assert.fail();
  });
  assert.deepEqual(
    differences(full, without).map(({ path, right }) => [path, right]),
    [
      ["variant", "ff"],
      ["training.shots", 1],
      ["training.match.end", 0],
      ["training.match.from", 0],
      ["training.match.to", 0],
    ],
  );
});

Deno.test("only a run of the full method is taken apart, with its own budget", () => {
  const of = (overrides: Readonly<Record<string, unknown>>) => {
    const given = { preset: "test-16", seed: 3, run: "r", training: { steps: 7 } };
    const config = decodeRunConfig(given, overrides);
    return ablationOf(E.isRight(config) ? config.right : assert.fail(), "out");
  };
  const budget = of({});
  assert.ok(E.isRight(budget));
  const { full, preset, seed, steps, out } = budget.right;
  assert.deepEqual([full, preset, seed, steps, out], ["r", "test-16", 3, 7, "out"]);
  for (const odd of [{ variant: "ff" }, { method: "x2face" }]) {
    const refused = of(odd);
    assert.ok(E.isLeft(refused));
    assert.match(refused.left.problems.join(), /Cannot take parts away from r: .* expected/);
  }
});
