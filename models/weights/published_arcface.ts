/**
 * ArcFace as insightface publishes it for PyTorch (`backbone.pth`), in four depths.
 *
 * @module
 */
import type { HostTensor } from "../../pipeline/core/elements.ts";
import { arcFaceBlocks, arcFaceDepths, arcFaceShapes } from "../metric_networks/arcface.ts";
import { type Dialect, floats, type OwnTensor, type Rule } from "./architecture.ts";
import { affineOf, foldNorm, normParts, vectorOf } from "./batch_norm.ts";

const EPSILON = 1e-5;

/** A convolution without bias and the norm after it. */
const convolution = (
  own: string,
  kernel: string,
  norm: string,
  [height, width, from, to]: readonly [number, number, number, number],
): Rule => ({
  parts: [{ name: `${kernel}.weight`, shape: [to, from, height, width] }, ...normParts(norm, to)],
  make: ([filters, ...rest]) => foldNorm(own, filters, affineOf(rest, EPSILON)),
});

const norm = (own: string, name: string, channels: number): Rule => ({
  parts: normParts(name, channels),
  make: (tensors) => {
    const { factors, offsets } = affineOf(tensors, EPSILON);
    return [vectorOf(`${own}/gain`, factors), vectorOf(`${own}/bias`, offsets)];
  },
});

const slope = (own: string, name: string, channels: number): Rule => ({
  parts: [{ name: `${name}.weight`, shape: [channels] }],
  make: ([tensor]) => tensor ? [[`${own}/slope`, floats(tensor, [channels])]] : [],
});

/** The last norm, the dense layer and the norm after it, as one; [512, 7, 7] becomes [7, 7, 512]. */
const dense = (tensors: readonly HostTensor[]): readonly OwnTensor[] => {
  const [kernel, bias, ...norms] = tensors;
  const before = affineOf(norms.slice(0, 4), EPSILON), after = affineOf(norms.slice(4), EPSILON);
  const out = 512, channels = 512, places = 49;
  const turned = new Float32Array(places * channels * out);
  const shifts = Float64Array.from({ length: out }, (_, o) => bias?.data[o] ?? 0);
  for (let o = 0; o < out; o++) {
    const scale = after.factors[o] ?? 0;
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < places; p++) {
        const value = kernel?.data[(o * channels + c) * places + p] ?? 0;
        turned[(p * channels + c) * out + o] = value * (before.factors[c] ?? 0) * scale;
        shifts[o] = (shifts[o] ?? 0) + value * (before.offsets[c] ?? 0);
      }
    }
  }
  return [
    ["dense/kernel", { dtype: "F32", shape: [places * channels, out], data: turned }],
    vectorOf(
      "dense/bias",
      shifts.map((x, o) => x * (after.factors[o] ?? 0) + (after.offsets[o] ?? 0)),
    ),
  ];
};

const publishedRules = (blocks: readonly number[]): readonly Rule[] => [
  convolution("conv1", "conv1", "bn1", [3, 3, 3, 64]),
  slope("conv1", "prelu", 64),
  ...arcFaceBlocks(blocks).flatMap(({ name, from, to, first }) => [
    norm(`${name}/before`, `${name}.bn1`, from),
    convolution(`${name}/conv1`, `${name}.conv1`, `${name}.bn2`, [3, 3, from, to]),
    slope(`${name}/conv1`, `${name}.prelu`, to),
    convolution(`${name}/conv2`, `${name}.conv2`, `${name}.bn3`, [3, 3, to, to]),
    ...(first
      ? [
        convolution(`${name}/skip`, `${name}.downsample.0`, `${name}.downsample.1`, [
          1,
          1,
          from,
          to,
        ]),
      ]
      : []),
  ]),
  {
    parts: [
      { name: "fc.weight", shape: [512, 512 * 49] },
      { name: "fc.bias", shape: [512] },
      ...normParts("bn2", 512),
      ...normParts("features", 512),
    ],
    make: dense,
  },
];

const ownRules = (blocks: readonly number[]): readonly Rule[] =>
  [...arcFaceShapes(blocks)].map(([name, shape]) => ({
    parts: [{ name, shape }],
    make: ([tensor]) => tensor ? [[name, floats(tensor, shape)]] : [],
  }));

/** ArcFace of every depth, as published and as ours. */
export const arcFaceDialects: readonly Dialect[] = Object.entries(arcFaceDepths).flatMap(
  ([layers, blocks]): readonly Dialect[] => [
    {
      name: `PyTorch, ${layers} layers`,
      rules: publishedRules(blocks),
      unused: (name) => name.endsWith("num_batches_tracked"),
      metadata: { layers },
    },
    { name: `Headshot, ${layers} layers`, rules: ownRules(blocks), unused: () => false },
  ],
);
