// What a chunk of each phase runs: the one place where phases have numbers.
import {
  binaryChunk, copyRowsChunk, reluChunk, softmaxChunk, softmaxGradChunk, sumAxisChunk,
  sumPartsChunk,
} from "./arrays";
import { direct, directFilterGrad, directPrepare, directReduce } from "./direct";
import {
  winogradBlock, winogradFilter, winogradGradFilter, winogradGradInput, winogradGradPlane,
  winogradGradSplit, winogradInput, winogradOutput, winogradPlane,
} from "./winograd";
import { matrixColumns, matrixFew, matrixPack, matrixRows } from "./matrix";
import { norm, normGrad } from "./norm";
import { poolChunk, reluGradChunk, signGradChunk, upsampleChunk } from "./pointwise";
import { differenceChunk } from "./reduce";
import { powerMatrix, spectralGradMatrix, spectralMatrix } from "./spectral";
import { adamMomentumRun, adamRun, averageRun, squaresRun } from "./updates";

export const DIRECT_PREPARE: i32 = 0;
export const DIRECT: i32 = 1;
export const DIRECT_FILTER_GRAD: i32 = 2;
export const DIRECT_REDUCE: i32 = 3;
export const WINOGRAD_FILTER: i32 = 4;
export const WINOGRAD_BLOCK: i32 = 5;
export const WINOGRAD_INPUT: i32 = 6;
export const WINOGRAD_PLANE: i32 = 7;
export const WINOGRAD_OUTPUT: i32 = 8;
export const WINOGRAD_GRAD_SPLIT: i32 = 9;
export const WINOGRAD_GRAD_INPUT: i32 = 10;
export const WINOGRAD_GRAD_PLANE: i32 = 11;
export const WINOGRAD_GRAD_FILTER: i32 = 12;
export const NORM: i32 = 13;
export const NORM_GRAD: i32 = 14;
export const RELU_GRAD: i32 = 15;
export const SIGN_GRAD: i32 = 16;
export const POOL: i32 = 17;
export const UPSAMPLE: i32 = 18;
export const AVERAGE: i32 = 19;
export const ADAM: i32 = 20;
export const SQUARES: i32 = 21;
export const DIFFERENCE: i32 = 22;
export const MATRIX_PACK: i32 = 23;
export const MATRIX_ROWS: i32 = 24;
export const MATRIX_COLUMNS: i32 = 25;
export const MATRIX_FEW: i32 = 26;
export const BINARY: i32 = 27;
export const RELU_ALL: i32 = 28;
export const COPY_ROWS: i32 = 29;
export const SUM_PARTS: i32 = 30;
export const SUM_AXIS: i32 = 31;
export const SOFTMAX: i32 = 32;
export const POWER: i32 = 33;
export const SPECTRAL: i32 = 34;
export const SPECTRAL_GRAD: i32 = 35;
export const SOFTMAX_GRAD: i32 = 36;
export const ADAM_MOMENTUM: i32 = 37;

/** Runs one chunk of a phase on a thread. */
export function dispatch(phase: i32, chunk: i32, thread: i32): void {
  switch (phase) {
    case DIRECT_PREPARE: return directPrepare(chunk, thread);
    case DIRECT: return direct(chunk, thread);
    case DIRECT_FILTER_GRAD: return directFilterGrad(chunk, thread);
    case DIRECT_REDUCE: return directReduce(chunk, thread);
    case WINOGRAD_FILTER: return winogradFilter(chunk, thread);
    case WINOGRAD_BLOCK: return winogradBlock(chunk, thread);
    case WINOGRAD_INPUT: return winogradInput(chunk, thread);
    case WINOGRAD_PLANE: return winogradPlane(chunk, thread);
    case WINOGRAD_OUTPUT: return winogradOutput(chunk, thread);
    case WINOGRAD_GRAD_SPLIT: return winogradGradSplit(chunk, thread);
    case WINOGRAD_GRAD_INPUT: return winogradGradInput(chunk, thread);
    case WINOGRAD_GRAD_PLANE: return winogradGradPlane(chunk, thread);
    case WINOGRAD_GRAD_FILTER: return winogradGradFilter(chunk, thread);
    case NORM: return norm(chunk, thread);
    case NORM_GRAD: return normGrad(chunk, thread);
    case RELU_GRAD: return reluGradChunk(chunk, thread);
    case SIGN_GRAD: return signGradChunk(chunk, thread);
    case POOL: return poolChunk(chunk, thread);
    case UPSAMPLE: return upsampleChunk(chunk, thread);
    case AVERAGE: return averageRun(chunk, thread);
    case ADAM: return adamRun(chunk, thread);
    case SQUARES: return squaresRun(chunk, thread);
    case DIFFERENCE: return differenceChunk(chunk, thread);
    case MATRIX_PACK: return matrixPack(chunk, thread);
    case MATRIX_ROWS: return matrixRows(chunk, thread);
    case MATRIX_COLUMNS: return matrixColumns(chunk, thread);
    case MATRIX_FEW: return matrixFew(chunk, thread);
    case BINARY: return binaryChunk(chunk, thread);
    case RELU_ALL: return reluChunk(chunk, thread);
    case COPY_ROWS: return copyRowsChunk(chunk, thread);
    case SUM_PARTS: return sumPartsChunk(chunk, thread);
    case SUM_AXIS: return sumAxisChunk(chunk, thread);
    case SOFTMAX: return softmaxChunk(chunk, thread);
    case POWER: return powerMatrix(chunk, thread);
    case SPECTRAL: return spectralMatrix(chunk, thread);
    case SPECTRAL_GRAD: return spectralGradMatrix(chunk, thread);
    case SOFTMAX_GRAD: return softmaxGradChunk(chunk, thread);
    case ADAM_MOMENTUM: return adamMomentumRun(chunk, thread);
    default: unreachable();
  }
}
