/**
 * Norms, pooling, sums and differences of the added kernels (`kernels/names.ts`) on our own module.
 *
 * @module
 */
import type { TensorInfo } from "../tf.ts";
import {
  at,
  type Call,
  floats,
  given,
  givenLike,
  make,
  numberOf,
  release,
  replaceKernel,
  type Results,
  scalar,
  sizeOf,
} from "./registry.ts";

type Four = readonly [number, number, number, number];

const four = ({ shape }: TensorInfo): Four => {
  const [a = 1, b = 1, c = 1, d = 1] = shape;
  return [a, b, c, d];
};

/** Numbers a chunk of the kernels that leave partial sums (`CHUNK` of `assembly/reduce.as`). */
const chunk = 16384;

/** out[i] = factor · Σ_r x[r, i]. */
const sumRows = (
  call: Call,
  x: number,
  out: number,
  rows: number,
  columns: number,
): void => {
  const parts = Math.max(1, Math.min(16, Math.ceil(rows * columns / chunk)));
  call.pool.kernel("sumAxis")(
    ...[x, call.pool.scratch(4 * parts * columns), out, 1, rows, columns, parts, 1],
  );
};

const biasGrad = (call: Call): Results => {
  const dy = given(call, "dy"), columns = dy.shape.at(-1) ?? 1, dbias = make(call, [columns]);
  sumRows(call, at(call, dy), at(call, dbias), sizeOf(dy.shape) / columns, columns);
  return dbias;
};

interface Affine {
  readonly gain: TensorInfo;
  readonly bias: TensorInfo;
  /** Whether all images share them. */
  readonly shared: boolean;
}

const affineOf = (call: Call, batch: number, channels: number): Affine => {
  const gain = given(call, "gain"), bias = givenLike(call, "bias", gain);
  const [rows = 1, columns = 1] = gain.shape;
  if (columns !== channels || (rows !== 1 && rows !== batch)) {
    throw new Error(
      `Cannot normalise: the gain is [${gain.shape}], expected [${batch} or 1, ${channels}]`,
    );
  }
  return { gain, bias, shared: rows === 1 };
};

const instanceNormalize = (call: Call): Results => {
  const x = given(call, "x"), [batch, height, width, channels] = four(x);
  const { gain, bias, shared } = affineOf(call, batch, channels);
  const y = make(call, x.shape);
  const mean = make(call, [batch, channels]), deviation = make(call, [batch, channels]);
  call.pool.kernel("instanceNormalize")(
    ...[x, gain, bias, y, mean, deviation].map((info) => at(call, info)),
    ...[batch, height * width, channels, shared ? 1 : 0],
    ...[Number(call.attributes.epsilon), call.attributes.relu ? 1 : 0],
  );
  return [y, mean, deviation];
};

const instanceNormalizeGrad = (call: Call): Results => {
  const x = given(call, "x"), dy = givenLike(call, "dy", x);
  const [batch, height, width, channels] = four(x);
  const { gain, bias, shared } = affineOf(call, batch, channels);
  const mean = given(call, "mean"), deviation = givenLike(call, "deviation", mean);
  const dx = make(call, x.shape), each = [batch, channels];
  const dgain = make(call, each), dbias = make(call, each);
  call.pool.kernel("instanceNormalizeGrad")(
    ...[dy, x, gain, bias, mean, deviation, dx, dgain, dbias].map((info) => at(call, info)),
    ...[batch, height * width, channels, shared ? 1 : 0, call.attributes.relu ? 1 : 0],
  );
  if (!shared || batch === 1) return [dx, dgain, dbias];
  const total = (info: TensorInfo): TensorInfo => {
    const sum = make(call, [1, channels]);
    sumRows(call, at(call, info), at(call, sum), batch, channels);
    release(call, info);
    return sum;
  };
  return [dx, total(dgain), total(dbias)];
};

const reluGrad = (call: Call): Results => {
  const dy = given(call, "dy"), y = givenLike(call, "y", dy), dx = make(call, dy.shape);
  call.pool.kernel("reluGrad")(at(call, dy), at(call, y), at(call, dx), sizeOf(dy.shape));
  return dx;
};

const averagePool2 = (call: Call): Results => {
  const x = given(call, "x"), [batch, height, width, channels] = four(x);
  if (height % 2 !== 0 || width % 2 !== 0) {
    throw new Error(`Cannot pool by 2: the image is ${height}×${width}, expected even sides`);
  }
  const y = make(call, [batch, height / 2, width / 2, channels]);
  call.pool.kernel("averagePool2")(
    ...[at(call, x), at(call, y), batch * height / 2, width / 2, channels],
    Number(call.attributes.scale),
  );
  return y;
};

const upsampleNearest2 = (call: Call): Results => {
  const x = given(call, "x"), [batch, height, width, channels] = four(x);
  const y = make(call, [batch, 2 * height, 2 * width, channels]);
  call.pool.kernel("upsampleNearest2")(
    ...[at(call, x), at(call, y), batch * height, width, channels, Number(call.attributes.scale)],
  );
  return y;
};

/** The sum of the partial sums that a kernel leaves, in their order. */
const partialSum = (call: Call, size: number, run: (partial: number) => void): number => {
  const parts = Math.ceil(size / chunk), partial = call.pool.scratch(4 * parts);
  run(partial);
  return floats(call, partial, parts).reduce((sum, part) => sum + part, 0);
};

const meanAbsoluteDifference = (call: Call): Results => {
  const a = given(call, "a"), b = givenLike(call, "b", a), size = sizeOf(a.shape);
  const sum = partialSum(
    call,
    size,
    (partial) => call.pool.kernel("absoluteDifference")(at(call, a), at(call, b), partial, size),
  );
  return scalar(call, sum / size);
};

const meanAbsoluteDifferenceGrad = (call: Call): Results => {
  const a = given(call, "a"), b = givenLike(call, "b", a), size = sizeOf(a.shape);
  const da = make(call, a.shape), factor = numberOf(call, given(call, "dy")) / size;
  call.pool.kernel("signGrad")(at(call, a), at(call, b), at(call, da), size, factor);
  return da;
};

/** Registers what is neither a convolution nor in `many_kernels.ts`. */
export const registerTrainingKernels = (): void => {
  replaceKernel("BiasGrad", biasGrad);
  replaceKernel("InstanceNormalize", instanceNormalize);
  replaceKernel("InstanceNormalizeGrad", instanceNormalizeGrad);
  replaceKernel("ReluGrad", reluGrad);
  replaceKernel("AveragePool2", averagePool2);
  replaceKernel("UpsampleNearest2", upsampleNearest2);
  replaceKernel("MeanAbsoluteDifference", meanAbsoluteDifference);
  replaceKernel("MeanAbsoluteDifferenceGrad", meanAbsoluteDifferenceGrad);
};
