/**
 * What is done with gradients: Adam, the moving average, the norm. Of one variable, or of all those
 * of a network in one dispatch.
 *
 * @module
 */
import { dispatch, flatGroups, flatIndex, flatThreads, type Program } from "./dispatch.ts";
import type { TensorInfo } from "../tf.ts";
import { at, free, type Kernel, type KernelCall, listed, need, sizeOf } from "./kernel.ts";
import { pack, packable, unpack } from "./packed.ts";
import { squaredNorm, sumAll } from "./reduce.ts";

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
  workgroup: [flatThreads, 1, 1],
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
  workgroup: [flatThreads, 1, 1],
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

/** Lists of tensors in rows of some of equal shape, cut so that each can be packed. */
const packableRows = (call: KernelCall, list: readonly TensorInfo[], width: number) => {
  const rows = Array.from(
    { length: list.length / width },
    (_, i) => list.slice(i * width, (i + 1) * width),
  );
  for (const [first, ...rest] of rows) {
    for (const { shape } of rest) {
      if (String(shape) === String(first?.shape)) continue;
      throw new Error(`Cannot run kernel: an input is [${shape}], expected [${first?.shape}]`);
    }
  }
  return packable(call.backend, rows, (row) => at(row).shape);
};

/** Runs a kernel of tensors on rows of them, packed: one dispatch; results are listed row by row. */
const onPacked = (
  { backend, attributes }: KernelCall,
  rows: readonly (readonly TensorInfo[])[],
  names: readonly string[],
  kernel: Kernel,
  others: KernelCall["inputs"] = {},
): TensorInfo[] => {
  const packed = names.map((_, i) => pack(backend, rows.map((row) => at(row, i))));
  const inputs = Object.fromEntries(names.map((name, i) => [name, at(packed, i)]));
  const outputs = kernel({ backend, attributes, inputs: { ...inputs, ...others } });
  free(backend, ...packed);
  const shapes = rows.map((row) => at(row).shape);
  const lists = outputs.map((output) => unpack(backend, output, shapes));
  return shapes.flatMap((_, i) => lists.map((list) => at(list, i)));
};

/** Adam on [parameter, gradient, second, first?] each: one dispatch for all. */
export const adamUpdates: Kernel = (call) => {
  const [finite, ...rest] = listed(call);
  if (!finite) throw new Error("Cannot update: there is no flag");
  const names = ["parameter", "gradient", "second"];
  if (call.attributes.momentum === true) names.push("first");
  return packableRows(call, rest, names.length).flatMap((slots) =>
    onPacked(call, slots, names, adamUpdate, { finite })
  );
};

/** {@link exponentialAverage} of [average, value] each: one dispatch for all. */
export const exponentialAverages: Kernel = (call) =>
  packableRows(call, listed(call), 2).flatMap((pairs) =>
    onPacked(call, pairs, ["average", "value"], exponentialAverage)
  );

/** Σ x² over all tensors: two dispatches. // [] */
export const squaredNorms: Kernel = (call) => {
  const { backend, attributes } = call;
  const sums = packable(backend, listed(call), ({ shape }) => shape).map((tensors) => {
    const x = pack(backend, tensors), sum = at(squaredNorm({ backend, attributes, inputs: { x } }));
    free(backend, x);
    return sum;
  });
  if (sums.length === 1) return sums;
  const x = pack(backend, sums), total = sumAll(backend, "numbers", { x }, "x[i]");
  free(backend, x, ...sums);
  return [total];
};
