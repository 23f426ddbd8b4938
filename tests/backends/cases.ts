/** The cases of the conformance suite: every operation of `backends/ops.ts`, odd sizes and edges. */
import type { Draw } from "../../pipeline/core/rng.ts";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../backends/tf.ts";
import { runOne } from "../../backends/kernels/gradients.ts";
import {
  adamUpdate,
  averagePool2,
  convolve,
  exponentialAverage,
  instanceNormalize,
  meanAbsoluteDifference,
  powerIteration,
  relu,
  spectralNormalize,
  squaredNorm,
  upsampleNearest2,
} from "../../backends/ops.ts";
import type { Case, Input, Named } from "./conformance.ts";

const of = (...shape: number[]): Input => ({ shape });
const clearOfZero = (draw: Draw): number => (draw.uniform() < 0.5 ? -1 : 1) * draw.uniform(0.3, 2);
const apart = (...shape: number[]): Input => ({ shape, value: clearOfZero });
const positive = (...shape: number[]): Input => ({
  shape,
  value: (draw) => draw.uniform(0.1, 1),
});
const constant = (value: number, ...shape: number[]): Input => ({ shape, value: () => value });
const get = (inputs: Named, name: string): Tensor => {
  const tensor = inputs[name];
  if (!tensor) throw new Error(`Cannot run a case: there is no input ${name}`);
  return tensor;
};

interface Convolution {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly input: number;
  readonly output: number;
  readonly size: number;
  readonly bias?: boolean;
  readonly relu?: boolean;
  readonly frozen?: readonly string[];
}

const convolution = (c: Convolution): Case => {
  const { batch, height, width, input, output, size, bias = false, relu = false, frozen = [] } = c;
  const inputs: Record<string, Input> = {
    x: of(batch, height, width, input),
    filter: of(size, size, input, output),
    ...(bias ? { bias: of(output) } : {}),
  };
  const extras = [
    bias ? "bias" : "",
    relu ? "relu" : "",
    ...frozen.map((name) => `${name} frozen`),
  ];
  return {
    name: `convolve ${batch}x${height}x${width} ${input}->${output} k${size} ${
      extras.filter(Boolean).join(" ")
    }`.trim(),
    inputs,
    compute: (t) => convolve(get(t, "x"), get(t, "filter"), { bias: t.bias, relu }),
    gradients: Object.keys(inputs).filter((name) => !frozen.includes(name)),
    smooth: !relu,
  };
};

const convolutions: readonly Case[] = [
  { batch: 1, height: 8, width: 8, input: 8, output: 8, size: 3, bias: true, relu: true },
  { batch: 1, height: 16, width: 16, input: 3, output: 8, size: 3 },
  { batch: 3, height: 5, width: 7, input: 6, output: 5, size: 3, bias: true },
  { batch: 3, height: 7, width: 5, input: 5, output: 3, size: 3, relu: true },
  { batch: 1, height: 4, width: 4, input: 8, output: 1, size: 1, bias: true },
  { batch: 3, height: 3, width: 9, input: 7, output: 8, size: 1, bias: true, relu: true },
  { batch: 1, height: 9, width: 11, input: 2, output: 3, size: 5, bias: true },
  { batch: 1, height: 1, width: 1, input: 4, output: 4, size: 3 },
  { batch: 1, height: 2, width: 2, input: 80, output: 70, size: 3, bias: true, relu: true },
  { batch: 1, height: 6, width: 6, input: 4, output: 4, size: 3, bias: true, frozen: ["filter"] },
  {
    batch: 1,
    height: 6,
    width: 6,
    input: 4,
    output: 4,
    size: 3,
    bias: true,
    relu: true,
    frozen: ["x", "bias"],
  },
].map(convolution);

interface Norm {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly shared: boolean;
  readonly relu?: boolean;
  readonly x?: Input["value"];
  readonly label?: string;
  readonly frozen?: readonly string[];
}

const norm = (n: Norm): Case => {
  const { batch, height, width, channels, shared, relu = false, x, frozen = [] } = n;
  const rows = shared ? 1 : batch;
  return {
    name: [
      `instance norm ${batch}x${height}x${width}x${channels}`,
      shared ? "shared gain" : "gain per sample",
      relu ? "relu" : "",
      n.label ?? "",
      ...frozen.map((name) => `${name} frozen`),
    ].filter(Boolean).join(" "),
    inputs: {
      x: { shape: [batch, height, width, channels], ...(x ? { value: x } : {}) },
      gain: of(rows, channels),
      bias: of(rows, channels),
    },
    compute: (t) => instanceNormalize(get(t, "x"), get(t, "gain"), get(t, "bias"), { relu }),
    gradients: ["x", "gain", "bias"].filter((name) => !frozen.includes(name)),
    smooth: !relu && x === undefined && height * width > 2, // two values: too sharp a bend
  };
};

const norms: readonly Case[] = [
  { batch: 1, height: 8, width: 8, channels: 8, shared: true },
  { batch: 3, height: 5, width: 7, channels: 3, shared: true, relu: true },
  { batch: 3, height: 5, width: 3, channels: 8, shared: false },
  { batch: 3, height: 4, width: 4, channels: 5, shared: false, relu: true },
  { batch: 1, height: 1, width: 2, channels: 4, shared: true },
  { batch: 1, height: 16, width: 16, channels: 17, shared: true, relu: true },
  { batch: 2, height: 37, width: 41, channels: 2, shared: true, relu: true }, // several chunks
  { batch: 1, height: 6, width: 6, channels: 4, shared: true, frozen: ["gain", "bias"] },
  { batch: 1, height: 6, width: 6, channels: 4, shared: true, frozen: ["x"], relu: true },
  {
    batch: 1,
    height: 8,
    width: 8,
    channels: 4,
    shared: true,
    x: (draw: Draw) => 20 + draw.normal(),
    label: "large mean",
  },
  {
    batch: 2,
    height: 4,
    width: 4,
    channels: 4,
    shared: true,
    x: () => 0.5,
    label: "without variance",
  },
].map(norm);

const resampling: readonly Case[] = [[1, 8, 8, 8], [3, 6, 10, 3], [1, 2, 2, 1]].flatMap((shape) => [
  {
    name: `average pool ${shape.join("x")}`,
    inputs: { x: of(...shape) },
    compute: (t: Named) => averagePool2(get(t, "x")),
    gradients: ["x"],
    smooth: true,
  },
  {
    name: `upsample ${shape.join("x")}`,
    inputs: { x: of(...shape) },
    compute: (t: Named) => upsampleNearest2(get(t, "x")),
    gradients: ["x"],
    smooth: true,
  },
]);

const spectral: readonly Case[] = [[3, 3, 5, 8], [1, 1, 8, 1], [17, 6], [3, 3, 60, 17], [4, 1]]
  .flatMap((shape) => {
    const inputs = { w: of(...shape), u: of(shape.at(-1) ?? 1) };
    const label = shape.join("x");
    return [
      {
        name: `spectral norm ${label}`,
        inputs,
        compute: (t: Named) => spectralNormalize(get(t, "w"), get(t, "u")),
        gradients: ["w"],
        smooth: true,
      },
      {
        name: `power iteration ${label}`,
        inputs,
        compute: (
          t: Named,
        ) => [
          powerIteration(get(t, "w"), get(t, "u")),
          powerIteration(get(t, "w"), get(t, "u"), 4),
        ],
      },
    ];
  });

const reductions: readonly Case[] = [[1, 1], [3, 5, 7, 2], [1, 60, 61, 1]].flatMap((shape) => {
  const label = shape.join("x");
  return [
    {
      name: `mean absolute difference ${label}`,
      inputs: { a: apart(...shape), b: constant(0.05, ...shape) },
      compute: (t: Named) => meanAbsoluteDifference(get(t, "a"), get(t, "b")),
      gradients: ["a", "b"],
      smooth: true,
    },
    {
      name: `mean absolute difference ${label} b frozen`,
      inputs: { a: of(...shape), b: of(...shape) },
      compute: (t: Named) => meanAbsoluteDifference(get(t, "a"), get(t, "b")),
      gradients: ["a"],
    },
    {
      name: `squared norm ${label}`,
      inputs: { x: of(...shape) },
      compute: (t: Named) => squaredNorm(get(t, "x")),
    },
  ];
});

const pixelwise: readonly Case[] = [
  {
    name: "relu",
    inputs: { x: apart(3, 5, 7, 2) },
    compute: (t) => relu(get(t, "x")),
    gradients: ["x"],
    smooth: true,
  },
  {
    name: "relu of zeros",
    inputs: { x: constant(0, 2, 3) },
    compute: (t) => relu(get(t, "x")),
    gradients: ["x"],
  },
  {
    name: "relu grad, bias grad of many rows",
    inputs: { dy: of(1100, 3), y: of(1100, 3) },
    compute: (t) => [
      runOne("ReluGrad", { dy: get(t, "dy"), y: get(t, "y") }),
      runOne("BiasGrad", { dy: get(t, "dy") }),
    ],
  },
  {
    name: "exponential average",
    inputs: { average: of(3, 7), value: of(3, 7) },
    compute: (t) => exponentialAverage(get(t, "average"), get(t, "value"), 0.9),
  },
  {
    name: "L1 of equal tensors",
    inputs: { a: of(4, 4), b: constant(0, 4, 4) },
    compute: (t) => meanAbsoluteDifference(get(t, "a"), tf.add(get(t, "a"), get(t, "b"))),
    gradients: ["a", "b"],
  },
];

const adam = (label: string, beta1: number, step: number, finite: number): Case => ({
  name: `adam ${label}`,
  inputs: {
    parameter: of(5, 7),
    gradient: of(5, 7),
    second: positive(5, 7),
    first: of(5, 7),
    finite: { shape: [], value: () => finite },
  },
  compute: (t) => {
    const slot = {
      parameter: get(t, "parameter"),
      gradient: get(t, "gradient"),
      second: get(t, "second"),
      ...(beta1 > 0 ? { first: get(t, "first") } : {}),
    };
    const settings = { rate: 1e-3, beta1, beta2: 0.999, epsilon: 1e-5, step };
    const moved = adamUpdate(slot, get(t, "finite"), settings);
    return [moved.parameter, moved.second, ...(moved.first ? [moved.first] : [])];
  },
});

const updates: readonly Case[] = [
  adam("without first moment", 0, 1, 1),
  adam("with first moment", 0.5, 3, 1),
  adam("late", 0, 100_000, 1),
  adam("stopped", 0.5, 3, 0),
  adam("stopped by a NaN", 0, 3, NaN),
];

const stopped: Case = {
  name: "adam stopped before a gradient that is not finite",
  inputs: {
    parameter: of(3),
    gradient: { shape: [3], value: (_, i) => [NaN, Infinity, 1][i] ?? 0 },
    second: positive(3),
    finite: constant(0),
  },
  compute: (t) => {
    const settings = { rate: 1e-3, beta1: 0, beta2: 0.999, epsilon: 1e-5, step: 2 };
    const moved = adamUpdate(
      { parameter: get(t, "parameter"), gradient: get(t, "gradient"), second: get(t, "second") },
      get(t, "finite"),
      settings,
    );
    return [moved.parameter, moved.second];
  },
};

/** Every operation of `backends/ops.ts`. */
export const operationCases: readonly Case[] = [
  ...convolutions,
  ...norms,
  ...resampling,
  ...spectral,
  ...reductions,
  ...pixelwise,
  ...updates,
  stopped,
];

/** One case of each kind: for what is run again and again. */
export const oneOfEach: readonly Case[] = [
  convolutions,
  norms,
  resampling,
  resampling.slice(1),
  spectral,
  spectral.slice(1),
  reductions,
  pixelwise,
  updates,
].flatMap((kind) => kind.slice(0, 1));

const whole = (value: number): Tensor => tf.scalar(value, "int32");
const image = (x: Tensor): Tensor4D => x as Tensor4D;

/** Stock operations that the networks, the losses and the content networks run. */
export const stockCases: readonly Case[] = [
  {
    name: "attention",
    inputs: { f: of(2, 9, 1), g: of(2, 9, 1), h: of(2, 9, 5) },
    compute: (t) =>
      tf.matMul(tf.softmax(tf.matMul(get(t, "f"), get(t, "g"), false, true)), get(t, "h")),
    gradients: ["f", "g", "h"],
    smooth: true,
  },
  {
    name: "dense",
    inputs: { x: of(3, 17), w: of(17, 70), b: of(70) },
    compute: (t) =>
      tf.add(tf.matMul(get(t, "x") as Tensor2D, get(t, "w") as Tensor2D), get(t, "b")),
    gradients: ["x", "w", "b"],
    smooth: true,
  },
  {
    name: "concat, split, tanh, sum pooling",
    inputs: { a: of(2, 4, 4, 3), b: of(2, 4, 4, 5) },
    compute: (t) => {
      const joined = tf.tanh(tf.concat([get(t, "a"), get(t, "b")], 3));
      const [left, right] = tf.split(joined, 2, 3) as [Tensor, Tensor];
      return tf.sum(tf.mul(left, tf.exp(right)), [1, 2]);
    },
    gradients: ["a", "b"],
    smooth: true,
  },
  {
    name: "mean over shots, slices, neg, div",
    inputs: { x: of(6, 8) },
    compute: (t) => {
      const mean = tf.mean(get(t, "x").reshape([2, 3, 8]), 1);
      return tf.div(tf.neg(tf.slice(mean, [0, 2], [2, 5])), 3);
    },
    gradients: ["x"],
    smooth: true,
  },
  {
    name: "stack of many scalars, flag",
    inputs: { x: of(120) },
    compute: (t) => {
      const parts = tf.split(get(t, "x"), 120).map((part) => tf.sum(tf.square(part)));
      const total = tf.sum(tf.stack(parts));
      return [total, tf.where(tf.isFinite(total), tf.onesLike(total), tf.zerosLike(total))];
    },
  },
  {
    name: "sum of 20 tensors",
    inputs: { x: of(20, 3, 4) },
    compute: (t) => tf.addN(tf.unstack(get(t, "x"))),
  },
  {
    name: "convolution with stride",
    inputs: { x: of(2, 9, 8, 3), w: of(3, 3, 3, 4) },
    compute: (t) => tf.conv2d(image(get(t, "x")), image(get(t, "w")), 2, "same"),
    gradients: ["x", "w"],
    smooth: true,
  },
  ...[1, 2].map((stride): Case => ({
    name: `depthwise convolution stride ${stride}`,
    inputs: { x: of(2, 7, 8, 5), w: of(3, 3, 5, 1) },
    compute: (t) => tf.depthwiseConv2d(image(get(t, "x")), image(get(t, "w")), stride, "same"),
    gradients: stride === 1 ? ["x", "w"] : [], // wasm has none with a stride
    smooth: stride === 1,
  })),
  ...([[2, 2, "valid"], [3, 2, "same"]] as const).map(([size, stride, pad]): Case => ({
    name: `max pool ${size} stride ${stride}`,
    // Stock wasm loses the gradient where no number is positive; we pool after ReLU.
    inputs: { x: positive(2, 8, 8, 5) },
    compute: (t) => tf.maxPool(image(get(t, "x")), size, stride, pad),
    gradients: ["x"],
  })),
  {
    name: "average pool of a whole map",
    inputs: { x: of(2, 6, 6, 5) },
    compute: (t) => tf.avgPool(image(get(t, "x")), 6, 1, "valid"),
    gradients: ["x"],
    smooth: true,
  },
  {
    name: "bilinear resize", // of a square: stock cpu mixes up the sides in its gradient
    inputs: { x: of(1, 5, 5, 3) },
    compute: (t) => tf.image.resizeBilinear(image(get(t, "x")), [8, 8]),
    gradients: ["x"],
    smooth: true,
  },
  {
    name: "leaky relu, sigmoid, log, sqrt, abs",
    inputs: { x: apart(3, 7) },
    compute: (t) => {
      const x = tf.leakyRelu(get(t, "x"), 0.2);
      return tf.add(tf.sigmoid(x), tf.log(tf.sqrt(tf.add(tf.abs(x), 1))));
    },
    gradients: ["x"],
    smooth: true,
  },
  {
    // Stock webgpu computes with whole numbers as floats: exact up to 2^24 only.
    name: "whole numbers",
    inputs: { i: { shape: [5], value: (_, i) => 2 ** 22 + 3 * i, dtype: "int32" } },
    compute: (t) => tf.sub(tf.mul(get(t, "i"), whole(2)), tf.add(get(t, "i"), whole(2 ** 22))),
  },
];

const spoilt = (value: number): Input["value"] => (draw, i) => i === 5 ? value : draw.normal();

/** What is not finite must come out not finite where the reference has it so. */
export const nonFiniteCases: readonly Case[] = [NaN, Infinity, -Infinity].flatMap((value) => {
  const bad = (...shape: number[]): Input => ({ shape, value: spoilt(value) ?? (() => value) });
  return [
    {
      name: `${value} through convolve`,
      inputs: { x: bad(1, 5, 5, 2), filter: of(3, 3, 2, 3) },
      compute: (t: Named) => convolve(get(t, "x"), get(t, "filter")),
    },
    {
      name: `${value} through convolve's gradients`,
      inputs: { dy: bad(1, 5, 5, 2), x: of(1, 5, 5, 3), filter: of(3, 3, 3, 2) },
      compute: (t: Named) => [
        runOne("ConvolveInputGrad", { dy: get(t, "dy"), filter: get(t, "filter") }),
        runOne("BiasGrad", { dy: get(t, "dy") }),
      ],
    },
    {
      name: `${value} through instance norm`,
      inputs: { x: bad(2, 4, 4, 3), gain: of(1, 3), bias: of(1, 3) },
      compute: (t: Named) => instanceNormalize(get(t, "x"), get(t, "gain"), get(t, "bias")),
    },
    {
      name: `${value} through pooling, upsampling, relu`,
      inputs: { x: bad(1, 4, 4, 2) },
      compute: (t: Named) => [
        averagePool2(get(t, "x")),
        upsampleNearest2(get(t, "x")),
        relu(get(t, "x")),
      ],
    },
    {
      name: `${value} through the sums`,
      inputs: { x: bad(3, 5), y: of(3, 5) },
      compute: (t: Named) => [
        squaredNorm(get(t, "x")),
        meanAbsoluteDifference(get(t, "x"), get(t, "y")),
        tf.isFinite(squaredNorm(get(t, "x"))).toFloat(),
      ],
    },
  ];
});
