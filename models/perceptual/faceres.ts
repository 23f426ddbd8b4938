/**
 * FaceRes, the face network that the content loss of the small presets uses: a MobileNet trained on
 * VGGFace2 to recognise people (and then to tell their age and gender), whose weights an npm
 * package ships. Trained with Caffe preprocessing.
 *
 * @module
 */
import { faceResUrl } from "../../backends/face_weights.ts";
import { type Tensor, tf } from "../../backends/tf.ts";
import type { HasBackend } from "../../pipeline/core/env.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { E, F, RTE, TE } from "../../pipeline/core/fp.ts";
import type { WeightArray } from "./manifest.ts";
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
import { enlargeFilters, rotated, scaled, stackFilters, stackSquares } from "./faceres_filters.ts";
import { convolveRelu6, depthwiseRelu6 } from "./separable.ts";
import { readWeightFile, type WeightArrays, weightsRefusal } from "./weight_file.ts";

/** Where the weights lie on disk; `BadFile` where the package is not installed. */
export const faceResPath = (): E.Either<Err<"BadFile">, string> =>
  E.tryCatch(
    () => decodeURIComponent(faceResUrl().pathname),
    () => weightsRefusal("@vladmandic/human", "the npm package is not installed, expected 3.3.6"),
  );

const sha256 = {
  "faceres.json": "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
  "faceres.bin": "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
};

const means: ChannelMeans = [103.939, 116.779, 123.68];

/** Output channels of the first convolution and of the 13 separable ones. */
const channels = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024] as const;
const strided: ReadonlySet<number> = new Set([2, 4, 6, 12]);

interface Block {
  readonly tap: string;
  readonly index: number;
}
const blocks: readonly Block[] = channels.map((_, index) => ({
  tap: index === 0 ? "conv1" : `pw${index}`,
  index,
}));

/** The activations that can be tapped: conv1 (after the first convolution), pw1 … pw13. */
export const faceResTaps: readonly string[] = blocks.map(({ tap }) => tap);

/**
 * Names in the file. Batch norms are folded: into the filters of the plain convolutions, and for
 * the depthwise ones into a factor and a bias that follow.
 */
const names = {
  firstFilter: "conv1/convolution/merged_input",
  firstBias: "conv1_bn/batchnorm_1/sub",
  depthwise: (i: number) => `conv_dw_${i}/depthwise_kernel`,
  factor: (i: number) => `conv_dw_${i}_bn/batchnorm_1/mul`,
  depthwiseBias: (i: number) => `conv_dw_${i}_bn/batchnorm_1/sub`,
  pointwise: (i: number) => `conv_pw_${i}/convolution/merged_input`,
  pointwiseBias: (i: number) => `conv_pw_${i}_bn/batchnorm_1/sub`,
};

const shapesOf = ({ index }: Block): readonly (readonly [string, readonly number[]])[] => {
  const from = channels[index - 1] ?? 3, to = channels[index] ?? 0;
  return index === 0 ? [[names.firstFilter, [3, 3, 3, to]], [names.firstBias, [to]]] : [
    [names.depthwise(index), [3, 3, from, 1]],
    [names.factor(index), [from]],
    [names.depthwiseBias(index), [from]],
    [names.pointwise(index), [1, 1, from, to]],
    [names.pointwiseBias(index), [to]],
  ];
};

/** Shapes of the weights that the taps need, by their names in the file. */
export const faceResShapes = (taps: readonly string[]): ReadonlyMap<string, readonly number[]> =>
  new Map(upToTaps(blocks, taps).flatMap(shapesOf));

/** Pictures up to this size are enlarged to twice their size first. */
export const enlargedUpTo = 64;

/**
 * Makes the network from its weights. A picture of at most 64 pixels is enlarged bilinearly to
 * twice its size first: at 128 the network tells people apart nearly as well as at the 224 that it
 * was trained with, at 64 markedly worse. Call inside `backend.run`; the tensors are the caller's.
 * Images must have sides divisible by the stride of the deepest tap.
 */
export const createFaceRes = (arrays: WeightArrays, taps: readonly string[]): FeatureNetwork => {
  const weights: Record<string, Tensor> = {};
  const make = (name: string, { shape, values }: WeightArray): Tensor =>
    weights[name] = tf.tensor(values, [...shape], "float32");
  const given = (name: string): WeightArray => {
    const array = arrays.get(name);
    if (!array) throw new Error(`Cannot make FaceRes: ${name} is missing`);
    return array;
  };
  const offset = make("offset", { shape: [3], values: caffeOffset(means) });
  const first = foldCaffe(given(names.firstFilter));
  const small = make("enlarging", enlargeFilters(first));
  const large = make("striding", stackFilters(first));
  const firstBias = make(names.firstBias, given(names.firstBias));

  const layers = upToTaps(blocks, taps).map(({ tap, index: i }): Layer => {
    if (i === 0) {
      return {
        tap,
        apply: (images) => {
          const x = tf.add(images, offset);
          return (images.shape[1] ?? 0) <= enlargedUpTo
            ? convolveRelu6(x, small, firstBias)
            : convolveRelu6(stackSquares(x), large, firstBias);
        },
      };
    }
    const filter = scaled(given(names.depthwise(i)), given(names.factor(i)));
    const depthwise = {
      filter: make(names.depthwise(i), filter),
      rotated: make(`${names.depthwise(i)}/rotated`, rotated(filter)),
      bias: make(names.depthwiseBias(i), given(names.depthwiseBias(i))),
    };
    const pointwise = make(names.pointwise(i), given(names.pointwise(i)));
    const bias = make(names.pointwiseBias(i), given(names.pointwiseBias(i)));
    const stride = strided.has(i) ? 2 : 1;
    return {
      tap,
      apply: (x) => convolveRelu6(depthwiseRelu6(x, depthwise, stride), pointwise, bias),
    };
  });
  return { weights, activations: runToTaps(layers, taps) };
};

/** What FaceRes takes for a picture of so many pixels a side, in numbers. */
export const faceResCost = (taps: readonly string[], size: number): NetworkCost => {
  let side = size <= enlargedUpTo ? size : size / 2;
  let weights = 0, activations = 0, tapped = 0;
  for (const block of upToTaps(blocks, taps)) {
    const { tap, index } = block, output = channels[index] ?? 0;
    weights += shapesOf(block).reduce(
      (sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    if (strided.has(index)) side /= 2;
    // A separable convolution leaves two outputs behind: of its depthwise part and its own.
    activations += side * side * (index === 0 ? output : output + (channels[index - 1] ?? 0));
    if (taps.includes(tap)) tapped += side * side * output;
  }
  return { weights, activations, tapped };
};

const checked = (
  path: string,
  arrays: WeightArrays,
  taps: readonly string[],
): E.Either<Err<"BadFile">, WeightArrays> => {
  for (const [name, shape] of faceResShapes(taps)) {
    const found = arrays.get(name);
    if (!found) return E.left(weightsRefusal(path, `${name} is missing, expected FaceRes`));
    if (found.shape.join() !== shape.join()) {
      return E.left(weightsRefusal(path, `${name} is [${found.shape}], expected [${shape}]`));
    }
  }
  return E.right(arrays);
};

/**
 * Loads FaceRes from the npm package, up to the deepest tap. Fails with `BadFile` where the package
 * is not there or is not the one that was pinned.
 */
export const loadFaceRes = (
  taps: readonly string[],
): RTE.ReaderTaskEither<HasBackend, Err<"BadFile" | "Backend" | "DeviceLost">, FeatureNetwork> => {
  const needed = faceResShapes(taps);
  return ({ backend }) =>
    F.pipe(
      TE.fromEither(faceResPath()),
      TE.flatMap((path) => readWeightFile(path, { wanted: (name) => needed.has(name), sha256 })),
      TE.flatMapEither(({ path, arrays }) => checked(path, arrays, taps)),
      TE.flatMap((arrays) => backend.run("loading of FaceRes", () => createFaceRes(arrays, taps))),
    );
};
