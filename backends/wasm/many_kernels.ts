/**
 * Kernels that work on all parameters of a network in one call (`manyNames` of
 * `kernels/names.ts`), and those for one, which are calls with a list of one: updates and sums
 * here, spectral norms in `spectral_kernels.ts`.
 *
 * @module
 */
import type { TensorInfo } from "../tf.ts";
import type { KernelName, ManyName } from "../kernels/names.ts";
import { grouped, listed, type Row, withTable } from "./lists.ts";
import {
  at,
  type Call,
  floats,
  given,
  make,
  replaceKernel,
  type Results,
  sameSize,
  scalar,
  sizeOf,
} from "./registry.ts";
import { spectralKernels } from "./spectral_kernels.ts";

/** Numbers of a run: what one thread takes at once. */
const runLength = 16384;

/** Tensors of equal size cut into runs: a row of addresses and a length each. */
const runsOf = (call: Call, tensors: readonly TensorInfo[]): readonly Row[] => {
  const size = sizeOf(tensors[0]?.shape ?? []), addresses = tensors.map((info) => at(call, info));
  return Array.from({ length: Math.ceil(size / runLength) }, (_, i) => {
    const from = i * runLength;
    return [...addresses.map((address) => address + 4 * from), Math.min(runLength, size - from)];
  });
};

/** Adam of [parameter, gradient, second, first?] each. */
const adam = (
  call: Call,
  finite: TensorInfo,
  slots: readonly (readonly TensorInfo[])[],
  momentum: boolean,
): TensorInfo[] => {
  const { rate, beta1, beta2, epsilon, step } = call.attributes, b2 = Number(beta2);
  const b1 = momentum ? Number(beta1) : 0;
  const made = slots.map((slot) => slot.slice(1).map(({ shape }) => make(call, shape)));
  const rows = slots.flatMap((slot, i) => {
    sameSize(slot);
    return runsOf(call, [...slot, ...made[i] ?? []]);
  });
  withTable(
    call,
    rows,
    0,
    (table) =>
      call.pool.kernel(momentum ? "adamMomentumUpdates" : "adamUpdates")(
        ...[table, rows.length, at(call, finite)],
        ...[Number(rate) / (1 - b1 ** Number(step)), b2, 1 - b2, Number(epsilon)],
        1 / Math.sqrt(1 - b2 ** Number(step)),
        ...(momentum ? [b1, 1 - b1] : []),
      ),
  );
  return made.flat();
};

const adamUpdates = (call: Call): Results => {
  const [finite, ...rest] = listed(call);
  if (!finite) throw new Error("Cannot update: there is no flag");
  const momentum = call.attributes.momentum === true;
  return adam(call, finite, grouped(rest, momentum ? 4 : 3), momentum);
};

const adamUpdate = (call: Call): Results => {
  const momentum = call.inputs.first !== undefined;
  const slot = ["parameter", "gradient", "second", ...(momentum ? ["first"] : [])];
  return adam(call, given(call, "finite"), [slot.map((name) => given(call, name))], momentum);
};

const averages = (call: Call, pairs: readonly (readonly TensorInfo[])[]): TensorInfo[] => {
  const made = pairs.map(([average]) => make(call, average?.shape ?? []));
  const rows = pairs.flatMap((pair, i) => {
    sameSize(pair);
    return runsOf(call, [...pair, ...made.slice(i, i + 1)]);
  });
  const decay = Number(call.attributes.decay);
  withTable(
    call,
    rows,
    0,
    (table) => call.pool.kernel("exponentialAverages")(table, rows.length, decay, 1 - decay),
  );
  return made;
};

/** Σ of the squares of all numbers of some tensors; parts are added in their order. */
const squares = (call: Call, tensors: readonly TensorInfo[]): Results => {
  const rows = tensors.flatMap((tensor) => runsOf(call, [tensor]));
  let sum = 0;
  withTable(call, rows, 4 * rows.length, (table, partial) => {
    call.pool.kernel("squaredNorms")(table, rows.length, partial);
    sum = floats(call, partial, rows.length).reduce((total, part) => total + part, 0);
  });
  return scalar(call, sum);
};

/** What these kernels are called. */
const kernels: Readonly<Partial<Record<KernelName | ManyName, (call: Call) => Results>>> = {
  AdamUpdate: adamUpdate,
  AdamUpdates: adamUpdates,
  ExponentialAverage: (call) => averages(call, [[given(call, "average"), given(call, "value")]]),
  ExponentialAverages: (call) => averages(call, grouped(listed(call), 2)),
  SquaredNorm: (call) => squares(call, [given(call, "x")]),
  SquaredNorms: (call) => squares(call, listed(call)),
  ...spectralKernels,
};

/** Registers them. */
export const registerManyKernels = (): void => {
  for (const [name, compute] of Object.entries(kernels)) replaceKernel(name, compute);
};
