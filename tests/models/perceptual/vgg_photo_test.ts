/**
 * VGG19 on a photo, against PyTorch with the same weights and the same pixels: a PNG, which every
 * decoder reads alike, made smaller by means of 4 × 4 pixels, which are exact.
 */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../../backends/tf.ts";
import { readImage } from "../../../datasets/codec.ts";
import { vgg19 } from "../../../models/perceptual/vgg.ts";
import { loadVgg } from "../../../models/perceptual/vgg_file.ts";
import type { Image } from "../../../pipeline/core/image.ts";
import golden from "../golden/vgg19_photo.json" with { type: "json" };
import { compare, compute, distance, onBackend, right, type Samples } from "./support.ts";

const shared = new URL("../../../../shared/", import.meta.url);
const folder = new URL("weights/vgg19-blocks1-3", shared).pathname;
const portrait = new URL(`portraits/${golden.picture}`, shared).pathname;
const there = (path: string) => Deno.stat(path).then(() => true, () => false);
const missing = await there(folder) && await there(portrait)
  ? ""
  : " (skipped: no ../shared/weights and ../shared/portraits)";
const samples: Readonly<Record<string, Samples>> = golden.taps;
const taps = Object.keys(samples);

/** Sums of 4 × 4 pixels. // [height / 4, width / 4, 3] */
const sumsOf = ({ width, height, data }: Image): Uint16Array => {
  const sums = new Uint16Array(width * height * 3 / 16);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, i++) {
        sums[((y >> 2) * (width >> 2) + (x >> 2)) * 3 + c]! += data[i]!;
      }
    }
  }
  return sums;
};

/** In [-1, 1], as every network of ours is given pictures. // [1, size, size, 3] */
const pictureOf = (sums: Uint16Array): Tensor =>
  tf.tensor(Float32Array.from(sums, (sum) => sum / 16 / 127.5 - 1), [
    1,
    golden.size,
    golden.size,
    3,
  ]);

Deno.test({
  name:
    `VGG19 on a photo agrees with PyTorch to 1e-4, and not with red and blue exchanged${missing}`,
  ignore: missing !== "",
  fn: () =>
    onBackend("wasm", async (backend) => {
      const sums = sumsOf(await right(readImage(portrait)));
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", sums.slice().buffer));
      assert.equal(digest.toHex(), golden.sha256OfSums, "the pixels are PyTorch's");
      const network = await right(loadVgg(vgg19, folder, taps)({ backend }));
      const found = await compute(backend, () => network.activations(pictureOf(sums)));
      const flipped = await compute(
        backend,
        () => network.activations(tf.reverse(pictureOf(sums), 3)),
      );
      taps.forEach((tap, i) => {
        const activation = found[i], other = flipped[i], expected = samples[tap];
        assert.ok(activation && other && expected);
        compare(tap, activation, expected, 1e-4);
        assert.ok(distance(other, activation) > 0.05, `${tap} does not notice the exchange`);
        assert.throws(() => compare(tap, other, expected, 1e-4));
      });
      backend.dispose(network.weights);
    }),
});
