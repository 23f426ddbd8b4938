/**
 * The convolutions of a preset, each with its two gradients: the shapes of E over all shots, of D
 * over fake and real, of G alone.
 *
 * @module
 */
import { tf } from "../backends/tf.ts";
import { runKernel } from "../backends/kernels/gradients.ts";
import type { KernelName } from "../backends/kernels/names.ts";
import {
  type Architecture,
  discriminatorLayers,
  embedderLayers,
  generatorLayers,
  type Layer,
} from "../models/architecture.ts";
import type { HasBackend, HasClock } from "../pipeline/core/env.ts";
import { type Effort, seconds, timeOf } from "../pipeline/core/timing.ts";

/** A 3 × 3 convolution. */
interface Shape {
  readonly batch: number;
  readonly side: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** What a kernel took at a shape. */
export interface ConvolutionTiming {
  /** `8×64²×32→32 Convolve`. */
  readonly name: string;
  readonly seconds: number;
  /** 10⁹ multiplications and additions a second, of the definition. */
  readonly gflops: number;
}

const shapesOf = (layers: readonly Layer[], batch: number, size: number): readonly Shape[] => {
  let side = size;
  return layers.flatMap((layer) => {
    if (layer.kind === "attention") return [];
    const { input, output, mode } = layer;
    if (mode === "up") side *= 2;
    const first = { batch, side, inputs: input, outputs: output };
    const second = { batch, side, inputs: output, outputs: output };
    if (mode === "down") side /= 2;
    return [first, second];
  });
};

/** The different shapes of a step with `shots` source frames, the largest work first. */
export const convolutionShapes = (
  architecture: Architecture,
  shots: number,
): readonly Shape[] => {
  const all = [
    ...shapesOf(embedderLayers(architecture), shots, architecture.size),
    ...shapesOf(discriminatorLayers(architecture), 2, architecture.size),
    ...shapesOf(generatorLayers(architecture), 1, architecture.size),
  ];
  return [...new Map(all.map((shape) => [Object.values(shape).join(), shape])).values()]
    .toSorted((a, b) => flopsOf(b) - flopsOf(a));
};

const flopsOf = ({ batch, side, inputs, outputs }: Shape): number =>
  18 * batch * side * side * inputs * outputs;

const kernels: readonly KernelName[] = ["Convolve", "ConvolveInputGrad", "ConvolveFilterGrad"];

/** Times every shape with its gradients. */
export const timeConvolutions = async (
  { backend, now }: HasBackend & HasClock,
  architecture: Architecture,
  shots: number,
  effort: Effort,
): Promise<readonly ConvolutionTiming[]> => {
  const timings: ConvolutionTiming[] = [];
  for (const shape of convolutionShapes(architecture, shots)) {
    const { batch, side, inputs, outputs } = shape;
    const made = await backend.run("inputs", () => ({
      x: tf.randomUniform([batch, side, side, inputs]),
      dy: tf.randomUniform([batch, side, side, outputs]),
      filter: tf.randomUniform([3, 3, inputs, outputs]),
    }))();
    if (made._tag === "Left") throw new Error(made.left.message);
    for (const kernel of kernels) {
      const time = await timeOf(() =>
        seconds(async () => {
          const result = await backend.run(kernel, () =>
            runKernel(kernel, made.right, { size: 3 }))();
          if (result._tag === "Left") {
            throw new Error(result.left.message);
          }
          // On a GPU nothing has happened yet; reading one number of it waits for all.
          if (backend.name === "webgpu") {
            await result.right[0]?.data();
          }
          backend.dispose(result.right);
        }, now), effort);
      timings.push({
        name: `${batch}×${side}²×${inputs}→${outputs} ${kernel}`,
        seconds: time,
        gflops: flopsOf(shape) / time / 1e9,
      });
    }
    backend.dispose(made.right);
  }
  return timings;
};
