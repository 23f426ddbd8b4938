/**
 * The networks, the losses and sampled gradients against an independent PyTorch statement of the
 * same networks (golden files), from hashed weights with gamma 0.5 and frozen u.
 */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../backends/tf.ts";
import { selectBackend } from "../../backends/select.ts";
import { E } from "../../pipeline/core/fp.ts";
import { presets } from "../../models/presets.ts";
import {
  discriminatorParameters,
  embedderParameters,
  generatorParameters,
  spectralName,
} from "../../models/architecture.ts";
import { discriminatorGradients, generatorGradients, rowsName } from "../../models/adversarial.ts";
import { effectiveWeights } from "../../models/parameters.ts";
import { meanAbsoluteDifference } from "../../backends/ops.ts";
import { hashedImage, hashedNetwork, hashedRows } from "./hashed.ts";

interface Golden {
  readonly preset: "test-16" | "toy-64" | "small-128" | "paper-256";
  readonly shots: number;
  readonly video: number;
  readonly videos: number;
  readonly losses: Readonly<Record<string, number>>;
  readonly embedding: readonly number[];
  readonly output: {
    readonly at: readonly number[];
    readonly values: readonly number[];
    readonly rms: number;
  };
  readonly gradients: Readonly<
    Record<
      string,
      { readonly rms: number; readonly at: readonly number[]; readonly values: readonly number[] }
    >
  >;
}

const tolerance = 1e-4;

const close = (what: string, actual: number, expected: number, scale = Math.abs(expected)): void =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(scale, 1e-6),
    `${what}: ${actual}, expected ${expected} within ${tolerance} of ${scale}`,
  );

const rms = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0) / values.length);

const read = async (tensor: Tensor): Promise<Float32Array> => await tensor.data<"float32">();

/** Relative RMS over the samples; below 1e-5 of the network's largest gradient RMS, absolute. */
const compareGradients = async (
  golden: Golden,
  tag: "G" | "D",
  gradients: Readonly<Record<string, Tensor>>,
): Promise<number> => {
  const largest: Record<string, number> = {};
  const entries = Object.entries(golden.gradients).filter(([key]) => key.startsWith(`${tag}:`))
    .map(([key, sample]) => [key.slice(2), sample] as const);
  for (const [name, { rms }] of entries) {
    const network = name.split("/")[0] ?? "";
    largest[network] = Math.max(largest[network] ?? 0, rms);
  }
  let worst = 0, compared = 0;
  for (const [name, sample] of entries) {
    const gradient = gradients[name];
    if (tag === "G" && name.startsWith("D/")) continue; // constant in our generator step
    assert.ok(gradient, `no gradient for ${name}`);
    const values = await read(gradient), floor = 1e-5 * (largest[name.split("/")[0] ?? ""] ?? 0);
    const row = name === rowsName ? golden.video * gradient.size : 0;
    const picked = name === rowsName
      ? sample.at.map((at) => values[at - row] ?? 0)
      : sample.at.map((at) => values[at] ?? NaN);
    const difference = rms(picked.map((value, i) => value - (sample.values[i] ?? NaN)));
    if (sample.rms > floor) {
      if (name !== rowsName) close(`rms of ${tag}:${name}`, rms(values), sample.rms);
      assert.ok(difference / sample.rms < tolerance, `${tag}:${name}: ${difference / sample.rms}`);
      worst = Math.max(worst, difference / sample.rms);
    } else {
      assert.ok(difference <= tolerance * floor * 10 + 1e-6, `${tag}:${name}: ${difference}`);
    }
    compared++;
  }
  assert.ok(compared > 40, `only ${compared} gradients compared`);
  return worst;
};

const checkParity = async (path: string | URL, backendName: "cpu" | "wasm"): Promise<void> => {
  const golden: Golden = JSON.parse(await Deno.readTextFile(path));
  const selected = await selectBackend(backendName)();
  assert.ok(E.isRight(selected), JSON.stringify(selected));
  const backend = selected.right;
  const { architecture } = presets[golden.preset];
  const model = { architecture, pooling: "sum-relu", gain: "raw" } as const;
  const made = await backend.run("parity", () => {
    const generator = hashedNetwork([
      ...embedderParameters(architecture),
      ...generatorParameters(architecture),
    ]);
    const discriminator = hashedNetwork(discriminatorParameters(architecture));
    const image = (name: string, batch: number) => hashedImage(name, batch, architecture.size);
    const batch = {
      sources: image("input/xs", golden.shots),
      sourceLandmarks: image("input/ys", golden.shots),
      target: image("input/xt", 1),
      targetLandmarks: image("input/yt", 1),
      selector: tf.tensor2d([[1]]),
    };
    const n = architecture.embedding;
    const rows = tf.tensor2d(
      hashedRows(golden.videos, n).slice(golden.video * n, (golden.video + 1) * n),
      [1, n],
    );
    const weights = { adversarial: 1, featureMatching: 10, match: 80, matchRows: false };
    const judge = effectiveWeights(discriminator);
    const g = generatorGradients(
      model,
      generator,
      judge,
      batch,
      rows,
      (fake) => ({ pixels: meanAbsoluteDifference(fake, batch.target) }),
      weights,
    );
    const d = discriminatorGradients(model, discriminator, batch, rows, g, weights);
    return { g, d };
  })();
  assert.ok(E.isRight(made), JSON.stringify(made));
  const { g, d } = made.right;
  const terms: Readonly<Record<string, Tensor | undefined>> = { ...g.terms, ...d.terms };
  for (const [name, expected] of Object.entries(golden.losses)) {
    const term = terms[name === "pixels" ? "content/pixels" : name];
    assert.ok(term, `no loss ${name}`);
    close(`loss ${name}`, (await read(term))[0] ?? NaN, expected);
  }
  const embedding = await read(g.embedding), size = rms(golden.embedding);
  golden.embedding.forEach((value, i) => close(`embedding ${i}`, embedding[i] ?? NaN, value, size));
  const output = await read(g.fake);
  close("rms of the output", rms(output), golden.output.rms);
  golden.output.at.forEach((at, i) =>
    close(`output ${at}`, output[at] ?? NaN, golden.output.values[i] ?? NaN, golden.output.rms)
  );
  const worstG = await compareGradients(golden, "G", g.gradients);
  const worstD = await compareGradients(golden, "D", d.gradients);
  console.log(`  worst relative RMS: ${worstG.toExponential(1)}, ${worstD.toExponential(1)}`);
  backend.dispose([g, d]);
  await backend.close();
};

Deno.test("test-16 agrees with PyTorch on cpu", () =>
  checkParity(new URL("./golden/test-16.json", import.meta.url), "cpu"));

Deno.test("test-16 agrees with PyTorch on wasm", () =>
  checkParity(new URL("./golden/test-16.json", import.meta.url), "wasm"));

Deno.test("toy-64 agrees with PyTorch on wasm", () =>
  checkParity(new URL("./golden/toy-64.json", import.meta.url), "wasm"));

const larger = Deno.env.get("HEADSHOT_GOLDEN");
Deno.test({
  name: "a larger preset agrees with PyTorch on wasm (HEADSHOT_GOLDEN names its golden file)",
  ignore: !larger,
  fn: () => checkParity(larger ?? "", "wasm"),
});

Deno.test("every saved u has a name beside its kernel", () => {
  assert.equal(spectralName("E/block0/conv1/kernel"), "E/block0/conv1/u");
  assert.equal(spectralName("D/w0"), "D/w0/u");
});
