/** Cases of what training is made of: spectral norms, reductions, updates. */
import { tf } from "../../backends/tf.ts";
import { runOne } from "../../backends/kernels/gradients.ts";
import {
  adamUpdate,
  exponentialAverage,
  meanAbsoluteDifference,
  powerIteration,
  relu,
  softmax,
  spectralNormalize,
  squaredNorm,
} from "../../backends/ops.ts";
import type { Case, Named } from "./conformance.ts";
import { apart, constant, get, of, positive } from "./case_inputs.ts";

/** Spectral norm and its power iteration. */
export const spectral: readonly Case[] = [[3, 3, 5, 8], [1, 1, 8, 1], [17, 6], [3, 3, 60, 17], [
  4,
  1,
]]
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

/** Means and norms. */
export const reductions: readonly Case[] = [[1, 1], [3, 5, 7, 2], [1, 60, 61, 1]].flatMap(
  (shape) => {
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
  },
);

/** Pixel by pixel. */
export const pixelwise: readonly Case[] = [
  {
    name: "relu",
    inputs: { x: apart(3, 5, 7, 2) },
    compute: (t) => relu(get(t, "x")),
    gradients: ["x"],
    smooth: true,
  },
  ...[[3, 5, 7], [2, 40], [1, 3]].map((shape) => ({
    name: `softmax ${shape.join("x")}`,
    inputs: { x: of(...shape) },
    compute: (t: Named) => softmax(get(t, "x")),
    gradients: ["x"],
    smooth: true,
  })),
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

/** Adam and the moving average. */
export const updates: readonly Case[] = [
  adam("without first moment", 0, 1, 1),
  adam("with first moment", 0.5, 3, 1),
  adam("late", 0, 100_000, 1),
  adam("stopped", 0.5, 3, 0),
  adam("stopped by a NaN", 0, 3, NaN),
];

/** A step that is not finite changes nothing. */
export const stopped: Case = {
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
