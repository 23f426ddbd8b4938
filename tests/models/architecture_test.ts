import assert from "node:assert/strict";
import { countParameters, presets } from "../../models/presets.ts";
import { adaptiveChannels } from "../../models/architecture.ts";
import {
  discriminatorParameters,
  embedderParameters,
  generatorParameters,
} from "../../models/parameter_specs.ts";

Deno.test("the presets have exactly the parameters of the contract, with 100 videos", () => {
  assert.deepEqual(countParameters("paper-256", 100), {
    embedder: 14_907_265,
    generator: 38_073_925,
    discriminator: 19_678_594,
  });
  assert.deepEqual(countParameters("small-128", 100), {
    embedder: 2_467_953,
    generator: 9_493_125,
    discriminator: 3_673_970,
  });
  assert.deepEqual(countParameters("toy-64", 100), {
    embedder: 615_409,
    generator: 1_639_557,
    discriminator: 923_506,
  });
});

Deno.test("a video more is one row of W more", () => {
  const { embedding } = presets["paper-256"].architecture;
  assert.equal(
    countParameters("paper-256", 101).discriminator -
      countParameters("paper-256", 100).discriminator,
    embedding,
  );
});

Deno.test("P gives paper-256 13,056 coefficients", () => {
  const channels = adaptiveChannels(presets["paper-256"].architecture);
  assert.equal(2 * channels.reduce((a, b) => a + b, 0), 13_056);
});

Deno.test("3x3 convolutions have a bias only in blocks without norms; P, skips and head have one", () => {
  const names = generatorParameters(presets["paper-256"].architecture).map(({ name }) => name);
  assert.ok(names.includes("G/down0/conv1/bias"));
  assert.ok(!names.includes("G/down1/conv1/bias"));
  assert.ok(!names.includes("G/res0/conv1/bias"));
  for (const layer of ["G/down1/skip", "G/up0/skip", "G/head", "P"]) {
    assert.ok(names.includes(`${layer}/bias`), layer);
  }
  assert.ok(!names.includes("G/res0/skip/kernel"), "a residual block of one size has no skip");
});

Deno.test("every convolution and dense layer has spectral norm, W has not", () => {
  const { architecture } = presets["toy-64"];
  const specs = [
    ...embedderParameters(architecture),
    ...generatorParameters(architecture),
    ...discriminatorParameters(architecture),
  ];
  for (const { name, spectral } of specs) {
    assert.equal(spectral, name.endsWith("/kernel") || name === "D/w0", name);
  }
  assert.ok(!specs.some(({ name }) => name === "D/W"));
});
