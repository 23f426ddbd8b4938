/**
 * The added kernels (`kernels/names.ts`) on our own wasm module.
 *
 * @module
 */
import { type KernelConfig, type Tensor, type TensorInfo, tf } from "../tf.ts";
import { type KernelName, normFloor } from "../kernels/names.ts";
import { convolve, filterGradient } from "./convolution.ts";
import type { SharedHeap } from "./heap.ts";
import { multiply, productShape } from "./matrix_product.ts";
import type { Pool } from "./pool.ts";

type Inputs = Readonly<Record<string, TensorInfo | undefined>>;
type Attributes = Readonly<Record<string, number | boolean | undefined>>;
type Kernel = (inputs: Inputs, attributes: Attributes) => TensorInfo | TensorInfo[];

const once = <A>(f: () => A): () => A => {
  let made: { readonly value: A } | undefined;
  return () => (made ??= { value: f() }).value;
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What kernels need of the heap: where tensors are, and new ones. */
const tools = (heap: SharedHeap, pool: Pool) => {
  const given = (inputs: Inputs, name: string): TensorInfo => {
    const info = inputs[name];
    if (!info) throw new Error(`Cannot run kernel: input ${name} is missing`);
    return info;
  };
  const at = (info: TensorInfo): number => heap.tensors.getMemoryOffset(info.dataId);
  const make = (shape: readonly number[]): TensorInfo =>
    heap.tensors.makeOutput([...shape], "float32");
  const scalar = (value: number): TensorInfo => {
    const made = make([]);
    new Float32Array(heap.memory.buffer, at(made), 1)[0] = value;
    return made;
  };
  const floats = (address: number, count: number): Float32Array =>
    new Float32Array(heap.memory.buffer, address, count);
  const number = (info: TensorInfo): number => floats(at(info), 1)[0] ?? NaN;
  /** The sum of partial sums that a kernel left in scratch memory. */
  const sumOf = (partial: number, parts: number): number =>
    floats(partial, parts).reduce((sum, part) => sum + part, 0);
  return { given, at, make, scalar, floats, number, sumOf, pool };
};

type Tools = ReturnType<typeof tools>;

const dims = (shape: readonly number[]): readonly [number, number, number, number] => {
  const [batch = 1, height = 1, width = 1, channels = 1] = shape;
  return [batch, height, width, channels];
};

const convolutions = ({ given, at, make, pool }: Tools): Partial<Record<KernelName, Kernel>> => ({
  Convolve: (inputs, { relu }) => {
    const x = given(inputs, "x"), filter = given(inputs, "filter");
    const [batch, height, width, channels] = dims(x.shape);
    const [size, , , outputs] = dims(filter.shape);
    const y = make([batch, height, width, outputs]);
    convolve(
      pool,
      { batch, height, width, inputs: channels, outputs, size },
      { x: at(x), filter: at(filter), bias: inputs.bias ? at(inputs.bias) : 0, y: at(y) },
      { relu: relu === true },
    );
    return y;
  },
  ConvolveInputGrad: (inputs) => {
    const dy = given(inputs, "dy"), filter = given(inputs, "filter");
    const [batch, height, width, channels] = dims(dy.shape);
    const [size, , outputs] = dims(filter.shape);
    const dx = make([batch, height, width, outputs]);
    convolve(
      pool,
      { batch, height, width, inputs: channels, outputs, size },
      { x: at(dy), filter: at(filter), bias: 0, y: at(dx) },
      { rotated: true },
    );
    return dx;
  },
  ConvolveFilterGrad: (inputs, attributes) => {
    const x = given(inputs, "x"), dy = given(inputs, "dy"), size = Number(attributes.size);
    const [batch, height, width, channels] = dims(x.shape);
    const [, , , outputs] = dims(dy.shape);
    const dfilter = make([size, size, channels, outputs]);
    filterGradient(
      pool,
      { batch, height, width, inputs: channels, outputs, size },
      { x: at(x), dy: at(dy), dfilter: at(dfilter) },
    );
    return dfilter;
  },
  BiasGrad: (inputs) => {
    const dy = given(inputs, "dy"), columns = dy.shape.at(-1) ?? 1;
    const rows = sizeOf(dy.shape) / columns, parts = Math.min(16, Math.ceil(rows / 64));
    const dbias = make([columns]);
    pool.kernel("rowSum")(
      at(dy),
      pool.scratch(4 * parts * columns),
      ...[at(dbias), rows, columns, parts],
    );
    return dbias;
  },
});

const norms = ({ given, at, make, pool }: Tools): Partial<Record<KernelName, Kernel>> => ({
  InstanceNormalize: (inputs, { epsilon, relu }) => {
    const x = given(inputs, "x"), gain = given(inputs, "gain"), bias = given(inputs, "bias");
    const [batch, height, width, channels] = dims(x.shape);
    const y = make(x.shape), mean = make([batch, channels]), deviation = make([batch, channels]);
    const shared = gain.shape[0] === 1 ? 1 : 0;
    pool.kernel("instanceNormalize")(
      ...[at(x), at(gain), at(bias), at(y), at(mean), at(deviation)],
      ...[batch, height * width, channels, shared, Number(epsilon), relu ? 1 : 0],
    );
    return [y, mean, deviation];
  },
  InstanceNormalizeGrad: (inputs, { relu }) => {
    const [dy, x, gain, bias, mean, deviation] =
      (["dy", "x", "gain", "bias", "mean", "deviation"] as const)
        .map((name) => given(inputs, name)) as [
          TensorInfo,
          TensorInfo,
          TensorInfo,
          TensorInfo,
          TensorInfo,
          TensorInfo,
        ];
    const [batch, height, width, channels] = dims(x.shape);
    const dx = make(x.shape), dgain = make([batch, channels]), dbias = make([batch, channels]);
    const shared = gain.shape[0] === 1;
    pool.kernel("instanceNormalizeGrad")(
      ...[at(dy), at(x), at(gain), at(bias), at(mean), at(deviation)],
      ...[at(dx), at(dgain), at(dbias), batch, height * width, channels],
      ...[shared ? 1 : 0, relu ? 1 : 0],
    );
    if (!shared || batch === 1) return [dx, dgain, dbias];
    const sum = (info: TensorInfo): TensorInfo => {
      const total = make([1, channels]);
      const scratch = pool.scratch(4 * channels);
      pool.kernel("rowSum")(at(info), scratch, at(total), batch, channels, 1);
      heapFree(info);
      return total;
    };
    return [dx, sum(dgain), sum(dbias)];
  },
});

const heapFree = (info: TensorInfo): void =>
  tf.engine().disposeTensor(tf.engine().makeTensorFromTensorInfo(info));

const pointwise = (
  { given, at, make, pool }: Tools,
): Partial<Record<KernelName, Kernel>> => ({
  ReluGrad: (inputs) => {
    const dy = given(inputs, "dy"), y = given(inputs, "y"), dx = make(dy.shape);
    pool.kernel("reluGrad")(at(dy), at(y), at(dx), sizeOf(dy.shape));
    return dx;
  },
  AveragePool2: (inputs, { scale }) => {
    const x = given(inputs, "x"), [batch, height, width, channels] = dims(x.shape);
    const y = make([batch, height / 2, width / 2, channels]);
    pool.kernel("averagePool2")(
      ...[at(x), at(y), batch * height / 2, width / 2, channels, Number(scale)],
    );
    return y;
  },
  UpsampleNearest2: (inputs, { scale }) => {
    const x = given(inputs, "x"), [batch, height, width, channels] = dims(x.shape);
    const y = make([batch, 2 * height, 2 * width, channels]);
    pool.kernel("upsampleNearest2")(
      ...[at(x), at(y), batch * height, width, channels, Number(scale)],
    );
    return y;
  },
  ExponentialAverage: (inputs, { decay }) => {
    const average = given(inputs, "average"), value = given(inputs, "value");
    const out = make(average.shape);
    pool.kernel("exponentialAverage")(
      ...[at(average), at(value), at(out), sizeOf(out.shape), Number(decay)],
    );
    return out;
  },
});

const sums = (
  { given, at, make, scalar, number, sumOf, pool }: Tools,
): Partial<Record<KernelName, Kernel>> => {
  const partials = (size: number): number => pool.scratch(4 * Math.ceil(size / 16384));
  return {
    SquaredNorm: (inputs) => {
      const x = given(inputs, "x"), size = sizeOf(x.shape), partial = partials(size);
      pool.kernel("squaredNorm")(at(x), partial, size);
      return scalar(sumOf(partial, Math.ceil(size / 16384)));
    },
    MeanAbsoluteDifference: (inputs) => {
      const a = given(inputs, "a"), b = given(inputs, "b"), size = sizeOf(a.shape);
      const partial = partials(size);
      pool.kernel("absoluteDifference")(at(a), at(b), partial, size);
      return scalar(sumOf(partial, Math.ceil(size / 16384)) / size);
    },
    MeanAbsoluteDifferenceGrad: (inputs) => {
      const a = given(inputs, "a"), b = given(inputs, "b"), size = sizeOf(a.shape);
      const da = make(a.shape), factor = number(given(inputs, "dy")) / size;
      pool.kernel("signGrad")(at(a), at(b), at(da), size, factor);
      return da;
    },
  };
};

const spectral = (
  { given, at, make, scalar, number, pool }: Tools,
): Partial<Record<KernelName, Kernel>> => {
  const matrix = (info: TensorInfo): readonly [number, number] => {
    const columns = info.shape.at(-1) ?? 1;
    return [sizeOf(info.shape) / columns, columns];
  };
  const call = (name: string, ...values: number[]): number =>
    pool.kernel(name)(...values) as unknown as number;
  return {
    PowerIteration: (inputs, { iterations }) => {
      const w = given(inputs, "w"), u = given(inputs, "u"), [rows, columns] = matrix(w);
      const next = make(u.shape), v = pool.scratch(4 * rows);
      call("scaleBy", at(u), at(next), columns, 1);
      for (let i = 0; i < Number(iterations); i++) {
        call("matrixVector", at(w), at(next), v, rows, columns);
        call("normalise", v, rows, normFloor);
        call("vectorMatrix", at(w), v, at(next), rows, columns);
        call("normalise", at(next), columns, normFloor);
      }
      return next;
    },
    SpectralNormalize: (inputs) => {
      const w = given(inputs, "w"), u = given(inputs, "u"), [rows, columns] = matrix(w);
      const y = make(w.shape), v = make([rows]);
      call("matrixVector", at(w), at(u), at(v), rows, columns);
      const norm = call("normalise", at(v), rows, normFloor);
      // σ = vᵀ W u, and v is W u over its floored norm.
      const sigma = norm * norm / Math.max(norm, normFloor);
      call("scaleBy", at(w), at(y), rows * columns, 1 / sigma);
      return [y, v, scalar(sigma)];
    },
    SpectralNormalizeGrad: (inputs) => {
      const dy = given(inputs, "dy"), y = given(inputs, "y"), [rows, columns] = matrix(dy);
      const dw = make(dy.shape), factor = 1 / number(given(inputs, "sigma"));
      const along = call("dotProduct", at(dy), at(y), rows * columns);
      call(
        "spectralGrad",
        ...[at(dy), at(given(inputs, "u")), at(given(inputs, "v")), at(dw)],
        ...[rows, columns, along, factor],
      );
      return dw;
    },
  };
};

/** Adam with a first moment stays composed: only the baselines have one. */
const adam = (
  { given, at, make, number, pool }: Tools,
  composed: (inputs: Inputs, attributes: Attributes) => TensorInfo[],
): Partial<Record<KernelName, Kernel>> => ({
  AdamUpdate: (inputs, attributes) => {
    if (inputs.first) return composed(inputs, attributes);
    const parameter = given(inputs, "parameter"), second = given(inputs, "second");
    const moved = make(parameter.shape), second2 = make(parameter.shape);
    const size = sizeOf(parameter.shape);
    if (!(number(given(inputs, "finite")) > 0)) {
      pool.kernel("scaleBy")(at(parameter), at(moved), size, 1);
      pool.kernel("scaleBy")(at(second), at(second2), size, 1);
      return [moved, second2];
    }
    const { rate, beta2, epsilon, step } = attributes, b2 = Number(beta2);
    pool.kernel("adamUpdate")(
      ...[at(parameter), at(given(inputs, "gradient")), at(second), at(moved), at(second2), size],
      ...[Number(rate), b2, Number(epsilon), 1 / Math.sqrt(1 - b2 ** Number(step))],
    );
    return [moved, second2];
  },
});

const replace = (kernelName: string, kernelFunc: Kernel): void => {
  const stock = tf.getKernel(kernelName, "wasm");
  if (stock) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    ...(stock?.setupFunc ? { setupFunc: stock.setupFunc } : {}),
    kernelFunc: ({ inputs, attrs }) => kernelFunc(inputs, (attrs ?? {}) as unknown as Attributes),
  });
};

const original = (name: string): KernelConfig => {
  const kernel = tf.getKernel(name, "wasm");
  if (!kernel) throw new Error(`Cannot register kernels: ${name} is not there to fall back on`);
  return kernel;
};

// What was registered before any of ours: a second backend must not fall back on the first one's.
const originals = once(() => ({
  adam: original("AdamUpdate"),
  product: original("BatchMatMul"),
}));

/** Registers our own kernels over the composed and stock ones, on this heap and these threads. */
export const registerTrainingKernels = (heap: SharedHeap, pool: Pool): void => {
  const all = tools(heap, pool);
  const { adam: composedAdam, product: stock } = originals();
  const backend = heap.tensors;
  const kernels: Partial<Record<KernelName, Kernel>> = {
    ...convolutions(all),
    ...norms(all),
    ...pointwise(all),
    ...sums(all),
    ...spectral(all),
    ...adam(all, (inputs, attrs) => {
      const made = composedAdam.kernelFunc({
        inputs: inputs as Record<string, Tensor>,
        attrs: attrs as never,
        backend,
      });
      return Array.isArray(made) ? made : [made];
    }),
  };
  for (const [name, kernel] of Object.entries(kernels)) replace(name, kernel);
  // The stock one copies; the tape clones everything that it saves.
  replace("Identity", ({ x }) => {
    const info = all.given({ x }, "x");
    backend.incRef(info.dataId);
    return { dataId: info.dataId, shape: info.shape, dtype: info.dtype };
  });
  replace("BatchMatMul", (inputs, attrs) => {
    const a = all.given(inputs, "a"), b = all.given(inputs, "b");
    const shape = productShape(a, b, attrs.transposeA === true, attrs.transposeB === true);
    if (!shape) return stock.kernelFunc({ inputs: { a, b }, attrs: attrs as never, backend });
    const y = all.make([...shape.lead, shape.rows, shape.columns]);
    multiply(pool, shape, { a: all.at(a), b: all.at(b), y: all.at(y) });
    return y;
  });
};
