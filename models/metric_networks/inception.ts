/**
 * Inception v3 as the Fréchet Inception distance uses it: the network of 2015 with its own pooling
 * details, up to the average of 2048 channels before the classifier ("pool3").
 *
 * @module
 */
import { type Tensor, type Tensor4D, tf } from "../../backends/tf.ts";
import type { WeightArrays } from "../perceptual/weight_file.ts";

/** How a convolution of Inception is made; batch norm is folded into it, a ReLU follows. */
export interface InceptionConvolution {
  /** Name as in the published files: `Mixed_5b.branch5x5_1`. */
  readonly name: string;
  /** Kernel [height, width, in, out]. */
  readonly shape: readonly [number, number, number, number];
}

type Padding = "same" | "valid";

/** What the network is made of, for whatever stands for an activation. */
interface Algebra<X> {
  readonly convolve: (
    x: X,
    name: string,
    out: number,
    kernel: readonly [number, number],
    stride: 1 | 2,
    padding: Padding,
  ) => X;
  readonly maxPool: (x: X, stride: 1 | 2, padding: Padding) => X;
  /** Mean of 3×3 squares without what lies beyond the border. */
  readonly averagePool: (x: X) => X;
  readonly concat: (xs: readonly X[]) => X;
}

/** A chain of convolutions with stride 1 and zero padding. */
const chain = <X>(
  { convolve }: Algebra<X>,
  x: X,
  ...links: readonly (readonly [name: string, out: number, height: number, width: number])[]
): X =>
  links.reduce(
    (y, [name, out, height, width]) => convolve(y, name, out, [height, width], 1, "same"),
    x,
  );

const blockA = <X>(a: Algebra<X>, x: X, at: string, pool: number): X =>
  a.concat([
    chain(a, x, [`${at}.branch1x1`, 64, 1, 1]),
    chain(a, x, [`${at}.branch5x5_1`, 48, 1, 1], [`${at}.branch5x5_2`, 64, 5, 5]),
    chain(
      a,
      x,
      [`${at}.branch3x3dbl_1`, 64, 1, 1],
      [`${at}.branch3x3dbl_2`, 96, 3, 3],
      [`${at}.branch3x3dbl_3`, 96, 3, 3],
    ),
    chain(a, a.averagePool(x), [`${at}.branch_pool`, pool, 1, 1]),
  ]);

const blockB = <X>(a: Algebra<X>, x: X, at: string): X => {
  const double = chain(
    a,
    x,
    [`${at}.branch3x3dbl_1`, 64, 1, 1],
    [`${at}.branch3x3dbl_2`, 96, 3, 3],
  );
  return a.concat([
    a.convolve(x, `${at}.branch3x3`, 384, [3, 3], 2, "valid"),
    a.convolve(double, `${at}.branch3x3dbl_3`, 96, [3, 3], 2, "valid"),
    a.maxPool(x, 2, "valid"),
  ]);
};

const blockC = <X>(a: Algebra<X>, x: X, at: string, inner: number): X =>
  a.concat([
    chain(a, x, [`${at}.branch1x1`, 192, 1, 1]),
    chain(
      a,
      x,
      [`${at}.branch7x7_1`, inner, 1, 1],
      [`${at}.branch7x7_2`, inner, 1, 7],
      [`${at}.branch7x7_3`, 192, 7, 1],
    ),
    chain(
      a,
      x,
      [`${at}.branch7x7dbl_1`, inner, 1, 1],
      [`${at}.branch7x7dbl_2`, inner, 7, 1],
      [`${at}.branch7x7dbl_3`, inner, 1, 7],
      [`${at}.branch7x7dbl_4`, inner, 7, 1],
      [`${at}.branch7x7dbl_5`, 192, 1, 7],
    ),
    chain(a, a.averagePool(x), [`${at}.branch_pool`, 192, 1, 1]),
  ]);

const blockD = <X>(a: Algebra<X>, x: X, at: string): X => {
  const third = chain(a, x, [`${at}.branch3x3_1`, 192, 1, 1]);
  const seventh = chain(
    a,
    x,
    [`${at}.branch7x7x3_1`, 192, 1, 1],
    [`${at}.branch7x7x3_2`, 192, 1, 7],
    [`${at}.branch7x7x3_3`, 192, 7, 1],
  );
  return a.concat([
    a.convolve(third, `${at}.branch3x3_2`, 320, [3, 3], 2, "valid"),
    a.convolve(seventh, `${at}.branch7x7x3_4`, 192, [3, 3], 2, "valid"),
    a.maxPool(x, 2, "valid"),
  ]);
};

/** The last block pools by maximum where the others average: so was the network of 2015. */
const blockE = <X>(a: Algebra<X>, x: X, at: string, pool: "average" | "max"): X => {
  const third = chain(a, x, [`${at}.branch3x3_1`, 384, 1, 1]);
  const double = chain(
    a,
    x,
    [`${at}.branch3x3dbl_1`, 448, 1, 1],
    [`${at}.branch3x3dbl_2`, 384, 3, 3],
  );
  return a.concat([
    chain(a, x, [`${at}.branch1x1`, 320, 1, 1]),
    chain(a, third, [`${at}.branch3x3_2a`, 384, 1, 3]),
    chain(a, third, [`${at}.branch3x3_2b`, 384, 3, 1]),
    chain(a, double, [`${at}.branch3x3dbl_3a`, 384, 1, 3]),
    chain(a, double, [`${at}.branch3x3dbl_3b`, 384, 3, 1]),
    chain(a, pool === "max" ? a.maxPool(x, 1, "same") : a.averagePool(x), [
      `${at}.branch_pool`,
      192,
      1,
      1,
    ]),
  ]);
};

const inception = <X>(a: Algebra<X>, input: X): X => {
  let x = a.convolve(input, "Conv2d_1a_3x3", 32, [3, 3], 2, "valid");
  x = a.convolve(x, "Conv2d_2a_3x3", 32, [3, 3], 1, "valid");
  x = a.convolve(x, "Conv2d_2b_3x3", 64, [3, 3], 1, "same");
  x = a.maxPool(x, 2, "valid");
  x = a.convolve(x, "Conv2d_3b_1x1", 80, [1, 1], 1, "valid");
  x = a.convolve(x, "Conv2d_4a_3x3", 192, [3, 3], 1, "valid");
  x = a.maxPool(x, 2, "valid");
  x = blockA(a, x, "Mixed_5b", 32);
  x = blockA(a, x, "Mixed_5c", 64);
  x = blockA(a, x, "Mixed_5d", 64);
  x = blockB(a, x, "Mixed_6a");
  x = blockC(a, x, "Mixed_6b", 128);
  x = blockC(a, x, "Mixed_6c", 160);
  x = blockC(a, x, "Mixed_6d", 160);
  x = blockC(a, x, "Mixed_6e", 192);
  x = blockD(a, x, "Mixed_7a");
  x = blockE(a, x, "Mixed_7b", "average");
  return blockE(a, x, "Mixed_7c", "max");
};

/** Counts channels and notes every convolution. */
const tracer = (found: InceptionConvolution[]): Algebra<number> => ({
  convolve: (from, name, out, [height, width]) => {
    found.push({ name, shape: [height, width, from, out] });
    return out;
  },
  maxPool: (channels) => channels,
  averagePool: (channels) => channels,
  concat: (channels) => channels.reduce((a, b) => a + b, 0),
});

/** The 94 convolutions, in the order in which they run. */
export const inceptionConvolutions: readonly InceptionConvolution[] = (() => {
  const found: InceptionConvolution[] = [];
  inception(tracer(found), 3);
  return found;
})();

/** Shapes of the weights by name: `Conv2d_1a_3x3/kernel` [3, 3, 3, 32], `Conv2d_1a_3x3/bias` … */
export const inceptionShapes: ReadonlyMap<string, readonly number[]> = new Map(
  inceptionConvolutions.flatMap(({ name, shape }): [string, readonly number[]][] => [
    [`${name}/kernel`, shape],
    [`${name}/bias`, shape.slice(3)],
  ]),
);

/** The side to which pictures are resized. */
export const inceptionSize = 299;

const runner = (need: (name: string) => Tensor): Algebra<Tensor> => ({
  convolve: (x, name, _, __, stride, padding) =>
    tf.relu(tf.add(
      tf.conv2d(x as Tensor4D, need(`${name}/kernel`) as Tensor4D, stride, padding),
      need(`${name}/bias`),
    )),
  maxPool: (x, stride, padding) => tf.maxPool(x as Tensor4D, 3, stride, padding),
  averagePool: (x) => tf.avgPool(x as Tensor4D, 3, 1, "same"),
  concat: (xs) => tf.concat([...xs], 3),
});

/** Inception with its weights. */
export interface Inception {
  /** The tensors that it owns, by name. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Features of images [B, H, W, 3] in [-1, 1] of any size. // [B, 2048] */
  readonly features: (images: Tensor) => Tensor;
}

/**
 * Makes the network from its weights (see {@link inceptionShapes}). Pictures are resized to 299
 * pixels bilinearly, with half-pixel centres and without smoothing, as the published FID does; they
 * keep their range of [-1, 1]. Call inside `backend.run`; the tensors are the caller's.
 */
export const createInception = (arrays: WeightArrays): Inception => {
  const weights = Object.fromEntries([...inceptionShapes].map(([name, shape]) => {
    const array = arrays.get(name);
    if (!array) throw new Error(`Cannot make Inception: ${name} is missing`);
    return [name, tf.tensor(array.values, [...shape], "float32")];
  }));
  const algebra = runner((name) => {
    const tensor = weights[name];
    if (!tensor) throw new Error(`Cannot run Inception: ${name} is missing`);
    return tensor;
  });
  return {
    weights,
    features: (images) =>
      tf.mean(
        inception(
          algebra,
          tf.image.resizeBilinear(
            images as Tensor4D,
            [inceptionSize, inceptionSize],
            false,
            true,
          ),
        ),
        [1, 2],
      ),
  };
};
