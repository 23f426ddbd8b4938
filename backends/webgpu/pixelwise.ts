/**
 * Kernels in which every output depends on a few inputs: ReLU's gradient, 2×2 pooling and
 * upsampling, the gradient of L1.
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
