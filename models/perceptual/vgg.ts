/**
 * VGG19 and VGGFace (VGG16), the content networks of the paper (section 3.2): 3×3 convolutions with
 * ReLU, in five blocks with pooling between.
 *
 * @module
 */
import { averagePool2, convolve } from "../../backends/ops.ts";
import { type Tensor, type Tensor4D, tf } from "../../backends/tf.ts";
import type { WeightArrays } from "./weight_file.ts";
import {
  caffeOffset,
  type ChannelMeans,
  type FeatureNetwork,
  foldCaffe,
  type Layer,
  type NetworkCost,
  runToTaps,
  upToTaps,
} from "./network.ts";

/** A VGG: how many convolutions each block has, what they put out, and the means of its data. */
export interface VggArchitecture {
  /** The name of the published network. */
  readonly name: string;
  /** How many convolutions each block has. */
  readonly convolutions: readonly number[];
  /** Channels that each block puts out. */
  readonly channels: readonly number[];
  /** What is subtracted from its pictures. */
  readonly means: ChannelMeans;
}

/** VGG19 trained on ImageNet, as published for Caffe. */
export const vgg19: VggArchitecture = {
  name: "VGG19",
  convolutions: [2, 2, 4, 4, 4],
  channels: [64, 128, 256, 512, 512],
  means: [103.939, 116.779, 123.68],
};

/** VGGFace: VGG16 trained to recognise people, as published for Caffe. */
export const vggFace: VggArchitecture = {
  name: "VGGFace",
  convolutions: [2, 2, 3, 3, 3],
  channels: [64, 128, 256, 512, 512],
  means: [93.594, 104.762, 129.186],
};

/** How a VGG shrinks activations between blocks; the published ones were trained with "max". */
export type VggPooling = "max" | "average";

interface Convolution {
  readonly kind: "convolution";
  readonly name: string;
  readonly tap: string;
  readonly shape: readonly [number, number, number, number];
}
interface Pool {
  readonly kind: "pool";
  readonly tap?: never;
}

const layersOf = ({ convolutions, channels }: VggArchitecture): readonly (Convolution | Pool)[] =>
  convolutions.flatMap((count, b) => [
    ...(b === 0 ? [] : [{ kind: "pool" } as const]),
    ...Array.from({ length: count }, (_, c): Convolution => ({
      kind: "convolution",
      name: `conv${b + 1}_${c + 1}`,
      tap: `relu${b + 1}_${c + 1}`,
      shape: [3, 3, (c === 0 ? channels[b - 1] : channels[b]) ?? 3, channels[b] ?? 0],
    })),
  ]);

/** The activations of a VGG that can be tapped: relu1_1, relu1_2, relu2_1, … */
export const vggTaps = (architecture: VggArchitecture): readonly string[] =>
  layersOf(architecture).flatMap(({ tap }) => tap ?? []);

const isConvolution = (layer: Convolution | Pool): layer is Convolution =>
  layer.kind === "convolution";

/** Shapes of the weights that the taps need, by name: `conv1_1/kernel` [3, 3, in, out], … */
export const vggShapes = (
  architecture: VggArchitecture,
  taps: readonly string[],
): ReadonlyMap<string, readonly number[]> =>
  new Map(
    upToTaps(layersOf(architecture), taps).filter(isConvolution).flatMap((
      { name, shape },
    ): [string, readonly number[]][] => [
      [`${name}/kernel`, shape],
      [`${name}/bias`, shape.slice(3)],
    ]),
  );

/** What a VGG takes for a picture of so many pixels a side, in numbers. */
export const vggCost = (
  architecture: VggArchitecture,
  taps: readonly string[],
  size: number,
): NetworkCost => {
  let side = size, weights = 0, activations = 0, tapped = 0, channels = 3;
  for (const layer of upToTaps(layersOf(architecture), taps)) {
    if (isConvolution(layer)) {
      const [height, width, input, output] = layer.shape;
      channels = output;
      weights += height * width * input * output + output;
      if (taps.includes(layer.tap)) tapped += side * side * channels;
    } else side /= 2;
    activations += side * side * channels;
  }
  return { weights, activations, tapped };
};

const poolOf = (pooling: VggPooling) => (x: Tensor): Tensor =>
  pooling === "average" ? averagePool2(x) : tf.maxPool(x as Tensor4D, 2, 2, "valid");

/**
 * Makes the network from its weights (names and shapes of {@link vggShapes}, trained on pictures of
 * 0 to 255 with blue first). Call inside `backend.run`; the tensors are the caller's.
 */
export const createVgg = (
  architecture: VggArchitecture,
  arrays: WeightArrays,
  taps: readonly string[],
  pooling: VggPooling = "max",
): FeatureNetwork => {
  const weights: Record<string, Tensor> = {
    offset: tf.tensor1d(caffeOffset(architecture.means)),
  };
  for (const name of vggShapes(architecture, taps).keys()) {
    const array = arrays.get(name);
    if (!array) throw new Error(`Cannot make ${architecture.name}: ${name} is missing`);
    const { shape, values } = name === "conv1_1/kernel" ? foldCaffe(array) : array;
    weights[name] = tf.tensor(values, [...shape], "float32");
  }
  const need = (name: string): Tensor => {
    const tensor = weights[name];
    if (!tensor) throw new Error(`Cannot run ${architecture.name}: ${name} is missing`);
    return tensor;
  };
  const layers = upToTaps(layersOf(architecture), taps).map((layer): Layer =>
    isConvolution(layer)
      ? {
        tap: layer.tap,
        apply: (x) =>
          convolve(x, need(`${layer.name}/kernel`), {
            bias: need(`${layer.name}/bias`),
            relu: true,
          }),
      }
      : { apply: poolOf(pooling) }
  );
  const run = runToTaps(layers, taps);
  return { weights, activations: (images) => run(tf.add(images, need("offset"))) };
};
