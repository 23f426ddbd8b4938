// What the wasm module exports.
export { attach, serve, stop } from "./pool";
export { convolveDirect, filterGradDirect } from "./direct";
export { convolveWinograd, filterGradWinograd } from "./winograd";
export { matrixProduct } from "./matrix";
export { instanceNormalize, instanceNormalizeGrad } from "./norm";
export {
  adamUpdate, averagePool2, exponentialAverage, reluGrad, signGrad, upsampleNearest2,
} from "./pointwise";
export { absoluteDifference, squaredNorm } from "./reduce";
export { powerIteration, spectralNormalize, spectralNormalizeGrad } from "./spectral";
export { binary, copyRows, relu, softmax, sumAxis } from "./arrays";
