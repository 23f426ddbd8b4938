/** Recognising published networks: every dialect, what is missing, foreign, misshapen or another network. */
import assert from "node:assert/strict";
import { createVgg, vgg19, vggShapes, vggTaps } from "../../../models/perceptual/vgg.ts";
import type { Dialect, NetworkName } from "../../../models/weights/architecture.ts";
import { type ConvertOptions, convertTensors } from "../../../models/weights/convert.ts";
import { publishedNetworks } from "../../../models/weights/published.ts";
import type { HostTensor, HostTensors } from "../../../pipeline/core/elements.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { fill } from "../hashed.ts";
import { compute, distance, onBackend, picture } from "../perceptual/support.ts";

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const zeros = (shape: readonly number[]): HostTensor => ({
  dtype: "F32",
  shape,
  data: new Float32Array(sizeOf(shape)),
});

const dialectOf = (network: NetworkName, name: string): Dialect =>
  publishedNetworks.find((each) => each.name === network)?.dialects
    .find((each) => each.name === name) ?? assert.fail(`no ${name} of ${network}`);

/** The first `rules` of a network in a dialect, all zeros; memory is shared. */
const fileOf = (network: NetworkName, dialect: string, prefix = "", rules?: number): HostTensors =>
  Object.fromEntries(
    dialectOf(network, dialect).rules.slice(0, rules).flatMap(({ parts }) =>
      parts.map(({ name, shape }) => [prefix + name, zeros(shape)])
    ),
  );

const convert = (tensors: HostTensors, options: ConvertOptions = {}, sha256 = "0") =>
  convertTensors({ tensors, metadata: {}, sha256 }, options);

const recognised = (tensors: HostTensors, options: ConvertOptions = {}, sha256 = "0") => {
  const converted = convert(tensors, options, sha256);
  if (E.isLeft(converted)) assert.fail(converted.left);
  return converted.right;
};

const problem = (tensors: HostTensors, options: ConvertOptions = {}): string => {
  const converted = convert(tensors, options);
  if (E.isRight(converted)) assert.fail(`accepted as ${converted.right.network.name}`);
  assert.match(converted.left, /^[^\n]+expected[^\n]+$/);
  return converted.left;
};

const caffe = { as: "vgg19", preprocessing: "caffe" } as const;

Deno.test("VGG19 is recognised in every dialect, whatever stands before its names", () => {
  for (const { name, ambiguous } of publishedNetworks[0]?.dialects ?? []) {
    const prefixes = name === "Keras" ? ["", "module.", "net/"] : ["state_dict.features."];
    for (const prefix of prefixes) {
      const { network, dialect, tensors, notes } = recognised(
        fileOf("vgg19", name, prefix),
        ambiguous ? { preprocessing: "caffe" } : {},
      );
      assert.deepEqual([network.name, dialect, notes], ["vgg19", name, []]);
      const shapes = Object.entries(tensors).map(([own, { shape }]) => [own, [...shape]]);
      assert.deepEqual(shapes, [...vggShapes(vgg19, vggTaps(vgg19))]);
    }
  }
});

Deno.test("VGGFace is told from VGG16 of ImageNet by its classifier", () => {
  const layers = fileOf("vggface", "Caffe");
  const withHead = (people: number) => ({ ...layers, "fc8/0": zeros([people, 1]) });
  const { network, unused, metadata } = recognised(withHead(2622));
  assert.deepEqual([network.name, unused], ["vggface", ["fc8/0"]]);
  assert.equal(metadata["means"], "93.594,104.762,129.186");
  assert.match(problem(withHead(1000)), /1000 things, so it is VGG16 trained on ImageNet/);
  assert.match(problem(withHead(1000), { as: "vggface" }), /VGG16 trained on ImageNet/);
  assert.match(problem(layers), /no classifier.*expected --as vggface/);
  assert.equal(recognised(layers, { as: "vggface" }).network.name, "vggface");
});

Deno.test("numbered layers do not tell their preprocessing: the sum or the user does", () => {
  const file = fileOf("vgg19", "PyTorch, numbered", "features.");
  assert.match(problem(file), /expected --preprocessing caffe or --preprocessing imagenet/);
  assert.equal(recognised(file, {}, "d01eb7cb00").metadata["means"], "103.939,116.779,123.68");
  const { metadata, notes } = recognised(file, {}, "dcbb9e9d00");
  assert.equal(metadata["means"], "103.53,116.28,123.675");
  assert.match(notes.join(), /torchvision/);
});

Deno.test("what is missing, misshapen or foreign is named", () => {
  const whole = fileOf("vgg19", "Caffe");
  const without = (...names: readonly string[]) =>
    Object.fromEntries(Object.entries(whole).filter(([name]) => !names.includes(name)));
  assert.match(problem(without("conv2_1/1"), caffe), /lacks conv2_1\/1, expected all of VGG19/);
  assert.match(
    problem({ ...whole, "conv3_2/0": zeros([256, 256, 5, 5]) }),
    /conv3_2\/0 is \[256,256,5,5\], expected \[256,256,3,3\] for VGG19/,
  );
  assert.match(
    problem({ ...whole, "conv1_1_bn/0": zeros([64]) }),
    /holds conv1_1_bn\/0, expected only layers of VGG19/,
  );
  assert.match(problem({ x: zeros([2]), y: zeros([3]) }), /holds 2 tensors \(x, y\), expected/);
  assert.match(problem({}), /holds 0 tensors/);
  const broken = { dtype: "F32", shape: [64], data: new Float32Array(64).fill(NaN) } as const;
  assert.match(problem({ ...whole, "conv1_1/1": broken }), /conv1_1\/bias is not finite/);
  // Kernels of height and width instead of the other way round are no other shape; out and in are.
  assert.match(
    problem({ ...whole, "conv2_1/0": zeros([64, 128, 3, 3]) }),
    /conv2_1\/0 is \[64,128,3,3\], expected \[128,64,3,3\]/,
  );
});

Deno.test("the first layers of a VGG are of use, and it is said how far they go", () => {
  const { network, tensors, notes } = recognised(fileOf("vgg19", "Keras", "", 16));
  assert.equal(network.name, "vgg19");
  assert.equal(Object.keys(tensors).length, 16);
  assert.match(notes.join(), /up to conv3_4/);
  assert.match(problem(fileOf("vgg19", "Keras", "", 8)), /may be VGG.*expected --as vgg/);
  assert.equal(recognised(fileOf("vgg19", "Keras", "", 8), caffe).network.name, "vgg19");
});

Deno.test("an optimiser beside the network is passed over", () => {
  const file = {
    ...fileOf("vgg19", "PyTorch with the names of Caffe", "model."),
    "optimizer.state.0.exp_avg": zeros([64]),
  };
  assert.deepEqual(recognised(file).unused, ["optimizer.state.0.exp_avg"]);
});

Deno.test("Inception of torchvision is no Inception of FID", () => {
  const file = fileOf("inception", "PyTorch");
  const { network, tensors } = recognised({ ...file, "fc.weight": zeros([1008, 2048]) });
  assert.equal(network.name, "inception");
  assert.equal(Object.keys(tensors).length, 188);
  assert.match(problem({ ...file, "fc.weight": zeros([1000, 2048]) }), /Inception v3 of 2016/);
  assert.match(problem({ ...file, "AuxLogits.conv0.conv.weight": zeros([1]) }), /of 2016/);
  const { [Object.keys(file)[7] ?? ""]: _, ...less } = file;
  assert.match(problem(less), /lacks Conv2d_2a_3x3\.bn\.bias, expected all of Inception/);
});

/** Activations of conv1_1 of hashed weights that a file has in a dialect. */
const firstActivation = async (
  file: HostTensors,
  options: ConvertOptions,
): Promise<Float32Array> => {
  const { tensors, metadata } = recognised(file, options);
  const means = (metadata["means"] ?? "").split(",").map(Number);
  const [blue = NaN, green = NaN, red = NaN] = means;
  const arrays = new Map(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape, values: Float32Array.from(data) },
    ]),
  );
  let found: Float32Array | undefined;
  await onBackend("cpu", async (backend) => {
    [found] = await compute(backend, () => {
      const { activations } = createVgg(
        { ...vgg19, means: [blue, green, red] },
        arrays,
        ["relu1_1"],
      );
      return activations(picture("conversion", 8));
    });
  });
  return found ?? assert.fail();
};

const hashed = (shape: readonly number[], name: string): HostTensor => ({
  dtype: "F32",
  shape,
  data: fill(name, sizeOf(shape)),
});

/** relu(convolution of [8, 8, 3] values with OIHW filters + bias), written out. // [8, 8, 64] */
const statement = (
  input: (row: number, column: number, channel: number) => number,
  tensor: HostTensor,
  bias: HostTensor,
): Float32Array =>
  Float32Array.from({ length: 8 * 8 * 64 }, (_, i) => {
    const out = i % 64, column = (i >> 6) % 8, row = i >> 9;
    let sum = bias.data[out] ?? 0;
    for (let c = 0; c < 3; c++) {
      for (let m = 0; m < 3; m++) {
        for (let n = 0; n < 3; n++) {
          const r = row + m - 1, s = column + n - 1;
          if (r < 0 || s < 0 || r > 7 || s > 7) continue;
          sum += input(r, s, c) * (tensor.data[((out * 3 + c) * 3 + m) * 3 + n] ?? 0);
        }
      }
    }
    return Math.max(0, sum);
  });

Deno.test("converted filters do what the published ones do with their own preprocessing", async () => {
  const kernel = hashed([64, 3, 3, 3], "kernel"), bias = hashed([64], "bias");
  const image = fill("conversion", 8 * 8 * 3);
  const red = (row: number, column: number, channel: number): number =>
    image[(row * 8 + column) * 3 + channel] ?? NaN;
  const rest = fileOf("vgg19", "PyTorch, numbered", "features.");
  const file = { ...rest, "features.0.weight": kernel, "features.0.bias": bias };

  // Caffe: 0 to 255, blue first, means subtracted.
  const means = [103.939, 116.779, 123.68];
  const asCaffe = await firstActivation(file, { preprocessing: "caffe" });
  const caffeExpected = statement(
    (r, s, c) => 127.5 * (red(r, s, 2 - c) + 1) - (means[c] ?? NaN),
    kernel,
    bias,
  );
  assert.ok(distance(asCaffe, caffeExpected) < 1e-5);

  // torchvision: 0 to 1, red first, normalised.
  const mean = [0.485, 0.456, 0.406], deviation = [0.229, 0.224, 0.225];
  const asTorch = await firstActivation(file, { preprocessing: "imagenet" });
  const torchExpected = statement(
    (r, s, c) => ((red(r, s, c) + 1) / 2 - (mean[c] ?? NaN)) / (deviation[c] ?? NaN),
    kernel,
    bias,
  );
  assert.ok(distance(asTorch, torchExpected) < 1e-5);
  assert.ok(distance(asTorch, asCaffe) > 0.1);
});
