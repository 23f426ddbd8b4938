/**
 * ArcFace: the residual network whose descriptors CSIM compares in the paper (section 4). 112-pixel
 * aligned faces to 512 values; published in several depths.
 *
 * @module
 */
import { type Tensor, type Tensor4D, tf } from "../../backends/tf.ts";
import type { WeightArrays } from "../perceptual/weight_file.ts";
import type { Recogniser } from "./mobileface.ts";

/** Blocks of the four stages, by the number of layers in the name of a published network. */
export const arcFaceDepths = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 14, 3],
  100: [3, 13, 30, 3],
} as const satisfies Readonly<Record<number, readonly number[]>>;

/** A number of layers. */
export type ArcFaceDepth = keyof typeof arcFaceDepths;

/** The side of the faces that it reads, in pixels. */
export const arcFaceSize = 112;

const channels = [64, 128, 256, 512] as const;

/** A residual block; only the first one of a stage halves the size and has a convolution beside. */
export interface ArcFaceBlock {
  /** Name as in the published files: `layer3.7`. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly first: boolean;
}

/** The blocks in the order in which they run. */
export const arcFaceBlocks = (blocks: readonly number[]): readonly ArcFaceBlock[] =>
  blocks.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i): ArcFaceBlock => ({
      name: `layer${stage + 1}.${i}`,
      from: (i === 0 ? channels[stage - 1] : channels[stage]) ?? 64,
      to: channels[stage] ?? 0,
      first: i === 0,
    }))
  );

/** Shapes of the weights by name: `conv1/kernel`, `layer1.0/before/gain`, … `dense/kernel`. */
export const arcFaceShapes = (
  blocks: readonly number[],
): ReadonlyMap<string, readonly number[]> =>
  new Map<string, readonly number[]>([
    ["conv1/kernel", [3, 3, 3, 64]],
    ["conv1/bias", [64]],
    ["conv1/slope", [64]],
    ...arcFaceBlocks(blocks).flatMap(({ name, from, to, first }): [string, number[]][] => [
      [`${name}/before/gain`, [from]],
      [`${name}/before/bias`, [from]],
      [`${name}/conv1/kernel`, [3, 3, from, to]],
      [`${name}/conv1/bias`, [to]],
      [`${name}/conv1/slope`, [to]],
      [`${name}/conv2/kernel`, [3, 3, to, to]],
      [`${name}/conv2/bias`, [to]],
      ...(first
        ? [[`${name}/skip/kernel`, [1, 1, from, to]], [`${name}/skip/bias`, [to]]] as [
          string,
          number[],
        ][]
        : []),
    ]),
    ["dense/kernel", [7 * 7 * 512, 512]],
    ["dense/bias", [512]],
  ]);

/** How many blocks each stage has, by the names of the weights. */
export const arcFaceBlocksOf = (names: Iterable<string>): readonly number[] => {
  const counts = channels.map(() => 0);
  for (const name of names) {
    const [, stage, block] = /^layer([1-4])\.(\d+)\//.exec(name) ?? [];
    if (stage !== undefined) {
      counts[Number(stage) - 1] = Math.max(counts[Number(stage) - 1] ?? 0, Number(block) + 1);
    }
  }
  return counts;
};

const parametricRelu = (x: Tensor, slope: Tensor): Tensor =>
  tf.add(tf.relu(x), tf.mul(slope, tf.minimum(x, 0)));

/** A convolution with a border of zeros as wide as PyTorch's padding. */
const convolve = (x: Tensor, kernel: Tensor, bias: Tensor, stride: 1 | 2): Tensor => {
  const border = ((kernel.shape[0] ?? 1) - 1) / 2;
  const padded = border === 0
    ? x
    : tf.pad(x as Tensor4D, [[0, 0], [border, border], [border, border], [0, 0]]);
  return tf.add(tf.conv2d(padded as Tensor4D, kernel as Tensor4D, stride, "valid"), bias);
};

/**
 * Makes the network from its weights (see {@link arcFaceShapes}); their names tell its depth. Call
 * inside `backend.run`; the tensors are the caller's. Faces are [B, 112, 112, 3] in [-1, 1], red
 * first; descriptors are [B, 512].
 */
export const createArcFace = (arrays: WeightArrays): Recogniser => {
  const blocks = arcFaceBlocksOf(arrays.keys());
  const weights = Object.fromEntries([...arcFaceShapes(blocks)].map(([name, shape]) => {
    const array = arrays.get(name);
    if (!array) throw new Error(`Cannot make ArcFace: ${name} is missing`);
    return [name, tf.tensor(array.values, [...shape], "float32")];
  }));
  const need = (name: string): Tensor => {
    const tensor = weights[name];
    if (!tensor) throw new Error(`Cannot run ArcFace: ${name} is missing`);
    return tensor;
  };
  const convolution = (x: Tensor, name: string, stride: 1 | 2): Tensor =>
    convolve(x, need(`${name}/kernel`), need(`${name}/bias`), stride);
  const block = (x: Tensor, { name, first }: ArcFaceBlock): Tensor => {
    const stride = first ? 2 : 1;
    const before = tf.add(tf.mul(x, need(`${name}/before/gain`)), need(`${name}/before/bias`));
    const inner = parametricRelu(
      convolution(before, `${name}/conv1`, 1),
      need(`${name}/conv1/slope`),
    );
    const skip = first ? convolution(x, `${name}/skip`, stride) : x;
    return tf.add(convolution(inner, `${name}/conv2`, stride), skip);
  };
  const descriptors = (faces: Tensor): Tensor => {
    const first = parametricRelu(convolution(faces, "conv1", 1), need("conv1/slope"));
    const last = arcFaceBlocks(blocks).reduce(block, first);
    const flat = last.reshape([last.shape[0] ?? 1, 7 * 7 * 512]);
    return tf.add(tf.matMul(flat, need("dense/kernel")), need("dense/bias"));
  };
  return { weights, descriptors };
};
