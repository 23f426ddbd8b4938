/**
 * What the frozen networks of the content loss have in common: a chain of layers that is run up to
 * the deepest activation that is used, and the Caffe preprocessing of the picture.
 *
 * @module
 */
import type { Tensor } from "../../backends/tf.ts";
import type { WeightArray } from "./manifest.ts";

/** A frozen network that gives activations of pictures; only the picture gets a gradient. */
export interface FeatureNetwork {
  /** The tensors that it owns, by name. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Activations of images [B, H, W, 3] in [-1, 1] at the taps, in the order of the taps. */
  readonly activations: (images: Tensor) => readonly Tensor[];
}

/** How many numbers a network takes for one picture. */
export interface NetworkCost {
  /** Its weights, whatever the picture. */
  readonly weights: number;
  /** All activations on the way to the taps: what the gradient to the picture needs. */
  readonly activations: number;
  /** Those at the taps alone. */
  readonly tapped: number;
}

/** One layer; its output is an activation that can be tapped where it has a name. */
export interface Layer {
  /** The name of its output, if it has one. */
  readonly tap?: string;
  /** Runs the layer. */
  readonly apply: (x: Tensor) => Tensor;
}

/** The layers up to the deepest of these taps; all of them where a tap does not exist. */
export const upToTaps = <L extends { readonly tap?: string }>(
  layers: readonly L[],
  taps: readonly string[],
): readonly L[] => {
  const depths = taps.map((tap) => layers.findIndex((layer) => layer.tap === tap));
  return depths.includes(-1) ? layers : layers.slice(0, Math.max(-1, ...depths) + 1);
};

/** Runs a chain of layers and keeps the activations at the taps, in the order of the taps. */
export const runToTaps = (
  layers: readonly Layer[],
  taps: readonly string[],
): (x: Tensor) => readonly Tensor[] =>
(x) => {
  const found = new Map<string, Tensor>();
  upToTaps(layers, taps).reduce((input, { tap, apply }) => {
    const output = apply(input);
    if (tap !== undefined) found.set(tap, output);
    return output;
  }, x);
  return taps.map((tap) => {
    const activation = found.get(tap);
    if (!activation) throw new Error(`Cannot tap ${tap}: the network has no such activation`);
    return activation;
  });
};

/** Means of the blue, green and red channel that a network was trained with, 0 to 255. */
export type ChannelMeans = readonly [blue: number, green: number, red: number];

/**
 * Caffe preprocessing (0 to 255, blue first, channel means subtracted) of a picture x in [-1, 1],
 * red first, is 127.5·(x + o) in another order of channels. The order and the factor move into the
 * first filters; the offset o cannot, since the network pads after subtracting the means.
 */
export const caffeOffset = ([blue, green, red]: ChannelMeans): Float32Array =>
  Float32Array.of(1 - red / 127.5, 1 - green / 127.5, 1 - blue / 127.5);

/** First filters [k, k, 3, out] for pictures with red first in units of 127.5: see {@link caffeOffset}. */
export const foldCaffe = ({ shape, values }: WeightArray): WeightArray => {
  const out = shape[3] ?? 1;
  return {
    shape,
    values: values.map((_, i) => {
      const channel = Math.floor(i / out) % 3;
      return 127.5 * (values[i + (2 - 2 * channel) * out] ?? 0);
    }),
  };
};
