/**
 * What a published network looks like in a file: which tensors of which shapes, and how they become
 * ours. One network may be published in several dialects (Caffe, PyTorch, Keras).
 *
 * @module
 */
import type { HostTensor } from "../../pipeline/core/elements.ts";

/** The names of the networks that are recognised. */
export type NetworkName = "vgg19" | "vggface" | "inception" | "mobileface" | "arcface" | "lpips";

/** A tensor in a file. */
export interface Part {
  /** Its name there, without what stands before the names of all. */
  readonly name: string;
  /** Its sides there. */
  readonly shape: readonly number[];
}

/** A tensor of ours by name. */
export type OwnTensor = readonly [name: string, tensor: HostTensor];

/** Some tensors in a file that become some of ours. */
export interface Rule {
  readonly parts: readonly Part[];
  /** Makes ours; called with tensors of exactly the shapes of the parts, in their order. */
  readonly make: (tensors: readonly HostTensor[]) => readonly OwnTensor[];
}

/** A way in which a network is published. */
export interface Dialect {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Tensors that belong to the network and are not used (a classifier). */
  readonly unused: (name: string) => boolean;
  /** Whether the name does not tell how the network wants its pictures: see {@link Preprocessing}. */
  readonly ambiguous?: true;
  /** What is told of the result. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * How pictures are prepared for a network: "caffe" is 0 to 255, blue first, means subtracted;
 * "imagenet" is 0 to 1, red first, means subtracted, divided by standard deviations.
 */
export type Preprocessing = "caffe" | "imagenet";

/** A published network. */
export interface PublishedNetwork {
  readonly name: NetworkName;
  /** Its name for people. */
  readonly title: string;
  /** Which loss or metric it serves. */
  readonly serves: string;
  readonly dialects: readonly Dialect[];
  /** Whether its first layers alone are of use. */
  readonly partial: boolean;
  /** Why tensors that fit are of another network all the same, in words. */
  readonly imposter?: (
    shapeOf: (name: string) => readonly number[] | undefined,
  ) => string | undefined;
}

/** Transposes a tensor: side i of the result is side `order[i]`. The result is float32. */
export const permute = (tensor: HostTensor, order: readonly number[]): HostTensor => {
  const { shape, data } = tensor;
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const sides = order.map((axis) => shape[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 0);
  const turned = new Float32Array(data.length), index = sides.map(() => 0);
  const row = sides.at(-1) ?? 1, step = steps.at(-1) ?? 0;
  for (let to = 0, from = 0; to < turned.length; to += row) {
    for (let i = 0, at = from; i < row; i++, at += step) turned[to + i] = data[at] ?? 0;
    for (let i = sides.length - 2; i >= 0; i--) {
      const side = sides[i] ?? 1, stride = steps[i] ?? 0, at = (index[i] ?? 0) + 1;
      from += stride;
      index[i] = at;
      if (at < side) break;
      from -= side * stride;
      index[i] = 0;
    }
  }
  return { dtype: "F32", shape: sides, data: turned };
};

/** [out, in, height, width] as Caffe and PyTorch have filters to [height, width, in, out]. */
export const filtersOf = (tensor: HostTensor): HostTensor => permute(tensor, [2, 3, 1, 0]);

/** The same numbers as float32, in other sides. */
export const floats = ({ data }: HostTensor, shape: readonly number[]): HostTensor => ({
  dtype: "F32",
  shape,
  data: data instanceof Float32Array ? data : Float32Array.from(data),
});
