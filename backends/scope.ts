/**
 * Who frees the tensors of a piece of work: all but those of its result die with it.
 *
 * @module
 */
import { type Tensor, tf } from "./tf.ts";

// `track` hands a tensor to the scope that is open; it is public in JavaScript only.
const track = (tensor: Tensor): void => {
  const engine: unknown = tf.engine();
  (engine as { readonly track: (tensor: Tensor) => void }).track(tensor);
};

/**
 * Runs `f`, which may mark tensors made inside a gradient's tape as surviving; afterwards the
 * scope around owns them and frees them as it does any other tensor.
 */
export const surviving = <A>(f: (survive: (tensor: Tensor) => Tensor) => A): A => {
  const kept: Tensor[] = [];
  try {
    return f((tensor) => {
      if (!tensor.kept) kept.push(tensor);
      return tf.keep(tensor);
    });
  } finally {
    for (const tensor of kept) {
      tensor.kept = false;
      track(tensor);
    }
  }
};

/** The tensors inside a value: in records and lists, not in arrays of numbers. */
export const tensorsIn = (value: unknown): readonly Tensor[] => {
  const found: Tensor[] = [], seen = new Set<object>();
  const visit = (item: unknown): void => {
    if (typeof item !== "object" || item === null || seen.has(item)) return;
    seen.add(item);
    if (item instanceof tf.Tensor) found.push(item);
    else if (!ArrayBuffer.isView(item)) { for (const member of Object.values(item)) visit(member); }
  };
  visit(value);
  return found;
};

/**
 * Runs `f`; tensors that it makes die, except those inside its result. TensorFlow.js's own `tidy`
 * looks at every number of every array in the result: half a second for the rows of W.
 */
export const tidyAround = <A>(f: () => A): A => {
  const engine = tf.engine();
  engine.startScope();
  let kept: readonly Tensor[] = [];
  try {
    const result = f();
    kept = tensorsIn(result);
    return result;
  } finally {
    engine.endScope([...kept]);
  }
};

/** Disposes every tensor inside a value. */
export const disposeTensors = (value: unknown): void => {
  for (const tensor of tensorsIn(value)) tensor.dispose();
};
