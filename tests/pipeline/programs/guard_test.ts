/** Training that dies: flat and saturated pictures, a discriminator that has won, rollbacks. */
import assert from "node:assert/strict";
import type { Figures } from "../../../pipeline/core/events.ts";
import { makeImage } from "../../../pipeline/core/image.ts";
import { calmed } from "../../../pipeline/programs/guard.ts";
import {
  collapseOf,
  deadDiagnosis,
  deadFor,
  isAlive,
  likenessOf,
  wonFor,
  wonWarning,
} from "../../../pipeline/programs/health.ts";
import { gapGrace, stagnates } from "../../../pipeline/programs/progress.ts";
import { presets } from "../../../models/presets.ts";

const noise = (low: number, high: number) => {
  const image = makeImage(8, 8);
  image.data.forEach((_, i) => image.data[i] = i % 3 === 0 ? high : low + (i * 7) % 32);
  return image;
};

Deno.test("black, grey and red pictures are a collapse, real ones and their like are not", () => {
  const truths = [noise(60, 180), noise(30, 200)];
  for (const color of [[0, 0, 0], [128, 128, 128]] as const) {
    const outputs = [makeImage(8, 8, color), makeImage(8, 8, color)];
    assert.match(collapseOf({ outputs, truths }) ?? "", /one flat colour/);
    assert.ok(!isAlive({ outputs, truths }));
  }
  const red = [makeImage(8, 8, [255, 0, 0])];
  assert.match(collapseOf({ outputs: red, truths }) ?? "", /saturated \(100 %/);
  assert.equal(collapseOf({ outputs: truths, truths }), undefined);
  assert.ok(isAlive({ outputs: truths, truths }));
});

Deno.test("one picture for everybody is a collapse, unless there is one person", () => {
  const truths = [noise(60, 180), noise(30, 200)], same = [noise(60, 180), noise(60, 180)];
  assert.match(collapseOf({ outputs: same, truths }) ?? "", /the same picture for everybody/);
  assert.equal(collapseOf({ outputs: same, truths: same }), undefined);
});

Deno.test("flat pictures are right where the real ones are flat", () => {
  const flat = [makeImage(8, 8, [9, 9, 9])];
  assert.equal(collapseOf({ outputs: flat, truths: flat }), undefined);
});

Deno.test("nearly one picture for everybody is seen, different ones with less contrast are not", () => {
  const truths = [noise(60, 180), noise(30, 200), noise(90, 120)];
  const paler = (share: number) =>
    truths.map(({ data, ...rest }) => ({
      ...rest,
      data: data.map((value) => 128 + share * (value - 128)),
    }));
  assert.match(
    likenessOf({ outputs: paler(0.1), truths }) ?? "",
    /nearly the same picture for everybody and does not learn \(its pictures differ by \d/,
  );
  assert.equal(likenessOf({ outputs: paler(0.5), truths }), undefined);
  assert.equal(likenessOf({ outputs: truths.slice(0, 1), truths }), undefined);
});

Deno.test("no better for half of all looks is stagnation, slow learning and a late start are not", () => {
  const looks = (gap: number, ...l1: readonly number[]) => ({
    looks: l1.map((l1) => ({ l1, gap })),
  });
  const still = looks(3e-5, 0.3866, 0.3899, 0.3916, 0.3869, 0.389, 0.3885);
  assert.ok(stagnates(still, gapGrace, 3000));
  assert.ok(!stagnates(still, gapGrace - 1, 3000));
  assert.ok(!stagnates(still, gapGrace, 100_000), "a tenth of the run is not over");
  assert.ok(!stagnates(looks(0, 0.39, 0.39, 0.39), gapGrace, 3000), "too few looks");
  assert.ok(!stagnates(looks(0, 0.45, 0.44, 0.43, 0.42), gapGrace, 3000));
  assert.ok(
    !stagnates(looks(0.5, 0.34, 0.34, 0.34, 0.34), gapGrace, 3000),
    "people are told apart",
  );
});

Deno.test("a discriminator that tells everything apart for a hundred steps is named, once", () => {
  let won = 0;
  const said: string[] = [];
  for (let step = 0; step < 300; step++) {
    won = wonFor(won, { discriminator: step === 50 ? 1 : 0 });
    said.push(...[wonWarning(won) ?? []].flat());
  }
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /The discriminator has won/);
  assert.equal(wonFor(5, {}), 0);
});

Deno.test("every rollback halves both rates and nothing else", () => {
  const { training } = presets["toy-64"];
  assert.deepEqual(calmed(training, 0), training);
  assert.deepEqual(calmed(training, 2), {
    ...training,
    generatorRate: training.generatorRate / 4,
    discriminatorRate: training.discriminatorRate / 4,
  });
});

Deno.test("a discriminator without a gradient is dead where it has a loss, and has won where not", () => {
  const dead = { discriminator: 2, discriminatorGradient: 0 };
  const count = (all: readonly Figures[]): number => all.reduce<number>(deadFor, 0);
  assert.equal(deadDiagnosis(count(Array(9).fill(dead))), undefined);
  assert.match(deadDiagnosis(count(Array(10).fill(dead))) ?? "", /dead .* for 10 steps/);
  const living = { discriminator: 2, discriminatorGradient: 1e-9 };
  assert.equal(count([...Array(9).fill(dead), living, dead]), 1);
  assert.equal(count(Array(20).fill({ discriminator: 0, discriminatorGradient: 0 })), 0);
  assert.equal(count(Array(20).fill({ l1: 0.1 })), 0);
});
