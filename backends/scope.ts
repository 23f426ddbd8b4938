/**
 * Tensors that outlive the tape that made them.
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
