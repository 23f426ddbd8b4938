/**
 * Filters in half precision: two numbers in each u32, read by `convolve.ts`, which computes in f32.
 * Half the memory and half of what is read, with an error of at most 2⁻¹¹ of each weight. Packing
 * is core WGSL, so that no feature of the device is needed.
 *
 * @module
 */
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import { type Kernel, need, sizeOf } from "./kernel.ts";

/** The largest number that a half can hold; beyond it packing is undefined. */
const largest = 65504;

const packProgram: Program = {
  key: "pack halves",
  inputs: ["x"],
  outputs: ["halves"],
  halves: ["halves"],
  parameters: { size: "i32" },
  workgroup: [flatThreads, 1, 1],
  body: `${flatIndex}
  let pair = vec2<f32>(x[2 * index], x[2 * index + 1]);
  halves[index] = pack2x16float(clamp(pair, vec2<f32>(-${largest}.0), vec2<f32>(${largest}.0)));`,
};

/** Neighbours of the last axis, which is even, share a number. // [..., 2C] → int32 [..., C] */
export const packHalves: Kernel = (call) => {
  const x = need(call, "x"), size = sizeOf(x.shape) / 2;
  return dispatch(call.backend, packProgram, {
    inputs: [x],
    outputs: [[...x.shape.slice(0, -1), (x.shape.at(-1) ?? 0) / 2]],
    parameters: { size },
    groups: flatGroups(size),
  });
};
