/**
 * The networks, the losses and sampled gradients against an independent PyTorch statement of the
 * same networks, from hashed weights with gamma 0.5 and frozen u. The golden files come from that
 * statement run in float64.
 *
 * Outputs, losses and the gradients of `test-16`, which has every kind of layer, agree to 1e-4. For
 * the gradients of the larger presets float32 decides less than that: one ReLU that flips in the
 * last bit moves them all. PyTorch's own float32 differs from its float64 by up to 1.1 % at toy-64
 * (K = 1 to 8), 2.1 % at small-128 and 4.1 % at paper-256, so the median is held to 2 %.
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
} from "../../models/parameter_specs.ts";
import { discriminatorGradients, generatorGradients, rowsName } from "../../models/adversarial.ts";
import { effectiveWeights } from "../../models/parameters.ts";
import { meanAbsoluteDifference } from "../../backends/ops.ts";
import { hashedImage, hashedNetwork, hashedRows } from "./hashed.ts";
import { relativeDifference } from "./support.ts";

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

/** What a gradient may differ by, and the median of all of them. */
const gradientTolerance = (preset: Golden["preset"]): { each: number; median: number } =>
  preset === "test-16" ? { each: 1e-4, median: 1e-5 } : { each: 1e-1, median: 2e-2 };

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
): Promise<string> => {
  const largest: Record<string, number> = {};
  const entries = Object.entries(golden.gradients).filter(([key]) => key.startsWith(`${tag}:`))
    .map(([key, sample]) => [key.slice(2), sample] as const);
  for (const [name, { rms }] of entries) {
    const network = name.split("/")[0] ?? "";
    largest[network] = Math.max(largest[network] ?? 0, rms);
  }
  const allowed = gradientTolerance(golden.preset), differences: number[] = [];
  for (const [name, sample] of entries) {
    const gradient = gradients[name];
    if (tag === "G" && name.startsWith("D/")) continue; // constant in our generator step
    assert.ok(gradient, `no gradient for ${name}`);
    const values = await read(gradient), floor = 1e-5 * (largest[name.split("/")[0] ?? ""] ?? 0);
    // W has one row here: the others have no gradient.
    const start = name === rowsName ? golden.video * gradient.size : 0;
    const difference = rms(
      sample.at.map((at, i) => (values[at - start] ?? 0) - (sample.values[i] ?? NaN)),
    );
    if (sample.rms > floor) {
      const relative = difference / sample.rms;
      assert.ok(relative < allowed.each, `${tag}:${name}: ${relative}`);
      differences.push(relative);
    } else {
      assert.ok(difference <= 10 * floor, `${tag}:${name}: ${difference}, expected 0`);
    }
  }
  assert.ok(entries.length > 15, `only ${entries.length} gradients compared`);
  // The hinge is saturated at paper-256: every gradient of D is 0 there, and was compared as such.
  if (differences.length === 0) return `${tag} all 0`;
  differences.sort((a, b) => a - b);
  const median = differences[Math.floor(differences.length / 2)] ?? NaN;
  assert.ok(median < allowed.median, `median of ${tag}: ${median}`);
  return `${tag} worst ${differences.at(-1)?.toExponential(1)}, median ${median.toExponential(1)}`;
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
  const embedding = await read(g.embedding);
  const embedded = relativeDifference(embedding, golden.embedding);
  assert.ok(embedded < tolerance, `embedding: ${embedded}`);
  const output = await read(g.fake);
  close("rms of the output", rms(output), golden.output.rms);
  const painted = relativeDifference(
    golden.output.at.map((at) => output[at] ?? NaN),
    golden.output.values,
  );
  assert.ok(painted < tolerance, `output: ${painted}`);
  const worstG = await compareGradients(golden, "G", g.gradients);
  const worstD = await compareGradients(golden, "D", d.gradients);
  await Deno.stdout.write(new TextEncoder().encode(
    `  output ${painted.toExponential(1)}; gradients: ${worstG}; ${worstD}\n`,
  ));
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
