/**
 * LPIPS, a learnt distance of two pictures (Zhang et al. 2018, version 0.1): activations of a trunk
 * trained on ImageNet, each place's channels at unit length, squared differences weighed channel by
 * channel, the mean over places, the sum over five layers.
 *
 * @module
 */
import { type Tensor, type Tensor4D, tf } from "../../backends/tf.ts";
import type { WeightArrays } from "../perceptual/weight_file.ts";

/** The trunks that LPIPS is published with and that are known here. */
export type LpipsTrunk = "alexnet" | "vgg16";

/** A convolution with a ReLU behind it. */
export interface TrunkConvolution {
  /** Its name in our files: `conv2`, `conv3_1`. */
  readonly name: string;
  /** Where it stands in torchvision's list of layers. */
  readonly at: number;
  /** Kernel [height, width, in, out]. */
  readonly shape: readonly [number, number, number, number];
  readonly stride: number;
  /** Zeros on each side. */
  readonly border: number;
  /** The side of the maximum that is taken in front of it, with stride 2; none where undefined. */
  readonly pool?: number;
  /** Which of the five compared activations this is a part of, from 0. */
  readonly slice: number;
}

/** A trunk: its convolutions, the last one of each slice is compared. */
export interface Trunk {
  /** For people. */
  readonly title: string;
  readonly convolutions: readonly TrunkConvolution[];
  /** The least side of a picture for which every activation has a place. */
  readonly leastSide: number;
}

const alexNet: Trunk = {
  title: "AlexNet",
  leastSide: 31,
  convolutions: [
    { name: "conv1", at: 0, shape: [11, 11, 3, 64], stride: 4, border: 2, slice: 0 },
    { name: "conv2", at: 3, shape: [5, 5, 64, 192], stride: 1, border: 2, pool: 3, slice: 1 },
    { name: "conv3", at: 6, shape: [3, 3, 192, 384], stride: 1, border: 1, pool: 3, slice: 2 },
    { name: "conv4", at: 8, shape: [3, 3, 384, 256], stride: 1, border: 1, slice: 3 },
    { name: "conv5", at: 10, shape: [3, 3, 256, 256], stride: 1, border: 1, slice: 4 },
  ],
};

const vgg16: Trunk = {
  title: "VGG16",
  leastSide: 16,
  convolutions: [[3, 64, 2], [64, 128, 2], [128, 256, 3], [256, 512, 3], [512, 512, 3]].flatMap(
    ([from = 0, to = 0, count = 0], slice) =>
      Array.from({ length: count }, (_, c): TrunkConvolution => ({
        name: `conv${slice + 1}_${c + 1}`,
        // Two for each convolution and its ReLU, one for each pooling: 0, 5, 10, 17, 24.
        at: ([0, 5, 10, 17, 24][slice] ?? 0) + 2 * c,
        shape: [3, 3, c === 0 ? from : to, to],
        stride: 1,
        border: 1,
        ...(c === 0 && slice > 0 && { pool: 2 }),
        slice,
      })),
  ),
};

/** The known trunks. */
export const lpipsTrunks: Readonly<Record<LpipsTrunk, Trunk>> = { alexnet: alexNet, vgg16 };

const isCompared = ({ convolutions }: Trunk, i: number): boolean =>
  convolutions[i]?.slice !== convolutions[i + 1]?.slice;

/** Channels of the compared activations. */
export const lpipsChannels = (trunk: Trunk): readonly number[] =>
  trunk.convolutions.filter((_, i) => isCompared(trunk, i)).map(({ shape }) => shape[3]);

/** Shapes of the weights by name: `conv1/kernel`, `conv1/bias`, … `lin0/weights` [channels], … */
export const lpipsShapes = (trunk: Trunk): ReadonlyMap<string, readonly number[]> =>
  new Map<string, readonly number[]>([
    ...trunk.convolutions.flatMap(({ name, shape }): [string, readonly number[]][] => [
      [`${name}/kernel`, shape],
      [`${name}/bias`, shape.slice(3)],
    ]),
    ...lpipsChannels(trunk).map((channels, i): [string, readonly number[]] => [
      `lin${i}/weights`,
      [channels],
    ]),
  ]);

/** Which trunk these names of weights are of: only VGG16 has blocks. */
export const lpipsTrunkOf = (names: Iterable<string>): LpipsTrunk =>
  [...names].includes("conv1_1/kernel") ? "vgg16" : "alexnet";

/** What the published network makes of a picture in [-1, 1], red first: (x − shift) / scale. */
const shift = [-0.03, -0.088, -0.188], scale = [0.458, 0.448, 0.45];

/** Keeps the length of a place without any activation from being divided by. */
const epsilon = 1e-10;

/** LPIPS with its weights. */
export interface Lpips {
  /** The tensors that it owns, by name. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Distances of pairs of images [B, H, W, 3] in [-1, 1], red first; 0 for equal ones. // [B] */
  readonly distances: (a: Tensor, b: Tensor) => Tensor;
}

const unitLength = (x: Tensor): Tensor =>
  tf.div(x, tf.add(tf.sqrt(tf.sum(tf.square(x), 3, true)), epsilon));

/**
 * Makes the network from its weights (see {@link lpipsShapes}); their names tell the trunk. Call
 * inside `backend.run`; the tensors are the caller's. Images have at least the trunk's `leastSide`.
 */
export const createLpips = (arrays: WeightArrays): Lpips => {
  const trunk = lpipsTrunks[lpipsTrunkOf(arrays.keys())];
  const own = [...lpipsShapes(trunk)].map(([name, shape]): [string, Tensor] => {
    const array = arrays.get(name);
    if (!array) throw new Error(`Cannot make LPIPS: ${name} is missing`);
    return [name, tf.tensor(array.values, [...shape], "float32")];
  });
  const weights: Readonly<Record<string, Tensor>> = {
    ...Object.fromEntries(own),
    shift: tf.tensor1d(shift),
    scale: tf.tensor1d(scale),
  };
  const need = (name: string): Tensor => {
    const tensor = weights[name];
    if (!tensor) throw new Error(`Cannot run LPIPS: ${name} is missing`);
    return tensor;
  };
  const convolve = (x: Tensor, { name, stride, border, pool }: TrunkConvolution): Tensor => {
    const pooled = pool === undefined ? x : tf.maxPool(x as Tensor4D, pool, 2, "valid");
    const padded = tf.pad(pooled as Tensor4D, [[0, 0], [border, border], [border, border], [0, 0]]);
    return tf.relu(tf.add(
      tf.conv2d(padded as Tensor4D, need(`${name}/kernel`) as Tensor4D, stride, "valid"),
      need(`${name}/bias`),
    ));
  };
  const activations = (images: Tensor): readonly Tensor[] => {
    let x = tf.div(tf.sub(images, need("shift")), need("scale"));
    return trunk.convolutions.flatMap((layer, i) => {
      x = convolve(x, layer);
      return isCompared(trunk, i) ? [unitLength(x)] : [];
    });
  };
  const distances = (a: Tensor, b: Tensor): Tensor => {
    const others = activations(b);
    const terms = activations(a).map((x, i) => {
      const apart = tf.squaredDifference(x, others[i] ?? x);
      return tf.mean(tf.sum(tf.mul(apart, need(`lin${i}/weights`)), 3), [1, 2]);
    });
    return terms.reduce((sum, term) => tf.add(sum, term));
  };
  return { weights, distances };
};
