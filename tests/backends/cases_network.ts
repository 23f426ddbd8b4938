/** Cases of what networks are made of: convolutions, norms, resampling. */
import type { Draw } from "../../pipeline/core/rng.ts";
import { averagePool2, convolve, instanceNormalize, upsampleNearest2 } from "../../backends/ops.ts";
import type { Case, Input, Named } from "./conformance.ts";
import { get, of } from "./case_inputs.ts";

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

/** Convolutions with both gradients. */
export const convolutions: readonly Case[] = [
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

/** Instance norms and AdaIN. */
export const norms: readonly Case[] = [
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

/** Halving and doubling. */
export const resampling: readonly Case[] = [[1, 8, 8, 8], [3, 6, 10, 3], [1, 2, 2, 1]].flatMap((
  shape,
) => [
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
