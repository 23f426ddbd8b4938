/**
 * What an added kernel is on this backend, and what several of them share.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";

/** What a kernel gets from the engine. */
export interface KernelCall {
  readonly backend: WebGPUBackend;
  readonly inputs: Readonly<Record<string, TensorInfo | undefined>>;
  readonly attributes: Readonly<Record<string, number | boolean | undefined>>;
}

/** A kernel: its outputs in the order of `kernels/names.ts`. */
export type Kernel = (call: KernelCall) => TensorInfo[];

/** The input of that name; a missing one is a bug. */
export const need = ({ inputs }: KernelCall, name: string): TensorInfo => {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`Cannot run kernel: input ${name} is missing`);
  return tensor;
};

/** The inputs of a kernel that takes a list. */
export const listed = ({ inputs }: KernelCall): readonly TensorInfo[] =>
  Object.values(inputs).filter((tensor) => tensor !== undefined);

/** The only tensor, or the one at `i`, of what a program gave; a missing one is a bug. */
export const at = (tensors: readonly TensorInfo[], i = 0): TensorInfo => {
  const tensor = tensors[i];
  if (tensor === undefined) throw new Error(`Cannot run kernel: output ${i} is missing`);
  return tensor;
};

/** How many numbers a shape has. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The four sides of an image batch. // [B, H, W, C] */
export const sides = ({ shape }: TensorInfo): readonly [number, number, number, number] => {
  const [batch, height, width, channels] = shape;
  if (channels === undefined || shape.length !== 4) {
    throw new Error(`Cannot run kernel: a tensor has shape [${shape}], expected four sides`);
  }
  return [batch ?? 1, height ?? 1, width ?? 1, channels];
};

/** A tensor seen as a matrix whose columns are its last axis. */
export const asMatrix = (
  { shape }: TensorInfo,
): { readonly rows: number; readonly columns: number } => {
  const columns = shape.at(-1) ?? 1;
  return { rows: sizeOf(shape) / columns, columns };
};

/** Frees intermediate results. */
export const free = (backend: WebGPUBackend, ...tensors: readonly TensorInfo[]): void => {
  for (const { dataId } of tensors) backend.disposeData(dataId);
};
