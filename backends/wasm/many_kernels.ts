/**
 * Kernels that work on all parameters of a network in one call (`manyNames` of
 * `kernels/names.ts`), and those for one, which are calls with a list of one.
 *
 * @module
 */
import type { TensorInfo } from "../tf.ts";
import { type KernelName, type ManyName, normFloor } from "../kernels/names.ts";
import {
  at,
  type Call,
  float,
  floats,
  given,
  make,
  replaceKernel,
  type Results,
  sameSize,
  scalar,
  sizeOf,
} from "./registry.ts";
import { withParts } from "./scratch.ts";

/** Numbers of a run: what one thread takes at once. */
const runLength = 16384;

/** Inputs of a kernel that takes a list. */
const listed = ({ inputs }: Call): readonly TensorInfo[] =>
  (inputs as unknown as readonly TensorInfo[]).map((info, i) => float(info, `${i}`));

/** A list in groups of so many. */
const grouped = (list: readonly TensorInfo[], size: number): readonly (readonly TensorInfo[])[] =>
  Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size));

type Row = readonly number[];

/** Tensors of equal size cut into runs: a row of addresses and a length each. */
const runsOf = (call: Call, tensors: readonly TensorInfo[]): readonly Row[] => {
  const size = sizeOf(tensors[0]?.shape ?? []), addresses = tensors.map((info) => at(call, info));
  return Array.from({ length: Math.ceil(size / runLength) }, (_, i) => {
    const from = i * runLength;
    return [...addresses.map((address) => address + 4 * from), Math.min(runLength, size - from)];
  });
};

/** Runs `f` with the address of a table on the heap, and of working memory behind it. */
const withTable = (
  call: Call,
  rows: readonly Row[],
  workingBytes: number,
  f: (table: number, working: number) => void,
): void =>
  withParts(
    call.pool,
    [4 * rows.length * (rows[0]?.length ?? 0), workingBytes],
    (table, working) => {
      const cells = rows.flat();
      new Uint32Array(call.pool.memory.buffer, table, cells.length).set(cells);
      f(table, working);
    },
  );

/** Adam without a first moment of [parameter, gradient, second] each. */
const adam = (
  call: Call,
  finite: TensorInfo,
  slots: readonly (readonly TensorInfo[])[],
): TensorInfo[] => {
  const { rate, beta2, epsilon, step } = call.attributes, b2 = Number(beta2);
  const made = slots.map((slot) => slot.slice(0, 2).map(({ shape }) => make(call, shape)));
  const rows = slots.flatMap((slot, i) => {
    sameSize(slot);
    return runsOf(call, [...slot, ...made[i] ?? []]);
  });
  withTable(call, rows, 0, (table) =>
    call.pool.kernel("adamUpdates")(
      ...[table, rows.length, at(call, finite), Number(rate), b2, 1 - b2, Number(epsilon)],
      1 / Math.sqrt(1 - b2 ** Number(step)),
    ));
  return made.flat();
};

const adamUpdates = (call: Call): Results => {
  const [finite, ...rest] = listed(call);
  if (!finite) throw new Error("Cannot update: there is no flag");
  return adam(call, finite, grouped(rest, 3));
};

/** Adam with a first moment stays composed: only the baselines have one. */
const adamUpdate = (call: Call): Results => {
  if (call.inputs.first) return call.before();
  const slot = ["parameter", "gradient", "second"].map((name) => given(call, name));
  return adam(call, given(call, "finite"), [slot]);
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

/** A matrix with its u: one column an output. */
interface Matrix {
  readonly w: TensorInfo;
  readonly u: TensorInfo;
  readonly rows: number;
  readonly columns: number;
}

const matrixOf = (w: TensorInfo, u: TensorInfo): Matrix => {
  const columns = w.shape.at(-1) ?? 1;
  if (sizeOf(u.shape) !== columns) {
    throw new Error(`Cannot normalise [${w.shape}]: u is [${u.shape}], expected [${columns}]`);
  }
  return { w, u, rows: sizeOf(w.shape) / columns, columns };
};

const matricesOf = (call: Call): readonly Matrix[] =>
  grouped(listed(call), 2).map(([w, u]) => {
    if (!w || !u) throw new Error("Cannot normalise: a matrix has no u");
    return matrixOf(w, u);
  });

/** The largest first, so that threads end together. The last two cells are rows and columns. */
const bySize = (rows: readonly Row[]): readonly Row[] =>
  rows.toSorted((a, b) => (b.at(-1) ?? 0) * (b.at(-2) ?? 0) - (a.at(-1) ?? 0) * (a.at(-2) ?? 0));

const power = (call: Call, matrices: readonly Matrix[]): TensorInfo[] => {
  const made = matrices.map(({ u }) => make(call, u.shape));
  const offsets = startsOf(matrices.map(({ rows }) => rows));
  withParts(call.pool, [24 * matrices.length, 4 * offsets.total], (table, working) => {
    const rows = bySize(matrices.map(({ w, u, rows, columns }, i) => [
      ...[w, u, made[i] ?? u].map((info) => at(call, info)),
      working + 4 * (offsets.starts[i] ?? 0),
      rows,
      columns,
    ]));
    new Uint32Array(call.pool.memory.buffer, table, 6 * rows.length).set(rows.flat());
    call.pool.kernel("powerIterations")(
      ...[table, rows.length, Number(call.attributes.iterations), normFloor],
    );
  });
  return made;
};

/** Where parts of so many numbers begin, one after the other. */
const startsOf = (
  sizes: readonly number[],
): { readonly starts: readonly number[]; readonly total: number } => {
  let total = 0;
  const starts = sizes.map((size) => {
    const start = total;
    total += size;
    return start;
  });
  return { starts, total };
};

/** Where v and σ of each matrix lie. */
type Places = readonly { readonly v: number; readonly sigma: number }[];

const normalise = (
  call: Call,
  matrices: readonly Matrix[],
  places: Places,
): TensorInfo[] => {
  const made = matrices.map(({ w }) => make(call, w.shape));
  const rows = bySize(matrices.map(({ w, u, rows, columns }, i) => [
    ...[w, u, made[i] ?? w].map((info) => at(call, info)),
    ...[places[i]?.v ?? 0, places[i]?.sigma ?? 0, rows, columns],
  ]));
  withTable(
    call,
    rows,
    0,
    (table) => call.pool.kernel("spectralNormalizes")(table, rows.length, normFloor),
  );
  return made;
};

/** v of all matrices, then σ of all, in one tensor. */
const packedPlaces = (call: Call, packed: TensorInfo, matrices: readonly Matrix[]): Places => {
  const { starts, total } = startsOf(matrices.map(({ rows }) => rows)), base = at(call, packed);
  return starts.map((start, i) => ({ v: base + 4 * start, sigma: base + 4 * (total + i) }));
};

const spectralNormalizes = (call: Call): Results => {
  const matrices = matricesOf(call);
  const packed = make(call, [matrices.reduce((sum, { rows }) => sum + rows + 1, 0)]);
  return [...normalise(call, matrices, packedPlaces(call, packed, matrices)), packed];
};

const spectralNormalize = (call: Call): Results => {
  const matrix = matrixOf(given(call, "w"), given(call, "u"));
  const v = make(call, [matrix.rows]), sigma = make(call, []);
  const [y] = normalise(call, [matrix], [{ v: at(call, v), sigma: at(call, sigma) }]);
  return y ? [y, v, sigma] : [];
};

/** dw of [dy, y, u] each. */
const spectralGrads = (
  call: Call,
  slots: readonly (readonly TensorInfo[])[],
  placesOf: (matrices: readonly Matrix[]) => Places,
): TensorInfo[] => {
  const matrices = slots.map(([dy, y, u]) => {
    if (!dy || !y || !u) throw new Error("Cannot differentiate a spectral norm: no u");
    sameSize([dy, y]);
    return matrixOf(dy, u);
  });
  const places = placesOf(matrices), made = matrices.map(({ w }) => make(call, w.shape));
  const rows = bySize(matrices.map(({ rows, columns }, i) => [
    ...(slots[i] ?? []).map((info) => at(call, info)),
    ...[places[i]?.v ?? 0, places[i]?.sigma ?? 0],
    ...made.slice(i, i + 1).map((info) => at(call, info)),
    ...[rows, columns],
  ]));
  withTable(call, rows, 0, (table) => call.pool.kernel("spectralGrads")(table, rows.length));
  return made;
};

const spectralNormalizeGrads = (call: Call): Results => {
  const [packed, ...rest] = listed(call);
  if (!packed) throw new Error("Cannot differentiate spectral norms: there is no σ");
  return spectralGrads(call, grouped(rest, 3), (all) => packedPlaces(call, packed, all));
};

const spectralNormalizeGrad = (call: Call): Results => {
  const slot = ["dy", "y", "u"].map((name) => given(call, name));
  const v = at(call, given(call, "v")), sigma = at(call, given(call, "sigma"));
  return spectralGrads(call, [slot], () => [{ v, sigma }]);
};

/** What these kernels are called. */
const kernels: Readonly<Partial<Record<KernelName | ManyName, (call: Call) => Results>>> = {
  AdamUpdate: adamUpdate,
  AdamUpdates: adamUpdates,
  ExponentialAverage: (call) => averages(call, [[given(call, "average"), given(call, "value")]]),
  ExponentialAverages: (call) => averages(call, grouped(listed(call), 2)),
  SquaredNorm: (call) => squares(call, [given(call, "x")]),
  SquaredNorms: (call) => squares(call, listed(call)),
  PowerIteration: (call) => power(call, [matrixOf(given(call, "w"), given(call, "u"))]),
  PowerIterations: (call) => power(call, matricesOf(call)),
  SpectralNormalize: spectralNormalize,
  SpectralNormalizes: spectralNormalizes,
  SpectralNormalizeGrad: spectralNormalizeGrad,
  SpectralNormalizeGrads: spectralNormalizeGrads,
};

/** Registers them. */
export const registerManyKernels = (): void => {
  for (const [name, compute] of Object.entries(kernels)) replaceKernel(name, compute);
};
