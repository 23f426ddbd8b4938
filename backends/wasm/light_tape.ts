/**
 * A shorter gradient tape.
 *
 * @module
 */
import { type Tensor, tf } from "../tf.ts";

// Public in JavaScript only.
interface TapeEngine {
  saveTensorsForBackwardMode: (tensors: Tensor[]) => Tensor[];
  readonly keep: (tensor: Tensor) => Tensor;
}

const share = (tensor: Tensor): Tensor => {
  const engine = tf.engine(), { dataId, shape, dtype } = tensor;
  const backend = engine.state.tensorInfo.get(dataId)?.backend ?? engine.backend;
  backend.incRef(dataId);
  return engine.makeTensorFromTensorInfo({ dataId, shape, dtype }, backend);
};

const engines = new WeakSet<object>();

/**
 * Keeps what kernels save for their gradients without an operation on the tape for each: those
 * are a third of a training step's calls, and only gradients of gradients need them, which keep
 * them. Calling it again changes nothing.
 */
export const lightenTape = (): void => {
  const engine = tf.engine();
  if (engines.has(engine)) return;
  engines.add(engine);
  const tape = engine as unknown as TapeEngine;
  const full = tape.saveTensorsForBackwardMode.bind(engine);
  tape.saveTensorsForBackwardMode = (tensors) =>
    engine.state.gradientDepth > 1
      ? full(tensors)
      : tensors.map((tensor) => tape.keep(share(tensor)));
};
