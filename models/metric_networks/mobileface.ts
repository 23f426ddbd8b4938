/**
 * MobileFace, a small face recogniser for CSIM (section 4): 112-pixel aligned faces to 256 values.
 * No loss uses it, so what it says about likeness was not trained for.
 *
 * @module
 */
import { type Tensor, type Tensor4D, tf } from "../../backends/tf.ts";
import type { WeightArrays } from "../perceptual/weight_file.ts";

/** The side of the faces that it reads, in pixels. */
export const mobileFaceSize = 112;
/** How many values a descriptor has. */
export const mobileFaceLength = 256;

/** Channels in front of and behind each stage; a stage halves the size. */
const stages = [[32, 32], [32, 32], [32, 64], [64, 128]] as const;

/** Shapes of the weights by name, in the order in which they are used. */
export const mobileFaceShapes: ReadonlyMap<string, readonly number[]> = new Map<
  string,
  readonly number[]
>([
  ["conv1/kernel", [3, 3, 3, 32]],
  ["conv1/slope", [32]],
  ...stages.flatMap(([from, to], i): [string, readonly number[]][] => [
    [`stage${i + 1}/widen/kernel`, [1, 1, from, to]],
    ...[0, 1, 2].flatMap((d): [string, readonly number[]][] => [
      [`stage${i + 1}/depthwise${d}/kernel`, [3, 3, to, 1]],
      [`stage${i + 1}/depthwise${d}/slope`, [to]],
    ]),
  ]),
  ["dense/kernel", [2048, mobileFaceLength]],
  ["dense/gain", [mobileFaceLength]],
  ["dense/bias", [mobileFaceLength]],
]);

/** A face recogniser with its weights. */
export interface Recogniser {
  /** The tensors that it owns, by name. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Descriptors of aligned faces [B, 112, 112, 3] in [-1, 1]. // [B, 256] */
  readonly descriptors: (faces: Tensor) => Tensor;
}

/** x where it is positive, slope·x elsewhere, a slope for each channel. */
const parametricRelu = (x: Tensor, slope: Tensor): Tensor =>
  tf.add(tf.relu(x), tf.mul(slope, tf.minimum(x, 0)));

/**
 * A convolution with stride 2 of a picture with a border of one zero on each side: the border of
 * TensorFlow's "same" would be only at the far side.
 */
const bordered = (x: Tensor): Tensor4D =>
  tf.pad(x as Tensor4D, [[0, 0], [1, 1], [1, 1], [0, 0]]) as Tensor4D;

/**
 * Makes the network from its weights (see {@link mobileFaceShapes}). Call inside `backend.run`; the
 * tensors are the caller's.
 */
export const createMobileFace = (arrays: WeightArrays): Recogniser => {
  const weights = Object.fromEntries([...mobileFaceShapes].map(([name, shape]) => {
    const array = arrays.get(name);
    if (!array) throw new Error(`Cannot make MobileFace: ${name} is missing`);
    return [name, tf.tensor(array.values, [...shape], "float32")];
  }));
  const need = (name: string): Tensor => {
    const tensor = weights[name];
    if (!tensor) throw new Error(`Cannot run MobileFace: ${name} is missing`);
    return tensor;
  };
  const depthwise = (x: Tensor, name: string, stride: 1 | 2): Tensor =>
    parametricRelu(
      tf.depthwiseConv2d(bordered(x), need(`${name}/kernel`) as Tensor4D, stride, "valid"),
      need(`${name}/slope`),
    );
  const descriptors = (faces: Tensor): Tensor => {
    const input = bordered(tf.mul(faces, 127.5 / 128)); // (0…255 − 127.5) / 128
    let x = parametricRelu(
      tf.conv2d(input, need("conv1/kernel") as Tensor4D, 2, "valid"),
      need("conv1/slope"),
    );
    stages.forEach((_, i) => {
      const at = `stage${i + 1}`;
      x = tf.conv2d(x as Tensor4D, need(`${at}/widen/kernel`) as Tensor4D, 1, "valid");
      x = depthwise(x, `${at}/depthwise0`, 2);
      const inner = depthwise(x, `${at}/depthwise1`, 1);
      x = tf.add(depthwise(inner, `${at}/depthwise2`, 1), x);
    });
    const dense = tf.matMul(x.reshape([x.shape[0] ?? 1, 2048]), need("dense/kernel"));
    return tf.add(tf.mul(dense, need("dense/gain")), need("dense/bias"));
  };
  return { weights, descriptors };
};
