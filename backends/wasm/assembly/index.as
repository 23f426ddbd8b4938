// What the wasm module exports.
export { attach, serve, stop } from "./pool";
export { convolveDirect, filterGradDirect } from "./direct";
export { convolveWinograd, filterGradWinograd } from "./winograd";
export { matrixProduct } from "./matrix";
export { instanceNormalize, instanceNormalizeGrad } from "./norm";
export { averagePool2, reluGrad, signGrad, upsampleNearest2 } from "./pointwise";
export { absoluteDifference } from "./reduce";
export { powerIterations, spectralGrads, spectralNormalizes } from "./spectral";
export { adamMomentumUpdates, adamUpdates, exponentialAverages, squaredNorms } from "./updates";
export { binary, copyRows, relu, softmax, softmaxGrad, sumAxis } from "./arrays";
