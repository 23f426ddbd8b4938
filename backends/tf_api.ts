/**
 * TensorFlow.js for scripts that import `mod.ts`: its functions as a value, so that its own
 * declarations do not become part of this project's documentation. The type is {@link Tensor}.
 *
 * @module
 */
import { tf as tensorflow } from "./tf.ts";
export type { Tensor } from "./tf.ts";

/** The functions of TensorFlow.js, on the engine of the backend: call them inside `backend.run`. */
export const tf: typeof tensorflow = tensorflow;
