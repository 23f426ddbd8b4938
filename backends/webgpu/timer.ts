/**
 * How long the GPU takes for some work of ours: by timestamps that it writes itself where it can,
 * else by the clock around a submission.
 *
 * @module
 */
import type { WebGPUBackend } from "../tf.ts";
import { recorderOf } from "./dispatch.ts";

/** Times the dispatches (a few) that a function records, alone; in units of its own. */
export interface Timer {
  /** Records at once; fails where the device does. */
  readonly time: (record: () => void) => Promise<number>;
  /** Frees what it took. */
  readonly close: () => void;
}

/** Submits what was recorded before. */
const flush = (backend: WebGPUBackend): void => {
  backend.endComputePassEncoder();
  if (recorderOf(backend).commandEncoder) backend.submitQueue();
};

const byClock = (backend: WebGPUBackend): Timer => ({
  time: async (record) => {
    flush(backend);
    await backend.queue.onSubmittedWorkDone();
    const start = performance.now();
    record();
    flush(backend);
    await backend.queue.onSubmittedWorkDone();
    return performance.now() - start;
  },
  close: () => {},
});

const byTimestamps = (backend: WebGPUBackend): Timer => {
  const { device } = backend, size = 2 * 8;
  const stamps = device.createQuerySet({ type: "timestamp", count: 2 });
  const resolved = device.createBuffer({
    size,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const copy = device.createBuffer({
    size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  return {
    time: async (record) => {
      flush(backend);
      backend.ensureCommandEncoderReady();
      const recorder = recorderOf(backend), encoder = recorder.commandEncoder;
      if (!encoder) throw new Error("Cannot time a program: there is no command encoder");
      // Dispatches join the pass that is open.
      recorder.computePassEncoder = encoder.beginComputePass({
        timestampWrites: {
          querySet: stamps,
          beginningOfPassWriteIndex: 0,
          endOfPassWriteIndex: 1,
        },
      });
      record();
      backend.endComputePassEncoder();
      encoder.resolveQuerySet(stamps, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, copy, 0, size);
      backend.submitQueue();
      await copy.mapAsync(GPUMapMode.READ);
      const [start = 0n, end = 0n] = new BigUint64Array(copy.getMappedRange());
      copy.unmap();
      return Number(end - start);
    },
    close: () => {
      stamps.destroy();
      resolved.destroy();
      copy.destroy();
    },
  };
};

/** The better timer that the device has. */
export const timerFor = (backend: WebGPUBackend): Timer =>
  backend.device.features.has("timestamp-query") ? byTimestamps(backend) : byClock(backend);
