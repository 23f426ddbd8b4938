/** VGG19 against PyTorch with the same weights, and what its reader says about wrong ones. */
import assert from "node:assert/strict";
import { tf } from "../../../backends/tf.ts";
import { createVgg, vgg19, vggFace, vggShapes, vggTaps } from "../../../models/perceptual/vgg.ts";
import { loadVgg } from "../../../models/perceptual/vgg_file.ts";
import golden from "../golden/vgg19.json" with { type: "json" };
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

const folder = new URL("../../../../shared/weights/vgg19-blocks1-3", import.meta.url).pathname;
const present = await Deno.stat(folder).then(() => true, () => false);
const taps = Object.keys(golden.taps);
const samples: Readonly<Record<string, Samples>> = golden.taps;

Deno.test({
  name: "VGG19 agrees with PyTorch to 1e-4 up to relu3_4 (needs ../shared/weights)",
  ignore: !present,
  fn: () =>
    onBackend("wasm", async (backend) => {
      const network = await right(loadVgg(vgg19, folder, taps)({ backend }));
      const found = await compute(
        backend,
        () => network.activations(picture("vgg19/image", golden.size)),
      );
      taps.forEach((tap, i) => {
        const activation = found[i], expected = samples[tap];
        assert.ok(activation && expected);
        compare(tap, activation, expected, 1e-4);
      });
      backend.dispose(network.weights);
    }),
});

Deno.test({
  name: "VGG19 reads blue first: with red and blue exchanged activations are others",
  ignore: !present,
  fn: () =>
    onBackend("wasm", async (backend) => {
      const network = await right(loadVgg(vgg19, folder, ["relu1_1", "relu3_1"])({ backend }));
      const [first, third, firstFlipped, thirdFlipped] = await compute(backend, () => {
        const image = picture("vgg19/image", golden.size);
        return [...network.activations(image), ...network.activations(tf.reverse(image, 3))];
      });
      assert.ok(first && third && firstFlipped && thirdFlipped);
      assert.ok(distance(firstFlipped, first) > 0.1, "relu1_1 does not notice the exchange");
      assert.ok(distance(thirdFlipped, third) > 0.1, "relu3_1 does not notice the exchange");
      backend.dispose(network.weights);
    }),
});

Deno.test("the paper's taps are there, and only what they need is made", () => {
  const paper = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"];
  for (const architecture of [vgg19, vggFace]) {
    assert.deepEqual(paper.filter((tap) => !vggTaps(architecture).includes(tap)), []);
  }
  assert.equal(vggTaps(vgg19).length, 16);
  assert.equal(vggTaps(vgg19).at(-1), "relu5_4");
  assert.equal(vggTaps(vggFace).length, 13);
  const shapes = vggShapes(vgg19, ["relu2_1", "relu1_1"]);
  assert.deepEqual([...shapes.keys()].filter((name) => name.endsWith("kernel")), [
    "conv1_1/kernel",
    "conv1_2/kernel",
    "conv2_1/kernel",
  ]);
  assert.deepEqual(shapes.get("conv2_1/kernel"), [3, 3, 64, 128]);
});

Deno.test("average pooling is another network than max pooling", () =>
  onBackend("wasm", async (backend) => {
    const small = { ...vgg19, channels: [4, 6, 8, 8, 8] }, at = ["relu2_1"];
    const weights = hashedWeights(vggShapes(small, at));
    const [max, average] = await compute(backend, () => {
      const image = picture("pooling", 16);
      const [a] = createVgg(small, weights, at).activations(image);
      const [b] = createVgg(small, weights, at, "average").activations(image);
      assert.ok(a && b);
      return [a, b];
    });
    assert.ok(max && average);
    assert.ok(distance(average, max) > 0.05);
  }));
