/**
 * Stock operations that a training step is full of on our own kernels: products of matrices,
 * sums and products of arrays, sums over axes, softmax, concat, split. What they do not cover
 * (other types, odd broadcasts) goes to the stock kernel.
 *
 * @module
 */
import { type TensorInfo, tf } from "../tf.ts";
import { multiply, productShape } from "./matrix_product.ts";
import {
  at,
  type Call,
  given,
  givenLike,
  make,
  replaceKernel,
  type Results,
  sizeOf,
} from "./registry.ts";

const isFloat = (info: TensorInfo | undefined): info is TensorInfo => info?.dtype === "float32";

/** Shares the data: the stock kernel copies, and the tape clones everything that it saves. */
const identity = (call: Call): Results => {
  const x = call.inputs.x;
  if (!x || x.dtype === "string") return call.before();
  call.backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
};

const matrixProduct = (call: Call): Results => {
  const { a, b } = call.inputs, { transposeA, transposeB } = call.attributes;
  const shape = a && b ? productShape(a, b, transposeA === true, transposeB === true) : undefined;
  if (!a || !b || !shape) return call.before();
  const y = make(call, [...shape.lead, shape.rows, shape.columns]);
  multiply(call.pool, shape, { a: at(call, a), b: at(call, b), y: at(call, y) });
  return y;
};

/** How an operand is spread: number i of the result meets number i / each % period of it. */
interface Spread {
  readonly period: number;
  readonly each: number;
}

/** The spread of a shape in a result; undefined where it has ones between other dimensions. */
export const spreadOf = (
  shape: readonly number[],
  result: readonly number[],
): Spread | undefined => {
  const size = sizeOf(result), own = sizeOf(shape);
  if (own === size) return { period: own, each: 1 };
  if (own === 1) return { period: 1, each: 1 };
  const full = [...Array<number>(result.length - shape.length).fill(1), ...shape];
  const first = full.findIndex((n, i) => n === result[i] && n !== 1);
  const last = full.findLastIndex((n, i) => n === result[i] && n !== 1);
  // Between its first and last own dimension nothing may be broadcast.
  if (full.slice(first, last + 1).some((n, i) => n !== result[first + i])) return undefined;
  const each = sizeOf(result.slice(last + 1));
  // One number a row, or a vector along the last axes: the kernel does no mixture of the two.
  return each === 1 || own * each === size ? { period: own, each } : undefined;
};

const operations = ["Add", "Sub", "Multiply", "RealDiv"] as const;

const binary = (operation: number) => (call: Call): Results => {
  const { a, b } = call.inputs;
  if (!isFloat(a) || !isFloat(b)) return call.before();
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const left = spreadOf(a.shape, shape), right = spreadOf(b.shape, shape), size = sizeOf(shape);
  if (!left || !right || size === 0) return call.before();
  const out = make(call, shape);
  call.pool.kernel("binary")(
    ...[at(call, a), at(call, b), at(call, out), size, operation],
    ...[left.period, left.each, right.period, right.each],
  );
  return out;
};

const relu = (call: Call): Results => {
  const { x } = call.inputs;
  if (!isFloat(x)) return call.before();
  const y = make(call, x.shape);
  call.pool.kernel("relu")(at(call, x), at(call, y), sizeOf(x.shape));
  return y;
};

const softmax = (call: Call): Results => {
  const { logits } = call.inputs, rank = logits?.shape.length ?? 0, { dim } = call.attributes;
  if (!isFloat(logits) || (dim !== -1 && dim !== rank - 1)) return call.before();
  const width = logits.shape.at(-1) ?? 1, y = make(call, logits.shape);
  call.pool.kernel("softmax")(at(call, logits), at(call, y), sizeOf(logits.shape) / width, width);
  return y;
};

const softmaxGrad = (call: Call): Results => {
  const y = given(call, "y"), dy = givenLike(call, "dy", y), width = y.shape.at(-1) ?? 1;
  const dx = make(call, y.shape);
  call.pool.kernel("softmaxGrad")(
    ...[at(call, dy), at(call, y), at(call, dx), sizeOf(y.shape) / width, width],
  );
  return dx;
};

/** Sum or mean over neighbouring axes. */
const reduction = (mean: boolean) => (call: Call): Results => {
  const { x } = call.inputs, { axis, keepDims } = call.attributes;
  if (!isFloat(x)) return call.before();
  const axes = tf.util.parseAxisParam(axis as number | number[], x.shape).sort((p, q) => p - q);
  const first = axes[0] ?? 0, after = first + axes.length;
  const size = sizeOf(x.shape);
  if (axes.length === 0 || axes.at(-1) !== after - 1 || size === 0) return call.before();
  const lead = x.shape.slice(0, first), tail = x.shape.slice(after);
  const outer = sizeOf(lead), inner = sizeOf(tail), reduced = size / (outer * inner);
  const out = make(call, keepDims ? [...lead, ...axes.map(() => 1), ...tail] : [...lead, ...tail]);
  const parts = Math.max(1, Math.min(16, Math.floor(reduced * inner / 16384)));
  const partial = parts > 1 ? call.pool.scratch(4 * outer * parts * inner) : 0;
  call.pool.kernel("sumAxis")(
    ...[at(call, x), partial, at(call, out), outer, reduced, inner, parts],
    mean ? 1 / reduced : 1,
  );
  return out;
};

const concat = (call: Call): Results => {
  const parts = (call.inputs as unknown as readonly TensorInfo[]).filter((info) =>
    sizeOf(info.shape) > 0
  );
  const [head] = parts;
  if (!head || !parts.every(isFloat)) return call.before();
  const axis = tf.util.parseAxisParam(call.attributes.axis as number, head.shape)[0] ?? 0;
  tf.backend_util.assertParamsConsistent(parts.map(({ shape }) => shape), axis);
  const out = make(call, tf.backend_util.computeOutShape(parts.map(({ shape }) => shape), axis));
  const rows = sizeOf(head.shape.slice(0, axis)), width = sizeOf(out.shape.slice(axis));
  let to = at(call, out);
  for (const part of parts) {
    const own = sizeOf(part.shape.slice(axis));
    copyRows(call, at(call, part), to, rows, own, own, width);
    to += 4 * own;
  }
  return out;
};

const split = (call: Call): Results => {
  const { x } = call.inputs;
  if (!isFloat(x)) return call.before();
  const axis = tf.util.parseAxisParam(call.attributes.axis as number, x.shape)[0] ?? 0;
  const sizes = tf.backend_util.prepareSplitSize(
    x as Parameters<typeof tf.backend_util.prepareSplitSize>[0],
    call.attributes.numOrSizeSplits as number[],
    axis,
  );
  const rows = sizeOf(x.shape.slice(0, axis)), width = sizeOf(x.shape.slice(axis));
  const tail = sizeOf(x.shape.slice(axis + 1));
  let from = 0;
  return sizes.map((size) => {
    const out = make(call, [...x.shape.slice(0, axis), size, ...x.shape.slice(axis + 1)]);
    const own = size * tail;
    copyRows(call, at(call, x) + 4 * from, at(call, out), rows, own, width, own);
    from += own;
    return out;
  });
};

/** Rows of `width` numbers; long ones that follow each other are cut for the threads. */
const copyRows = (
  { pool }: Call,
  from: number,
  to: number,
  rows: number,
  width: number,
  stepFrom: number,
  stepTo: number,
): void => {
  const whole = rows * width;
  if (whole === 0) return;
  if (stepFrom === width && stepTo === width && whole % 1024 === 0) {
    pool.kernel("copyRows")(from, to, whole / 1024, 1024, 1024, 1024);
  } else pool.kernel("copyRows")(from, to, rows, width, stepFrom, stepTo);
};

/** Registers them over the stock kernels. */
export const registerArrayKernels = (): void => {
  replaceKernel("Identity", identity);
  replaceKernel("BatchMatMul", matrixProduct);
  operations.forEach((name, operation) => replaceKernel(name, binary(operation)));
  replaceKernel("Relu", relu);
  replaceKernel("Softmax", softmax);
  replaceKernel("SoftmaxGrad", softmaxGrad);
  replaceKernel("Sum", reduction(false));
  replaceKernel("Mean", reduction(true));
  replaceKernel("Concat", concat);
  replaceKernel("SplitV", split);
};
