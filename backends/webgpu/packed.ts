/**
 * Tensors that lie one after another in one buffer, so that one dispatch can work on all of them.
 *
 * WebGPU guarantees eight storage buffers a shader, and TensorFlow.js gives each tensor a buffer of
 * its own: Adam needs six of them for one variable. But what TensorFlow.js binds for a tensor may
 * as well be a part of a buffer (a `GPUBufferBinding`), and its own shaders take that like a whole
 * one. So results of one dispatch stay together, and only what was made one by one (gradients) is
 * copied together, once: it moves in, the buffer it had is free again.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";
import { recorderOf } from "./dispatch.ts";
import { largestTensor } from "./guard.ts";
import { free, sizeOf } from "./kernel.ts";

/** Where a tensor lies that has no buffer of its own; in bytes. */
interface Place {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Parts of TensorFlow.js that free and read buffers; private there, the version is pinned. */
interface Store {
  releaseResource: (dataId: object) => void;
  getBufferData: (buffer: GPUBuffer | Place) => Promise<ArrayBuffer>;
}

const usage = (): number =>
  GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** How many tensors lie in each shared buffer. */
const inhabitants = new WeakMap<GPUBuffer, number>();
const settle = (buffer: GPUBuffer): unknown =>
  inhabitants.set(buffer, (inhabitants.get(buffer) ?? 0) + 1);
/** One tensor less; whether it was the last one. */
const leave = (buffer: GPUBuffer): boolean => {
  const left = (inhabitants.get(buffer) ?? 0) - 1;
  inhabitants.set(buffer, left);
  return left === 0;
};

/** What TensorFlow.js knows of a tensor: the buffer that it owns, or its place in a shared one. */
interface Data {
  resource: GPUBuffer | Place | null;
}

const placeIn = (resource: Data["resource"]): Place | undefined =>
  resource === null || resource instanceof GPUBuffer ? undefined : resource;

const dataOf = (backend: WebGPUBackend, dataId: object): Data =>
  backend.tensorMap.get(dataId) as Data;

const uploaded = (backend: WebGPUBackend, { dataId, shape }: TensorInfo): Place & {
  readonly shared: boolean;
} => {
  backend.uploadToGPU(dataId);
  const { resource } = dataOf(backend, dataId);
  if (resource === null) throw new Error(`Cannot find a tensor [${shape}] on the GPU`);
  return resource instanceof GPUBuffer
    ? { buffer: resource, offset: 0, size: 4 * sizeOf(shape), shared: false }
    : { ...resource, shared: true };
};

/** Teaches a backend to free and to read tensors that lie in a shared buffer. */
export const shareBuffers = (backend: WebGPUBackend): void => {
  const store = backend as unknown as Store, { bufferManager } = backend;
  const release = store.releaseResource.bind(backend), read = store.getBufferData.bind(backend);
  store.releaseResource = (dataId) => {
    const data: Data | undefined = dataOf(backend, dataId);
    if (!data?.resource || data.resource instanceof GPUBuffer) return release(dataId);
    const { buffer } = data.resource;
    data.resource = null;
    if (leave(buffer)) bufferManager.releaseBuffer(buffer);
  };
  store.getBufferData = async (place) => {
    if (place instanceof GPUBuffer) return await read(place);
    const { buffer, offset, size } = place;
    const copy = bufferManager.acquireBuffer(
      size,
      GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    );
    copying(backend).copyBufferToBuffer(buffer, offset, copy, 0, size);
    backend.submitQueue();
    await copy.mapAsync(GPUMapMode.READ);
    const values = copy.getMappedRange().slice(0);
    copy.unmap();
    bufferManager.releaseBuffer(copy);
    return values;
  };
};

/** The open command encoder, outside of any pass. */
const copying = (backend: WebGPUBackend): GPUCommandEncoder => {
  const recorder = recorderOf(backend);
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  if (!recorder.commandEncoder) throw new Error("Cannot copy: there is no command encoder");
  return recorder.commandEncoder;
};

/** Offsets in bytes of tensors that are packed, and how much they take. */
const layoutOf = (backend: WebGPUBackend, shapes: readonly (readonly number[])[]) => {
  const alignment = backend.device.limits.minStorageBufferOffsetAlignment;
  let size = 0;
  const offsets = shapes.map((shape) => {
    const offset = size;
    size += Math.ceil(4 * sizeOf(shape) / alignment) * alignment;
    return offset;
  });
  return { offsets, size };
};

const viewOf = (backend: WebGPUBackend, shape: readonly number[], place: Place): TensorInfo => {
  const tensor = backend.makeTensorInfo([...shape], "float32");
  dataOf(backend, tensor.dataId).resource = place;
  settle(place.buffer);
  return tensor;
};

/**
 * All numbers of some tensors as one tensor, which the caller frees; there are zeros between them.
 * Copies only where they do not lie like that already; copied tensors move into the new buffer.
 */
export const pack = (backend: WebGPUBackend, tensors: readonly TensorInfo[]): TensorInfo => {
  const { offsets, size } = layoutOf(backend, tensors.map(({ shape }) => shape));
  for (const { dtype, shape } of tensors) {
    if (dtype !== "float32") throw new Error(`Cannot pack [${shape}]: it is ${dtype}`);
  }
  const places = tensors.map((tensor) => uploaded(backend, tensor)), [first] = places;
  if (!first) throw new Error("Cannot pack tensors: there are none");
  const together = places.every(({ buffer, offset, shared }, i) =>
    shared && buffer === first.buffer && offset === first.offset + (offsets[i] ?? NaN)
  );
  if (together) {
    return viewOf(backend, [size / 4], { buffer: first.buffer, offset: first.offset, size });
  }
  const buffer = backend.bufferManager.acquireBuffer(size, usage());
  const whole = viewOf(backend, [size / 4], { buffer, offset: 0, size });
  const encoder = copying(backend);
  encoder.clearBuffer(buffer); // it may have been used before: sums run over the gaps too
  places.forEach((from, i) => {
    const to = { buffer, offset: offsets[i] ?? NaN, size: from.size };
    encoder.copyBufferToBuffer(from.buffer, from.offset, buffer, to.offset, to.size);
    const data = dataOf(backend, tensors[i]?.dataId ?? {});
    if (placeIn(data.resource)?.buffer === buffer) return; // it is in the list twice
    data.resource = to;
    settle(buffer);
    // The copy is still to come: what it reads must not be handed out before.
    if (!from.shared || leave(from.buffer)) {
      recorderOf(backend).uniformPendingDisposal.push(from.buffer);
    }
  });
  return whole;
};

/** The opposite: tensors of these shapes in the buffer of a packed one, which is freed. */
export const unpack = (
  backend: WebGPUBackend,
  whole: TensorInfo,
  shapes: readonly (readonly number[])[],
): TensorInfo[] => {
  const { shared, ...place } = uploaded(backend, whole);
  if (!shared) {
    dataOf(backend, whole.dataId).resource = place;
    settle(place.buffer);
  }
  const { offsets } = layoutOf(backend, shapes);
  const tensors = shapes.map((shape, i) =>
    viewOf(backend, shape, {
      buffer: place.buffer,
      offset: place.offset + (offsets[i] ?? NaN),
      size: 4 * sizeOf(shape),
    })
  );
  free(backend, whole);
  return tensors;
};

/** Cuts a list where one packed tensor would be more than the GPU binds. */
export const packable = <A>(
  backend: WebGPUBackend,
  items: readonly A[],
  shapeOf: (item: A) => readonly number[],
  limit = largestTensor(backend.device),
): readonly (readonly A[])[] => {
  const groups: A[][] = [];
  let room = 0;
  for (const item of items) {
    const { size } = layoutOf(backend, [shapeOf(item)]);
    if (groups.length === 0 || size > room) {
      groups.push([]);
      room = limit;
    }
    groups.at(-1)?.push(item);
    room -= size;
  }
  return groups;
};
