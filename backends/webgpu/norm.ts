/**
 * Instance normalisation with an affine part that is shared or per sample (AdaIN), fused with
 * ReLU: two passes over the data where composed operations take nine. Its gradient is in
 * `norm_grad.ts`.
 *
 * @module
 */
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import { free, type Kernel, type KernelCall, need, sides, sizeOf } from "./kernel.ts";
import { chunkRows, tile } from "./reduce.ts";

/** Threads of a program over numbers. */
export const flat = [flatThreads, 1, 1] as const;
/** Threads of a program over positions and channels. */
export const tiled = [tile, tile, 1] as const;
/** WGSL: an array that the threads of such a program share. */
export const tileArray = (name: string): string =>
  `var<workgroup> ${name}: array<f32, ${tile * tile}>;`;

/**
 * WGSL: what a thread does first, and for each of its positions. A workgroup sees 16 channels and
 * up to 1024 positions of one sample, which is group.z.
 */
export const overPositions = (first: string, step: string): string => `
  let channel = group.x * ${tile} + local.x;
  let start = group.y * ${chunkRows} + local.y;
  let end = min((group.y + 1) * ${chunkRows}, p.area);
  let base = group.z * p.area * p.channels + channel;
  ${first}
  if (channel < p.channels) {
    for (var i = start; i < end; i += ${tile}) { ${step} }
  }`;

// Each thread sums around its own first value, then means and squares are merged in pairs: the
// variance of a map with a large mean keeps its digits, in one pass.
const momentsProgram: Program = {
  key: "moments",
  inputs: ["x"],
  outputs: ["mean", "squares"],
  parameters: { area: "i32", channels: "i32" },
  workgroup: tiled,
  declarations: ["counts", "means", "sums"].map(tileArray).join("\n"),
  body: `${
    overPositions(
      `var count = 0.0; var pivot = 0.0; var s1 = 0.0; var s2 = 0.0;`,
      `let value = x[base + i * p.channels];
      if (count == 0.0) { pivot = value; }
      let d = value - pivot;
      count += 1.0; s1 += d; s2 += d * d;`,
    )
  }
  let n = max(count, 1.0);
  counts[lane] = count; means[lane] = pivot + s1 / n; sums[lane] = s2 - s1 * s1 / n;
  workgroupBarrier();
  for (var step = ${tile / 2}; step > 0; step = step / 2) {
    if (local.y < step) {
      let other = lane + step * ${tile};
      let a = counts[lane]; let b = counts[other];
      if (b > 0.0) {
        let d = means[other] - means[lane];
        means[lane] += d * b / (a + b);
        sums[lane] += sums[other] + d * d * a * b / (a + b);
        counts[lane] = a + b;
      }
    }
    workgroupBarrier();
  }
  if (local.y == 0 && channel < p.channels) {
    let to = (group.z * groups.y + group.y) * p.channels + channel;
    mean[to] = means[lane]; squares[to] = max(sums[lane], 0.0);
  }`,
};

const deviationProgram: Program = {
  key: "deviation",
  inputs: ["means", "squares"],
  outputs: ["mean", "deviation"],
  parameters: { size: "i32", chunks: "i32", area: "i32", channels: "i32", epsilon: "f32" },
  workgroup: flat,
  body: `${flatIndex}
  let base = (index / p.channels) * p.chunks * p.channels + index % p.channels;
  var count = 0.0; var m = 0.0; var s = 0.0;
  for (var i = 0; i < p.chunks; i++) {
    let b = f32(min(${chunkRows}, p.area - i * ${chunkRows}));
    let d = means[base + i * p.channels] - m;
    s += squares[base + i * p.channels] + d * d * count * b / (count + b);
    m += d * b / (count + b);
    count += b;
  }
  mean[index] = m;
  deviation[index] = 1.0 / sqrt(s / count + p.epsilon);`,
};

/** WGSL: `statistic` is the index of sample and channel, `affine` that of the gain, shared or not. */
export const locate = `${flatIndex}
  let channel = index % p.channels;
  let statistic = (index / p.stride) * p.channels + channel;
  let affine = select(channel, statistic, p.shared_ == 0);`;

const applyProgram = (relu: boolean): Program => ({
  key: `normalize ${relu}`,
  inputs: ["x", "mean", "deviation", "gain", "bias"],
  outputs: ["y"],
  parameters: { size: "i32", stride: "i32", channels: "i32", shared_: "i32" },
  workgroup: flat,
  body: `${locate}
  let value =
    (x[index] - mean[statistic]) * deviation[statistic] * gain[affine] + bias[affine];
  y[index] = ${relu ? "select(value, 0.0, value < 0.0)" : "value"};`,
});

/** Sides of a call, and the workgroups that cover its positions. */
export const geometry = (call: KernelCall) => {
  const [batch, height, width, channels] = sides(need(call, "x"));
  const area = height * width, chunks = Math.ceil(area / chunkRows);
  const shared = need(call, "gain").shape[0] === 1 && batch > 1;
  const tiles = [Math.ceil(channels / tile), chunks, batch] as const;
  return { batch, area, channels, chunks, shared, tiles };
};

/** (x − mean) · deviation · gain + bias, optionally ReLU, beside mean and deviation [B, C]. */
export const instanceNormalize: Kernel = (call) => {
  const { backend, attributes } = call;
  const { batch, area, channels, chunks, shared, tiles } = geometry(call);
  const x = need(call, "x"), size = sizeOf(x.shape);
  const moments = dispatch(backend, momentsProgram, {
    inputs: [x],
    outputs: [[batch, chunks, channels], [batch, chunks, channels]],
    parameters: { area, channels },
    groups: tiles,
  });
  const statistics = dispatch(backend, deviationProgram, {
    inputs: moments,
    outputs: [[batch, channels], [batch, channels]],
    parameters: {
      size: batch * channels,
      chunks,
      area,
      channels,
      epsilon: Number(attributes.epsilon),
    },
    groups: flatGroups(batch * channels),
  });
  free(backend, ...moments);
  const y = dispatch(backend, applyProgram(attributes.relu === true), {
    inputs: [x, ...statistics, need(call, "gain"), need(call, "bias")],
    outputs: [x.shape],
    parameters: { size, stride: area * channels, channels, shared_: Number(shared) },
    groups: flatGroups(size),
  });
  return [...y, ...statistics];
};
