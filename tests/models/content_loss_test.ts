/** The content loss: gradients against finite differences, what is computed, what is refused. */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../backends/tf.ts";
import {
  contentLoss,
  type ContentNetworks,
  contentProblems,
  loadContentNetworks,
  prepareContent,
} from "../../models/content_loss.ts";
import { perceptualNetworkNames, perceptualNetworks } from "../../models/perceptual.ts";
import { createFaceRes, faceResShapes } from "../../models/perceptual/faceres.ts";
import { createVgg, vgg19, vggShapes } from "../../models/perceptual/vgg.ts";
import { webgpuTest } from "../backends/webgpu_adapter.ts";
import {
  compute,
  distance,
  hashedWeights,
  onBackend,
  picture,
  right,
  sentence,
} from "./perceptual/support.ts";

const small = { ...vgg19, channels: [4, 6, 8, 8, 8] };
const vggAt = ["relu1_1", "relu2_1"], faceAt = ["pw2"];

/** Pixels, a small random VGG and the first layers of a random FaceRes. */
const networks = (): ContentNetworks => [
  {
    name: "pixels",
    weight: 10,
    network: { weights: {}, activations: (images) => [images] },
  },
  {
    name: "vgg19",
    weight: 1e-2,
    network: createVgg(small, hashedWeights(vggShapes(small, vggAt)), vggAt),
  },
  {
    name: "faceres",
    weight: 1,
    network: createFaceRes(hashedWeights(faceResShapes(faceAt)), faceAt),
  },
];

const lossAndGradient = (make: () => ContentNetworks, real: Tensor, fake: Tensor) => {
  const terms = prepareContent(make(), real);
  return tf.valueAndGrad((x: Tensor) => contentLoss(terms(x)).asScalar())(fake);
};

const cases = [
  { at: 0, name: "pixels", on: "cpu", size: 16 },
  { at: 1, name: "vgg19", on: "cpu", size: 16 },
  { at: 2, name: "faceres", on: "cpu", size: 16 },
  { at: 2, name: "faceres without enlarging", on: "wasm", size: 80 },
] as const;
for (const { at, name, on, size: side } of cases) {
  Deno.test(`the gradient of ${name} to the image agrees with finite differences on ${on}`, () =>
    onBackend(on, async (backend) => {
      const make = (): ContentNetworks => {
        const chosen = networks()[at];
        assert.ok(chosen);
        return [chosen];
      };
      const [gradient, along, slopes] = await compute(backend, () => {
        const real = picture("real", side), fake = picture("fake", side);
        const terms = prepareContent(make(), real);
        const loss = (x: Tensor) => contentLoss(terms(x)).asScalar();
        const { grad } = tf.valueAndGrad(loss)(fake);
        // Along directions of length 1, since one pixel of the loss drowns in float32: first the
        // gradient itself, then half gradient, half noise.
        const unit = (x: Tensor) => tf.div(x, tf.norm(x));
        const directions = [unit(grad)];
        for (const seed of ["a", "b", "c"]) {
          directions.push(unit(tf.add(unit(grad), unit(picture(`noise ${seed}`, side)))));
        }
        const h = 3e-5 * side; // as far for each pixel, whatever the size
        const slope = (d: Tensor) =>
          tf.div(
            tf.sub(loss(tf.add(fake, tf.mul(d, h))), loss(tf.sub(fake, tf.mul(d, h)))),
            2 * h,
          );
        return [grad, tf.stack(directions), tf.stack(directions.map(slope))];
      });
      assert.ok(gradient && along && slopes);
      const size = gradient.length, length = Math.hypot(...gradient);
      slopes.forEach((expected, i) => {
        const found = gradient.reduce((sum, g, k) => sum + g * (along[i * size + k] ?? NaN), 0);
        assert.ok(
          Math.abs(found - expected) < 0.01 * length,
          `along ${i}: ${found}, expected ${expected} within 1% of ${length}`,
        );
      });
    }));
}

/** Loss and image gradient of all small networks, on a backend and on the reference. */
const agreesWithCpu = async (backendName: "wasm" | "webgpu"): Promise<void> => {
  const results: (readonly Float32Array[])[] = [];
  for (const name of ["cpu", backendName] as const) {
    await onBackend(name, async (backend) => {
      results.push(
        await compute(backend, () => {
          const { value, grad } = lossAndGradient(
            networks,
            picture("real", 16),
            picture("fake", 16),
          );
          return [value, grad];
        }),
      );
    });
  }
  const [cpu, other] = results;
  for (const i of [0, 1]) {
    const a = cpu?.[i], b = other?.[i];
    assert.ok(a && b);
    assert.ok(distance(b, a) < 1e-5, `${i === 0 ? "loss" : "gradient"}: ${distance(b, a)}`);
  }
};

Deno.test("loss and image gradient agree between cpu and wasm", () => agreesWithCpu("wasm"));
webgpuTest("loss and image gradient agree between cpu and webgpu", () => agreesWithCpu("webgpu"));

/** How often each kernel runs. */
const kernelsOf = async (f: () => readonly Tensor[]): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {};
  const profile = await tf.profile(() => tf.tidy(() => [...f()]));
  for (const { name } of profile.kernels) counts[name] = (counts[name] ?? 0) + 1;
  tf.dispose(profile.result);
  return counts;
};

Deno.test("the real image has no tape, and weights get no gradient", () =>
  onBackend("wasm", async (backend) => {
    const made = await right(backend.run("networks", () => {
      const list = networks();
      return { list, weights: list.map(({ network }) => network.weights) };
    }));
    const [, vgg] = made.list;
    assert.ok(vgg);
    const real = picture("real", 16), fake = picture("fake", 16);
    const convolutions = vggShapes(small, vggAt).size / 2;
    const forward = await kernelsOf(() => {
      prepareContent([vgg], real);
      return [];
    });
    assert.equal(forward["Convolve"], convolutions);
    const whole = await kernelsOf(() => {
      const terms = prepareContent([vgg], real);
      const { value, grad } = tf.valueAndGrad((x: Tensor) => contentLoss(terms(x)).asScalar())(
        fake,
      );
      return [value, grad];
    });
    assert.equal(whole["Convolve"], 2 * convolutions, "forward of real and fake");
    assert.equal(whole["ConvolveInputGrad"], convolutions, "backward of the fake alone");
    assert.equal(whole["MaxPoolGrad"], 1);
    for (const never of ["ConvolveFilterGrad", "BiasGrad", "Conv2DBackpropFilter"]) {
      assert.equal(whole[never], undefined, never);
    }
    backend.dispose([made.weights, real, fake]);
  }));

Deno.test("terms are weighted, named and add up; equal images cost nothing", () =>
  onBackend("cpu", async (backend) => {
    const [terms, total, zero, doubled] = await compute(backend, () => {
      const real = picture("real", 16), fake = picture("fake", 16), list = networks();
      const made = prepareContent(list, real)(fake);
      assert.deepEqual(Object.keys(made), ["pixels", "vgg19", "faceres"]);
      const twice = list.map((entry) => ({ ...entry, weight: 2 * entry.weight }));
      return [
        tf.stack(Object.values(made)),
        contentLoss(made),
        contentLoss(prepareContent(list, real)(real)),
        contentLoss(prepareContent(twice, real)(fake)),
      ];
    });
    const sum = terms?.reduce((a, b) => a + b, 0) ?? NaN;
    assert.ok(terms?.every((term) => term > 0));
    assert.ok(Math.abs(sum - (total?.[0] ?? NaN)) < 1e-5 * sum);
    assert.ok(Math.abs(2 * sum - (doubled?.[0] ?? NaN)) < 1e-5 * sum);
    assert.equal(zero?.[0], 0);
  }));

Deno.test("configured networks load, two of a kind get names of their own, and are freed", () =>
  onBackend("cpu", async (backend) => {
    const before = backend.tensors();
    using loaded = await right(
      loadContentNetworks([
        { network: "pixels", taps: [], weight: 10 },
        { network: "faceres", taps: ["pw1"], weight: 1 },
        { network: "faceres", taps: ["conv1"], weight: 2 },
      ])({ backend }),
    );
    assert.deepEqual(loaded.value.map(({ name }) => name), ["pixels", "faceres", "faceres2"]);
    assert.ok(backend.tensors() > before);
  }));

Deno.test("wrong entries are all told, a missing file is told, and nothing is left loaded", () =>
  onBackend("cpu", async (backend) => {
    const problems = contentProblems([
      { network: "vgg19", taps: ["relu1_1"], weight: 1 },
      { network: "faceres", path: "x", taps: ["relu1_1", "pw1", "pw1"], weight: 1 },
      { network: "pixels", taps: ["all"], weight: 1 },
      { network: "vggface", path: "y", taps: [], weight: 1 },
      { network: "faceres", taps: ["pw1"], weight: 1, pooling: "average" },
      { network: "vggface", path: "y", taps: ["relu1_1"], weight: 1, pooling: "average" },
    ]);
    assert.equal(problems.length, 7);
    for (const problem of problems) assert.match(problem, /^Cannot use [^\n]+, expected [^\n]+$/);
    assert.match(problems[0] ?? "", /expected --content vgg19=PATH; get them with: deno task /);
    assert.match(problems.at(-1) ?? "", /faceres: it has pooling "average", expected none/);
    const message = await sentence(
      loadContentNetworks([
        { network: "faceres", taps: ["pw1"], weight: 1 },
        { network: "vgg19", path: "nowhere", taps: ["relu1_1"], weight: 1 },
      ])({ backend }),
    );
    assert.match(message, /^Cannot read nowhere: it does not exist/);
  }));

Deno.test("every network has a name for configurations", () =>
  assert.deepEqual([...perceptualNetworkNames], Object.keys(perceptualNetworks)));
