/**
 * The gradient of instance normalisation (`norm.ts`), through its ReLU: two passes over the data.
 *
 * @module
 */
import type { TensorInfo } from "../tf.ts";
import { dispatch, flatGroups, flatIndex, type Program } from "./dispatch.ts";
import { free, type Kernel, need } from "./kernel.ts";
import { flat, geometry, locate, overPositions, tileArray, tiled } from "./norm.ts";
import { foldRows } from "./reduce.ts";

// dy where ReLU let the value through; without ReLU the bias is not even bound.
const passed = (relu: boolean): string =>
  relu ? "select(0.0, dy[at], normal * gain[affine] + bias[affine] > 0.0)" : "dy[at]";

const gradSumsProgram = (relu: boolean): Program => ({
  key: `normalize grad sums ${relu}`,
  inputs: ["dy", "x", "mean", "deviation", ...(relu ? ["gain", "bias"] : [])],
  outputs: ["total", "weighted"],
  parameters: { area: "i32", channels: "i32", shared_: "i32" },
  workgroup: tiled,
  declarations: ["totals", "weights"].map(tileArray).join("\n"),
  body: `${
    overPositions(
      `let statistic = min(group.z * p.channels + channel, (group.z + 1) * p.channels - 1);
      let affine = select(min(channel, p.channels - 1), statistic, p.shared_ == 0);
      let m = mean[statistic]; let r = deviation[statistic];
      var t = 0.0; var w = 0.0;`,
      `let at = base + i * p.channels;
      let normal = (x[at] - m) * r;
      let d = ${passed(relu)};
      t += d; w += d * normal;`,
    )
  }
  totals[lane] = t; weights[lane] = w;
  ${foldRows("totals", "weights")}
  if (local.y == 0 && channel < p.channels) {
    let to = (group.z * groups.y + group.y) * p.channels + channel;
    total[to] = totals[lane]; weighted[to] = weights[lane];
  }`,
});

// Sums the chunks, and the samples too where they share gain and bias. Eight bindings are
// guaranteed and the last pass would need nine, so it gets both sums as one array.
const gradMergeProgram: Program = {
  key: "normalize grad merge",
  inputs: ["totals", "weights"],
  outputs: ["sums", "dgain", "dbias"],
  parameters: { size: "i32", samples: "i32", chunks: "i32", channels: "i32", half: "i32" },
  workgroup: flat,
  body: `${flatIndex}
  let channel = index % p.channels;
  let first = index / p.channels;
  var total = 0.0; var weighted = 0.0;
  for (var sample = first; sample < first + p.samples; sample++) {
    var t = 0.0; var w = 0.0;
    for (var i = 0; i < p.chunks; i++) {
      let source = (sample * p.chunks + i) * p.channels + channel;
      t += totals[source]; w += weights[source];
    }
    let to = sample * p.channels + channel;
    sums[to] = t; sums[p.half + to] = w;
    total += t; weighted += w;
  }
  dgain[index] = weighted; dbias[index] = total;`,
};

const gradApplyProgram = (relu: boolean): Program => ({
  key: `normalize grad ${relu}`,
  inputs: ["dy", "x", "mean", "deviation", "gain", ...(relu ? ["bias"] : []), "sums"],
  outputs: ["dx"],
  parameters: { size: "i32", stride: "i32", channels: "i32", shared_: "i32", half: "i32" },
  workgroup: flat,
  body: `${locate}
  let at = index;
  let normal = (x[at] - mean[statistic]) * deviation[statistic];
  let d = ${passed(relu)};
  let area = f32(p.stride / p.channels);
  dx[index] = gain[affine] * deviation[statistic] *
    (d - (sums[statistic] + normal * sums[p.half + statistic]) / area);`,
});

/** dx beside the sums that are the gradients of gain and bias. */
export const instanceNormalizeGrad: Kernel = (call) => {
  const { backend, attributes } = call;
  const { batch, area, channels, chunks, shared, tiles } = geometry(call);
  const relu = attributes.relu === true, size = batch * area * channels, half = batch * channels;
  const dy = need(call, "dy"), x = need(call, "x"), gain = need(call, "gain");
  const mean = need(call, "mean"), deviation = need(call, "deviation");
  const bias = relu ? [need(call, "bias")] : [];
  const partial = dispatch(backend, gradSumsProgram(relu), {
    inputs: [dy, x, mean, deviation, ...(relu ? [gain, ...bias] : [])],
    outputs: [[batch, chunks, channels], [batch, chunks, channels]],
    parameters: { area, channels, shared_: Number(shared) },
    groups: tiles,
  });
  const rows = shared ? 1 : batch;
  const [sums, dgain, dbias] = dispatch(backend, gradMergeProgram, {
    inputs: partial,
    outputs: [[2, batch, channels], [rows, channels], [rows, channels]],
    parameters: {
      size: rows * channels,
      samples: shared ? batch : 1,
      chunks,
      channels,
      half,
    },
    groups: flatGroups(rows * channels),
  }) as [TensorInfo, TensorInfo, TensorInfo];
  free(backend, ...partial);
  const [dx] = dispatch(backend, gradApplyProgram(relu), {
    inputs: [dy, x, mean, deviation, gain, ...bias, sums],
    outputs: [x.shape],
    parameters: { size, stride: area * channels, channels, shared_: Number(shared), half },
    groups: flatGroups(size),
  }) as [TensorInfo];
  free(backend, sums);
  return [dx, dgain, dbias];
};
