/**
 * Every added kernel composed from stock TensorFlow.js operations: the reference that the fast
 * ones are checked against, and what runs where a backend has nothing faster.
 *
 * @module
 */
import { type Tensor, type Tensor4D, type TensorInfo, tf } from "../tf.ts";
import { type KernelName, normFloor } from "./names.ts";

/** Named inputs of a kernel, as tensors. */
export type KernelInputs = Readonly<Record<string, Tensor>>;
/** Attributes of a kernel. */
export type KernelAttributes = Readonly<Record<string, number | boolean>>;
/** A kernel composed of stock operations. */
export type ComposedKernel = (inputs: KernelInputs, attributes: KernelAttributes) => Tensor[];

const input = (inputs: KernelInputs, name: string): Tensor => {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`Cannot run kernel: input ${name} is missing`);
  return tensor;
};

const asTensor = (info: TensorInfo): Tensor =>
  info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info);

const matrix = (w: Tensor): Tensor => w.reshape([-1, w.shape[w.shape.length - 1] ?? 1]);
const column = (u: Tensor): Tensor => u.reshape([-1, 1]);
const unit = (x: Tensor): Tensor => tf.div(x, tf.maximum(tf.norm(x), normFloor));
// wᵀ·x as (xᵀ·w)ᵀ: a transposed big matrix is 20 times slower on the stock wasm kernels.
const transposedTimes = (w: Tensor, x: Tensor): Tensor => tf.matMul(x.reshape([1, -1]), w);

const perSample = (x: Tensor): Tensor => x.reshape([x.shape[0] ?? 1, 1, 1, x.shape[1] ?? 1]);

const composed: Readonly<Record<KernelName, ComposedKernel>> = {
  Convolve: (inputs, { relu }) => {
    const y = tf.conv2d(
      input(inputs, "x") as Tensor4D,
      input(inputs, "filter") as Tensor4D,
      1,
      "same",
    );
    const biased = inputs.bias ? tf.add(y, inputs.bias) : y;
    return [relu ? tf.relu(biased) : biased];
  },
  ConvolveInputGrad: (inputs) => {
    // The full correlation with rotated filters, input and output channels swapped.
    const rotated = tf.transpose(tf.reverse(input(inputs, "filter"), [0, 1]), [0, 1, 3, 2]);
    return [tf.conv2d(input(inputs, "dy") as Tensor4D, rotated as Tensor4D, 1, "same")];
  },
  ConvolveFilterGrad: (inputs, { size }) => {
    const x = input(inputs, "x") as Tensor4D, dy = input(inputs, "dy") as Tensor4D;
    const [batch, height, width, channels] = x.shape, k = Number(size), edge = (k - 1) / 2;
    const padded = tf.pad(x, [[0, 0], [edge, edge], [edge, edge], [0, 0]]);
    const rows = dy.reshape([batch * height * width, dy.shape[3]]);
    const taps: Tensor[] = [];
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) {
        const shifted = tf.slice(padded, [0, i, j, 0], [batch, height, width, channels])
          .reshape([batch * height * width, channels]);
        taps.push(tf.matMul(shifted, rows, true, false));
      }
    }
    return [tf.stack(taps).reshape([k, k, channels, dy.shape[3]])];
  },
  BiasGrad: (inputs) => [tf.sum(matrix(input(inputs, "dy")), 0)],
  ReluGrad: (inputs) => [tf.mul(input(inputs, "dy"), tf.step(input(inputs, "y")))],
  InstanceNormalize: (inputs, { epsilon, relu }) => {
    const x = input(inputs, "x");
    const mean = tf.mean(x, [1, 2], true), centred = tf.sub(x, mean);
    const deviation = tf.rsqrt(tf.add(tf.mean(tf.square(centred), [1, 2], true), Number(epsilon)));
    const y = tf.add(
      tf.mul(tf.mul(centred, deviation), perSample(input(inputs, "gain"))),
      perSample(input(inputs, "bias")),
    );
    const statistics = [x.shape[0] ?? 1, x.shape[3] ?? 1];
    return [relu ? tf.relu(y) : y, mean.reshape(statistics), deviation.reshape(statistics)];
  },
  InstanceNormalizeGrad: (inputs, { relu }) => {
    const x = input(inputs, "x"), gain = input(inputs, "gain"), bias = input(inputs, "bias");
    const deviation = perSample(input(inputs, "deviation"));
    const normal = tf.mul(tf.sub(x, perSample(input(inputs, "mean"))), deviation);
    const raw = input(inputs, "dy");
    const dy = relu
      ? tf.mul(raw, tf.step(tf.add(tf.mul(normal, perSample(gain)), perSample(bias))))
      : raw;
    const total = tf.sum(dy, [1, 2]), weighted = tf.sum(tf.mul(dy, normal), [1, 2]); // [B, C]
    const area = (x.shape[1] ?? 1) * (x.shape[2] ?? 1);
    const dx = tf.mul(
      tf.mul(perSample(gain), deviation),
      tf.sub(
        dy,
        tf.div(tf.add(perSample(total), tf.mul(normal, perSample(weighted))), area),
      ),
    );
    const shared = gain.shape[0] === 1 && x.shape[0] !== 1;
    return shared ? [dx, tf.sum(weighted, 0, true), tf.sum(total, 0, true)] : [dx, weighted, total];
  },
  AveragePool2: (inputs, { scale }) => [
    tf.mul(tf.avgPool(input(inputs, "x") as Tensor4D, 2, 2, "valid"), 4 * Number(scale)),
  ],
  UpsampleNearest2: (inputs, { scale }) => {
    const x = input(inputs, "x") as Tensor4D;
    const y = tf.image.resizeNearestNeighbor(x, [2 * x.shape[1], 2 * x.shape[2]]);
    return [scale === 1 ? y : tf.mul(y, Number(scale))];
  },
  PowerIteration: (inputs, { iterations }) => {
    const w = matrix(input(inputs, "w"));
    let u = input(inputs, "u");
    for (let i = 0; i < Number(iterations); i++) {
      u = unit(transposedTimes(w, unit(tf.matMul(w, column(u))))).reshape([-1]);
    }
    return [u];
  },
  SpectralNormalize: (inputs) => {
    const w = matrix(input(inputs, "w")), u = input(inputs, "u");
    const product = tf.matMul(w, column(u)), v = unit(product);
    // A matrix of zeros has σ 0: the floor keeps 0 / 0 out of the network.
    const sigma = tf.maximum(tf.sum(tf.mul(v, product)), normFloor);
    return [tf.div(w, sigma).reshape(input(inputs, "w").shape), v.reshape([-1]), sigma];
  },
  SpectralNormalizeGrad: (inputs) => {
    const dy = input(inputs, "dy"), y = input(inputs, "y");
    const outer = tf.matMul(column(input(inputs, "v")), input(inputs, "u").reshape([1, -1]));
    const along = tf.sum(tf.mul(dy, y));
    return [tf.div(tf.sub(dy, tf.mul(along, outer.reshape(dy.shape))), input(inputs, "sigma"))];
  },
  MeanAbsoluteDifference: (inputs) => [
    tf.mean(tf.abs(tf.sub(input(inputs, "a"), input(inputs, "b")))),
  ],
  MeanAbsoluteDifferenceGrad: (inputs) => {
    const a = input(inputs, "a"), b = input(inputs, "b");
    return [tf.mul(tf.sign(tf.sub(a, b)), tf.div(input(inputs, "dy"), a.size))];
  },
  SoftmaxGrad: (inputs) => {
    const y = input(inputs, "y"), product = tf.mul(input(inputs, "dy"), y);
    return [tf.sub(product, tf.mul(tf.sum(product, -1, true), y))];
  },
  SquaredNorm: (inputs) => [tf.sum(tf.square(input(inputs, "x")))],
  AdamUpdate: (inputs, { rate, beta1, beta2, epsilon, step }) => {
    const parameter = input(inputs, "parameter"), gradient = input(inputs, "gradient");
    const second = input(inputs, "second");
    // A condition of full size: the stock `where` would tile a scalar one, which is slow on wasm.
    const go = tf.greater(tf.mul(tf.onesLike(parameter), input(inputs, "finite")), 0);
    const b1 = Number(beta1), b2 = Number(beta2), t = Number(step);
    const second2 = tf.add(tf.mul(second, b2), tf.mul(tf.square(gradient), 1 - b2));
    const first2 = inputs.first
      ? tf.add(tf.mul(inputs.first, b1), tf.mul(gradient, 1 - b1))
      : gradient;
    const size = Number(rate) / (1 - (inputs.first ? b1 ** t : 0));
    const moved = tf.sub(
      parameter,
      tf.div(
        tf.mul(first2, size),
        tf.add(tf.div(tf.sqrt(second2), Math.sqrt(1 - b2 ** t)), Number(epsilon)),
      ),
    );
    // `where`, not a product with the flag: 0 · NaN is NaN.
    const outputs = [tf.where(go, moved, parameter), tf.where(go, second2, second)];
    return inputs.first ? [...outputs, tf.where(go, first2, inputs.first)] : outputs;
  },
  ExponentialAverage: (inputs, { decay }) => [
    tf.add(
      tf.mul(input(inputs, "average"), Number(decay)),
      tf.mul(input(inputs, "value"), 1 - Number(decay)),
    ),
  ],
};

/** Registers composed kernels on a backend, except those that it implements itself. */
export const registerComposed = (backendName: string, own: ReadonlySet<string>): void => {
  for (const [kernelName, compute] of Object.entries(composed)) {
    if (own.has(kernelName) || tf.getKernel(kernelName, backendName)) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => {
        const tensors: Record<string, Tensor> = {};
        for (const [name, info] of Object.entries(inputs)) {
          if (info !== undefined) tensors[name] = asTensor(info);
        }
        return tf.tidy(() => compute(tensors, (attrs ?? {}) as KernelAttributes));
      },
    });
  }
};
