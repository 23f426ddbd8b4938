/**
 * Pictures and weights as the networks of the metrics take them.
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import type { WeightArrays } from "../../models/perceptual/weight_file.ts";
import type { HostTensors } from "../core/elements.ts";
import type { Image } from "../core/image.ts";

/** Pictures of one size in [-1, 1], red first; call inside `backend.run`. // [B, H, W, 3] */
export const batchOf = (images: readonly Image[]): Tensor => {
  const [first] = images, width = first?.width ?? 0, height = first?.height ?? 0;
  const values = new Float32Array(images.length * width * height * 3);
  images.forEach(({ data }, i) =>
    data.forEach((value, j) => values[i * data.length + j] = value / 127.5 - 1)
  );
  return tf.tensor(values, [images.length, height, width, 3]);
};

/** Tensors of a file as the arrays that networks are made of. */
export const arraysOf = (tensors: HostTensors): WeightArrays =>
  new Map(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape, values: Float32Array.from(data) },
    ]),
  );
