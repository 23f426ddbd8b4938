/**
 * Power iterations and spectral norms of all matrices of a network in one call, and of one matrix,
 * which is a list of one.
 *
 * @module
 */
import type { TensorInfo } from "../tf.ts";
import { type KernelName, type ManyName, normFloor } from "../kernels/names.ts";
import { grouped, listed, type Row, withTable } from "./lists.ts";
import { at, type Call, given, make, type Results, sameSize, sizeOf } from "./registry.ts";
import { withParts } from "./scratch.ts";

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
export const spectralKernels = {
  PowerIteration: (call) => power(call, [matrixOf(given(call, "w"), given(call, "u"))]),
  PowerIterations: (call) => power(call, matricesOf(call)),
  SpectralNormalize: spectralNormalize,
  SpectralNormalizes: spectralNormalizes,
  SpectralNormalizeGrad: spectralNormalizeGrad,
  SpectralNormalizeGrads: spectralNormalizeGrads,
} as const satisfies Readonly<Partial<Record<KernelName | ManyName, (call: Call) => Results>>>;
