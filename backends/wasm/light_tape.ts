/**
 * A shorter gradient tape, which is given back while it is worked off.
 *
 * @module
 */
import { type Tensor, tf } from "../tf.ts";

// Public in JavaScript only.
interface TapeEngine {
  saveTensorsForBackwardMode: (tensors: Tensor[]) => Tensor[];
  readonly keep: (tensor: Tensor) => Tensor;
  addTapeNode: (
    name: string,
    inputs: object,
    outputs: Tensor[],
    gradient: unknown,
    saved: Tensor[],
    attributes: unknown,
  ) => void;
}

/** The gradients of a node's inputs by their names, from those of its outputs. */
type NodeGradient = (dys: Tensor[]) => Readonly<Record<string, () => Tensor>>;

const share = (tensor: Tensor): Tensor => {
  const engine = tf.engine(), { dataId, shape, dtype } = tensor;
  const backend = engine.state.tensorInfo.get(dataId)?.backend ?? engine.backend;
  backend.incRef(dataId);
  return engine.makeTensorFromTensorInfo({ dataId, shape, dtype }, backend);
};

const engines = new WeakSet<object>();

/**
 * Frees what a node has saved, and the gradients of its outputs, as soon as the next node is at
 * work: TensorFlow.js holds all of it until the end, twice the memory of the activations.
 */
const releaseBehind = (tape: TapeEngine): void => {
  const { state } = tf.engine(), add = tape.addTapeNode.bind(tape);
  let behind: readonly (Tensor | null)[] = [];
  tape.addTapeNode = (name, inputs, outputs, gradient, saved, attributes) => {
    add(name, inputs, outputs, gradient, saved, attributes);
    const node = state.activeTape.at(-1) as { gradient?: NodeGradient } | undefined;
    const whole = node?.gradient;
    if (!node || !whole) return;
    node.gradient = (dys) => {
      // Inside another tape the gradients are part of that one.
      if (state.gradientDepth > 0) return whole(dys);
      for (const tensor of behind) tensor?.dispose();
      behind = [...saved, ...dys];
      return Object.fromEntries(
        Object.entries(whole(dys)).map(([input, compute]) => [input, () => {
          const dx = compute();
          return dys.includes(dx) ? share(dx) : dx;
        }]),
      );
    };
  };
};

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
  releaseBehind(tape);
  const full = tape.saveTensorsForBackwardMode.bind(engine);
  tape.saveTensorsForBackwardMode = (tensors) =>
    engine.state.gradientDepth > 1
      ? full(tensors)
      : tensors.map((tensor) => tape.keep(share(tensor)));
};
