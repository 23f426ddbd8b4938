/** FaceRes against PyTorch with the same weights, which the npm package ships. */
import assert from "node:assert/strict";
import { E } from "../../../pipeline/core/fp.ts";
import { type Tensor, type Tensor4D, tf } from "../../../backends/tf.ts";
import { paintSyntheticFrame } from "../../../datasets/synthetic.ts";
import type { Image } from "../../../pipeline/core/image.ts";
import {
  createFaceRes,
  faceResPath,
  faceResShapes,
  faceResTaps,
  loadFaceRes,
} from "../../../models/perceptual/faceres.ts";
import golden from "../golden/faceres.json" with { type: "json" };
import {
  compare,
  compute,
  distance,
  hashedWeights,
  onBackend,
  picture,
  right,
  type Samples,
} from "./support.ts";

const agrees = (
  what: string,
  size: number,
  samples: Readonly<Record<string, Samples>>,
  tolerance: number,
) =>
  onBackend("wasm", async (backend) => {
    const taps = Object.keys(samples);
    const network = await right(loadFaceRes(taps)({ backend }));
    const found = await compute(
      backend,
      () => network.activations(picture(`faceres/${size}`, size)),
    );
    taps.forEach((tap, i) => {
      const activation = found[i], expected = samples[tap];
      assert.ok(activation && expected);
      compare(`${what} ${tap}`, activation, expected, tolerance);
    });
    backend.dispose(network.weights);
  });

Deno.test("FaceRes agrees with PyTorch at 128 pixels, every tap", () =>
  agrees("128", 128, golden.large, 1e-4));

Deno.test("FaceRes agrees with PyTorch at 64 pixels enlarged to 128, away from the border", () =>
  agrees("64", 64, golden.small, 1e-4));

Deno.test("the npm package with the weights is installed", async () => {
  const path = faceResPath();
  assert.ok(E.isRight(path));
  assert.equal((await Deno.stat(path.right)).isFile, true);
});

Deno.test("FaceRes reads blue first", () =>
  onBackend("wasm", async (backend) => {
    const network = await right(loadFaceRes(["pw3"])({ backend }));
    const [plain, flipped] = await compute(backend, () => {
      const image = picture("faceres/64", 64);
      return [...network.activations(image), ...network.activations(tf.reverse(image, 3))];
    });
    assert.ok(plain && flipped);
    assert.ok(distance(flipped, plain) > 0.1);
    backend.dispose(network.weights);
  }));

Deno.test("FaceRes has 14 taps, the deepest after 13 separable convolutions", () => {
  assert.equal(faceResTaps.length, 14);
  assert.equal(faceResShapes(["pw13"]).size, 2 + 13 * 5);
  assert.deepEqual([...faceResShapes(["conv1"]).keys()].length, 2);
});

Deno.test("a small FaceRes gives the same activations on cpu and wasm", async () => {
  const taps = ["conv1", "pw2", "pw4"];
  const weights = hashedWeights(faceResShapes(taps));
  const results: (readonly Float32Array[])[] = [];
  for (const name of ["cpu", "wasm"] as const) {
    await onBackend(name, async (backend) => {
      results.push(
        await compute(
          backend,
          () => createFaceRes(weights, taps).activations(picture("agreement", 16)),
        ),
      );
    });
  }
  const [cpu, wasm] = results;
  taps.forEach((tap, i) => {
    const a = cpu?.[i], b = wasm?.[i];
    assert.ok(a && b);
    assert.ok(distance(b, a) < 1e-5, `${tap} differs`);
  });
});

/** A picture as a tensor in [-1, 1]. // [1, H, W, 3] */
const tensorOf = ({ data, width, height }: Image): Tensor =>
  tf.tensor(Float32Array.from(data, (value) => value / 127.5 - 1), [1, height, width, 3]);

/** [1, 2, 1]/4 in both directions, twice: what a generator that has not learnt detail puts out. */
const blurred = (x: Tensor): Tensor => {
  const row = [1, 2, 1], values = row.flatMap((a) => row.map((b) => a * b / 16));
  const filter = tf.tile(tf.tensor(values, [3, 3, 1, 1]), [1, 1, 3, 1]) as Tensor4D;
  let y = tf.mirrorPad(x as Tensor4D, [[0, 0], [4, 4], [4, 4], [0, 0]], "reflect");
  for (let i = 0; i < 4; i++) y = tf.depthwiseConv2d(y, filter, 1, "valid");
  return y;
};

Deno.test("FaceRes tells faces: light < shift by a pixel < blur < another person", () =>
  onBackend("wasm", async (backend) => {
    const taps = ["pw3", "pw5", "pw6"];
    const network = await right(loadFaceRes(taps)({ backend }));
    const paint = (identity: number, seconds: number) =>
      paintSyntheticFrame({ seed: 1, identity, video: 0, seconds, size: 64 }).image;
    const [ratios] = await compute(backend, () => {
      const distances = Array.from({ length: 8 }, (_, i) => {
        const x = tensorOf(paint(i, 0.4));
        const shifted = tf.concat([
          x.slice([0, 0, 0, 0], [1, 64, 1, 3]),
          x.slice([0, 0, 0, 0], [1, 64, 63, 3]),
        ], 2);
        const others = [
          tf.clipByValue(tf.add(x, 0.1), -1, 1),
          shifted,
          blurred(x),
          tensorOf(paint(i + 50, 0.4)),
        ];
        const target = network.activations(x);
        return tf.stack(
          others.map((other) =>
            network.activations(other).map((activation, j) =>
              tf.mean(tf.abs(tf.sub(activation, target[j] ?? activation)))
            ).reduce((sum, term) => tf.add(sum, term))
          ),
        );
      });
      return [tf.mean(tf.stack(distances), 0)];
    });
    const [light, shift, blur, person] = ratios ?? [];
    assert.ok(light && shift && blur && person);
    assert.ok(light < shift && shift < blur && blur < person, `${ratios}`);
    assert.ok(person > 2 * shift && person > 5 * light, `${ratios}`);
    backend.dispose(network.weights);
  }));
