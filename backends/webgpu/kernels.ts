/**
 * All added kernels of the `webgpu` backend, registered under its name.
 *
 * @module
 */
import { tf, type WebGPUBackend } from "../tf.ts";
import { type KernelName, kernelNames, type ManyName, type StorageName } from "../kernels/names.ts";
import { registerComposed } from "../kernels/composed.ts";
import { convolve, convolveFilterGrad, convolveInputGrad } from "./convolve.ts";
import { splitSums } from "./guard.ts";
import { packHalves } from "./half.ts";
import type { Kernel } from "./kernel.ts";
import { instanceNormalize } from "./norm.ts";
import { instanceNormalizeGrad } from "./norm_grad.ts";
import {
  adamUpdate,
  adamUpdates,
  exponentialAverage,
  exponentialAverages,
  squaredNorms,
} from "./optimiser.ts";
import {
  averagePool2,
  meanAbsoluteDifferenceGrad,
  reluGrad,
  upsampleNearest2,
} from "./pixelwise.ts";
import { biasGrad, meanAbsoluteDifference, squaredNorm } from "./reduce.ts";
import { powerIteration, spectralNormalize, spectralNormalizeGrad } from "./spectral.ts";

const backendName = "webgpu";

const kernels: Readonly<Partial<Record<KernelName | ManyName | StorageName, Kernel>>> = {
  Convolve: convolve,
  ConvolveInputGrad: convolveInputGrad,
  ConvolveFilterGrad: convolveFilterGrad,
  BiasGrad: biasGrad,
  ReluGrad: reluGrad,
  InstanceNormalize: instanceNormalize,
  InstanceNormalizeGrad: instanceNormalizeGrad,
  AveragePool2: averagePool2,
  UpsampleNearest2: upsampleNearest2,
  PowerIteration: powerIteration,
  SpectralNormalize: spectralNormalize,
  SpectralNormalizeGrad: spectralNormalizeGrad,
  MeanAbsoluteDifference: meanAbsoluteDifference,
  MeanAbsoluteDifferenceGrad: meanAbsoluteDifferenceGrad,
  SquaredNorm: squaredNorm,
  AdamUpdate: adamUpdate,
  AdamUpdates: adamUpdates,
  ExponentialAverage: exponentialAverage,
  ExponentialAverages: exponentialAverages,
  SquaredNorms: squaredNorms,
  PackHalves: packHalves,
};

/** Registers them, and those that are missing here composed; again changes nothing. */
export const registerKernels = (): void => {
  if (kernelNames.every((name) => tf.getKernel(name, backendName))) return;
  splitSums();
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) =>
        kernel({
          backend: backend as WebGPUBackend,
          inputs,
          attributes: (attrs ?? {}) as Record<string, number | boolean>,
        }),
    });
  }
  registerComposed(backendName, new Set());
};
