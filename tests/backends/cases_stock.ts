/** Cases of stock operations, and of numbers that are not finite. */
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../../backends/tf.ts";
import { runOne } from "../../backends/kernels/gradients.ts";
import {
  averagePool2,
  convolve,
  instanceNormalize,
  meanAbsoluteDifference,
  relu,
  squaredNorm,
  upsampleNearest2,
} from "../../backends/ops.ts";
import type { Case, Input, Named } from "./conformance.ts";
import { apart, get, of, positive } from "./case_inputs.ts";

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
