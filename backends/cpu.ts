/**
 * The `cpu` backend: stock plain-JavaScript kernels with the added ones composed from them. The
 * reference that the others are compared with, on shapes of at most 16×16×8: it is a hundred
 * times slower than `wasm`.
 *
 * @module
 */
import { E, type TaskEither } from "../pipeline/core/fp.ts";
import type { Backend } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { tf } from "./tf.ts";
import { registerComposed } from "./kernels/composed.ts";
import { makeBackend, makeCurrent, noWitness, refuseForeignTensors } from "./session.ts";

const name = "cpu";

/** Starts the cpu backend. Fails with `Backend` where TensorFlow.js does not switch to it. */
export const createCpuBackend = (): TaskEither<Err<"Backend">, Backend> => async () => {
  registerComposed(name, new Set());
  refuseForeignTensors();
  const stock: unknown = tf.findBackend(name);
  (stock as { firstUse: boolean }).firstUse = false; // it would advertise another package
  const current = await makeCurrent(name);
  if (E.isLeft(current)) return current;
  let open = true;
  return E.right(makeBackend({
    name,
    label: "cpu, plain JavaScript",
    maxTensorBytes: 2 ** 31 - 1,
    open: () => open,
    witness: noWitness,
    close: () => {
      open = false; // nothing to free: the engine keeps its plain-JavaScript backend
      return Promise.resolve();
    },
  }));
};
