/**
 * Kernels in which every output depends on a few inputs: ReLU's gradient, 2×2 pooling and
 * upsampling, the gradient of L1, Adam.
 *
 * @module
 */
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import { type Kernel, need, sides, sizeOf } from "./kernel.ts";

const flat = [flatThreads, 1, 1] as const;

const reluGradProgram: Program = {
  key: "relu grad",
  inputs: ["dy", "y"],
  outputs: ["dx"],
  parameters: { size: "i32" },
  workgroup: flat,
  body: `${flatIndex}
  dx[index] = select(0.0, dy[index], y[index] > 0.0);`,
};

/** dy where y > 0, else 0. */
export const reluGrad: Kernel = (call) => {
  const dy = need(call, "dy"), size = sizeOf(dy.shape);
  return dispatch(call.backend, reluGradProgram, {
    inputs: [dy, need(call, "y")],
    outputs: [dy.shape],
    parameters: { size },
    groups: flatGroups(size),
  });
};

// Both work on whole rows of pixels: output row r of all images reads input rows 2r and 2r + 1,
// or r / 2, whatever the image; `width` counts numbers, not pixels.
const rowProgram = (key: string, body: string): Program => ({
  key,
  inputs: ["x"],
  outputs: ["y"],
  parameters: { width: "i32", channels: "i32", scale: "f32" },
  workgroup: flat,
  body: `
  let i = group.x * ${flatThreads} + lane;
  if (i >= p.width) { return; }
  let column = i / p.channels;
  ${body}`,
});

const poolProgram = rowProgram(
  "average pool 2",
  `
  let upper = 4 * group.y * p.width + i + column * p.channels;
  let lower = upper + 2 * p.width;
  y[group.y * p.width + i] =
    p.scale * (x[upper] + x[upper + p.channels] + x[lower] + x[lower + p.channels]);`,
);

const upsampleProgram = rowProgram(
  "upsample nearest 2",
  `
  let source = (group.y / 2) * (p.width / 2) + i - ((column + 1) / 2) * p.channels;
  y[group.y * p.width + i] = p.scale * x[source];`,
);

const resize = (program: Program, factor: number): Kernel => (call) => {
  const x = need(call, "x"), [batch, height, width, channels] = sides(x);
  const shape = [batch, height * factor, width * factor, channels];
  const rowWidth = width * factor * channels;
  return dispatch(call.backend, program, {
    inputs: [x],
    outputs: [shape],
    parameters: { width: rowWidth, channels, scale: Number(call.attributes.scale) },
    groups: [Math.ceil(rowWidth / flatThreads), batch * height * factor, 1],
  });
};

/** scale · sum of each 2×2 square. // [B, 2H, 2W, C] → [B, H, W, C] */
export const averagePool2: Kernel = resize(poolProgram, 1 / 2);
/** scale · x, each value four times. // [B, H, W, C] → [B, 2H, 2W, C] */
export const upsampleNearest2: Kernel = resize(upsampleProgram, 2);

const differenceGradProgram: Program = {
  key: "mean absolute difference grad",
  inputs: ["dy", "a", "b"],
  outputs: ["da"],
  parameters: { size: "i32" },
  workgroup: flat,
  body: `${flatIndex}
  da[index] = sign(a[index] - b[index]) * (dy[0] / f32(p.size));`,
};

/** dy · sign(a − b) / size. */
export const meanAbsoluteDifferenceGrad: Kernel = (call) => {
  const a = need(call, "a"), size = sizeOf(a.shape);
  return dispatch(call.backend, differenceGradProgram, {
    inputs: [need(call, "dy"), a, need(call, "b")],
    outputs: [a.shape],
    parameters: { size },
    groups: flatGroups(size),
  });
};

// A NaN in a comparison may be anything on some drivers, so the flag is tested by its bits.
const adamProgram = (momentum: boolean): Program => ({
  key: `adam ${momentum}`,
  inputs: ["parameter", "gradient", ...(momentum ? ["first"] : []), "second", "finite"],
  outputs: ["moved", "second2", ...(momentum ? ["first2"] : [])],
  parameters: {
    size: "i32",
    rate: "f32",
    keep1: "f32",
    take1: "f32",
    keep2: "f32",
    take2: "f32",
    correction2: "f32",
    epsilon: "f32",
  },
  workgroup: flat,
  body: `${flatIndex}
  let bits = bitcast<u32>(finite[0]);
  let go = bits != 0u && bits <= 0x7f800000u;
  let g = gradient[index];
  let m = ${momentum ? "first[index] * p.keep1 + g * p.take1" : "g"};
  let v = second[index] * p.keep2 + g * g * p.take2;
  let change = m * p.rate / (sqrt(v) / p.correction2 + p.epsilon);
  if (go) {
    moved[index] = parameter[index] - change;
    second2[index] = v;
    ${momentum ? "first2[index] = m;" : ""}
  } else {
    moved[index] = parameter[index];
    second2[index] = second[index];
    ${momentum ? "first2[index] = first[index];" : ""}
  }`,
});

/** One Adam update; everything stays where `finite` is not above 0. */
export const adamUpdate: Kernel = (call) => {
  const { backend, attributes, inputs } = call;
  const parameter = need(call, "parameter"), first = inputs.first;
  const size = sizeOf(parameter.shape), { shape } = parameter;
  const step = Number(attributes.step), beta1 = first ? Number(attributes.beta1) : 0;
  const beta2 = Number(attributes.beta2);
  return dispatch(backend, adamProgram(first !== undefined), {
    inputs: [
      parameter,
      need(call, "gradient"),
      ...(first ? [first] : []),
      need(call, "second"),
      need(call, "finite"),
    ],
    outputs: first ? [shape, shape, shape] : [shape, shape],
    parameters: {
      size,
      rate: Number(attributes.rate) / (1 - beta1 ** step),
      keep1: beta1,
      take1: 1 - beta1,
      keep2: beta2,
      take2: 1 - beta2,
      correction2: Math.sqrt(1 - beta2 ** step),
      epsilon: Number(attributes.epsilon),
    },
    groups: flatGroups(size),
  });
};

const averageProgram: Program = {
  key: "exponential average",
  inputs: ["average", "value"],
  outputs: ["moved"],
  parameters: { size: "i32", keep: "f32", take: "f32" },
  workgroup: flat,
  body: `${flatIndex}
  moved[index] = p.keep * average[index] + p.take * value[index];`,
};

/** decay · average + (1 − decay) · value. */
export const exponentialAverage: Kernel = (call) => {
  const average = need(call, "average"), size = sizeOf(average.shape);
  const keep = Number(call.attributes.decay);
  return dispatch(call.backend, averageProgram, {
    inputs: [average, need(call, "value")],
    outputs: [average.shape],
    parameters: { size, keep, take: 1 - keep },
    groups: flatGroups(size),
  });
};
