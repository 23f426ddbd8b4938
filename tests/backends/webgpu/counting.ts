/** Counts what is recorded for the GPU, at WebGPU's own door. */

/** How many dispatches and copies between buffers were recorded. */
export interface Counts {
  readonly dispatches: number;
  readonly copies: number;
}

/** Runs `f`; counts the dispatches and copies that it records. */
export const counting = async <A>(f: () => Promise<A>): Promise<readonly [A, Counts]> => {
  const pass = GPUComputePassEncoder.prototype, encoder = GPUCommandEncoder.prototype;
  const { dispatchWorkgroups } = pass, { copyBufferToBuffer } = encoder;
  let dispatches = 0, copies = 0;
  pass.dispatchWorkgroups = function (...groups) {
    dispatches++;
    return dispatchWorkgroups.apply(this, groups);
  };
  encoder.copyBufferToBuffer = function (...copy: unknown[]) {
    copies++;
    return Reflect.apply(copyBufferToBuffer, this, copy);
  };
  try {
    return [await f(), { dispatches, copies }];
  } finally {
    pass.dispatchWorkgroups = dispatchWorkgroups;
    encoder.copyBufferToBuffer = copyBufferToBuffer;
  }
};
