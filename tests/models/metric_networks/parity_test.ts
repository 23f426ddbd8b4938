/** The networks of the metrics against PyTorch: hashed weights under the names of published files. */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../../backends/tf.ts";
import {
  createInception,
  inceptionConvolutions,
  inceptionShapes,
} from "../../../models/metric_networks/inception.ts";
import { createMobileFace, mobileFaceShapes } from "../../../models/metric_networks/mobileface.ts";
import {
  arcFaceBlocksOf,
  arcFaceShapes,
  createArcFace,
} from "../../../models/metric_networks/arcface.ts";
import type { WeightArrays } from "../../../models/perceptual/weight_file.ts";
import { convertTensors } from "../../../models/weights/convert.ts";
import { publishedNetworks } from "../../../models/weights/published.ts";
import { readWeights } from "../../../models/weights/read.ts";
import type { HostTensor, HostTensors } from "../../../pipeline/core/elements.ts";
import { E } from "../../../pipeline/core/fp.ts";
import golden from "../golden/metric_networks.json" with { type: "json" };
import { fill } from "../hashed.ts";
import { compare, compute, distance, onBackend, picture, right } from "../perceptual/support.ts";

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** All tensors of a network in a dialect, hashed. */
const hashedFile = (
  network: string,
  dialect: string,
  hash: (name: string, shape: readonly number[], x: Float32Array) => void,
): HostTensors => {
  const published = publishedNetworks.find(({ name }) => name === network);
  const rules = published?.dialects.find(({ name }) => name === dialect)?.rules ?? [];
  return Object.fromEntries(
    rules.flatMap(({ parts }) =>
      parts.map(({ name, shape }): [string, HostTensor] => {
        const data = fill(name, sizeOf(shape));
        hash(name, shape, data);
        return [name, { dtype: "F32", shape, data }];
      })
    ),
  );
};

const change = (x: Float32Array, factor: number, offset = 0): void => {
  for (let i = 0; i < x.length; i++) x[i] = offset + factor * (x[i] ?? 0);
};

const arraysOf = (tensors: HostTensors): WeightArrays =>
  new Map(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape, values: Float32Array.from(data) },
    ]),
  );

const convert = (tensors: HostTensors): WeightArrays => {
  const converted = convertTensors({ tensors, metadata: {}, sha256: "" });
  if (E.isLeft(converted)) assert.fail(converted.left);
  return arraysOf(converted.right.tensors);
};

Deno.test("Inception: 94 convolutions with the parameters of the published network", () => {
  assert.equal(inceptionConvolutions.length, 94);
  const kernels = inceptionConvolutions.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const norms = inceptionConvolutions.reduce((sum, { shape }) => sum + 2 * shape[3], 0);
  assert.equal(kernels + norms, golden.inception.parameters);
  assert.equal(inceptionShapes.size, 188);
});

Deno.test("Inception agrees with PyTorch to 1e-4, from a file with batch norms to pool3", () =>
  onBackend("wasm", async (backend) => {
    const file = hashedFile("inception", "PyTorch", (name, shape, x) => {
      if (name.endsWith("conv.weight")) change(x, Math.sqrt(6 / sizeOf(shape.slice(1))));
      else if (name.endsWith("running_var")) change(x, 0.5, 1);
      else if (name.endsWith("bn.weight")) change(x, 0.1, 1);
      else change(x, 0.1);
    });
    const arrays = convert(file);
    const network = await right(backend.run("loading", () => createInception(arrays)));
    const [found] = await compute(
      backend,
      () => [network.features(picture("inception/image", golden.inception.size))],
    );
    assert.equal(found?.length, 2048);
    compare("pool3", found, golden.inception, 1e-4);
    backend.dispose(network.weights);
  }));

const describe = (
  create: typeof createMobileFace,
  arrays: WeightArrays,
  ...images: readonly (() => Tensor)[]
): Promise<readonly Float32Array[]> => {
  let found: readonly Float32Array[] = [];
  return onBackend("wasm", async (backend) => {
    const network = await right(backend.run("loading", () => create(arrays)));
    found = await compute(
      backend,
      () => images.map((image) => network.descriptors(image()).reshape([-1])),
    );
    backend.dispose(network.weights);
  }).then(() => found);
};

const face = () => picture("mobileface/image", 112);

Deno.test("MobileFace agrees with PyTorch to 1e-4, from its TensorFlow.js graph", async () => {
  const file = hashedFile("mobileface", "TensorFlow.js", (name, shape, x) => {
    if (/(weight|kernel)$/.test(name)) change(x, Math.sqrt(3 / sizeOf(shape.slice(0, -1))));
    else if (name.endsWith("_df")) change(x, Math.sqrt(3 / 9));
    else if (name.endsWith("gamma")) change(x, 0.2, 0.25);
    else if (name.endsWith("mul")) change(x, 0.5, 1);
  });
  const arrays = convert(file);
  assert.deepEqual([...arrays.keys()], [...mobileFaceShapes.keys()]);
  const [found] = await describe(createMobileFace, arrays, face);
  assert.equal(found?.length, 256);
  compare("descriptor", found, golden.mobileface, 1e-4);
});

Deno.test("ArcFace agrees with PyTorch to 1e-4, from insightface's names", async () => {
  const file = hashedFile("arcface", "PyTorch, 18 layers", (name, shape, x) => {
    if (shape.length > 1) change(x, Math.sqrt(3 / sizeOf(shape.slice(1))));
    else if (name.endsWith("prelu.weight")) change(x, 0.2, 0.25);
    else if (name.endsWith("running_var")) change(x, 0.5, 1);
    else if (name.endsWith("weight")) change(x, 0.1, 1);
    else change(x, 0.1);
  });
  const arrays = convert(file);
  assert.deepEqual(arcFaceBlocksOf(arrays.keys()), [2, 2, 2, 2]);
  assert.deepEqual(new Set(arrays.keys()), new Set(arcFaceShapes([2, 2, 2, 2]).keys()));
  const [found] = await describe(createArcFace, arrays, () => picture("arcface/image", 112));
  assert.equal(found?.length, 512);
  compare("descriptor", found, golden.arcface, 1e-4);
});

const published = new URL("../../../../shared/weights/mobileface", import.meta.url).pathname;

Deno.test({
  name: "MobileFace as published agrees with PyTorch and reads red first (needs ../shared/weights)",
  ignore: !await Deno.stat(published).then(() => true, () => false),
  fn: async () => {
    const { tensors } = await right(readWeights(`${published}/mobileface.json`));
    const [found, flipped] = await describe(
      createMobileFace,
      convert(tensors),
      face,
      () => tf.reverse(face(), 3),
    );
    assert.ok(found && flipped);
    compare("descriptor", found, golden.mobilefacePublished, 1e-4);
    assert.ok(distance(flipped, found) > 0.05);
  },
});
