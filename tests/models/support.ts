/** A backend for tests of the models: `wasm`, started once a file and closed after it. */
import assert from "node:assert/strict";
import { selectBackend } from "../../backends/select.ts";
import type { Tensor } from "../../backends/tf.ts";
import type { Backend, BackendName } from "../../pipeline/core/env.ts";
import { E, type TE } from "../../pipeline/core/fp.ts";
import type { PipelineError } from "../../pipeline/core/errors.ts";

/** The value, or the failure as an assertion. */
export const expectRight = async <A>(made: TE.TaskEither<PipelineError, A>): Promise<A> => {
  const result = await made();
  if (E.isLeft(result)) assert.fail(JSON.stringify(result.left));
  return result.right;
};

/** Runs a test on a backend and closes it. */
export const onBackend = async (
  name: BackendName,
  test: (backend: Backend) => Promise<void>,
): Promise<void> => {
  const backend = await expectRight(selectBackend(name));
  try {
    await test(backend);
  } finally {
    await backend.close();
  }
};

/** The numbers of a tensor. */
export const numbersOf = async (tensor: Tensor): Promise<Float32Array> =>
  Float32Array.from(await tensor.data<"float32">());

/** ‖a − b‖ / ‖b‖. */
export const relativeDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let above = 0, below = 0;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    above += ((a[i] ?? NaN) - (b[i] ?? NaN)) ** 2;
    below += (b[i] ?? NaN) ** 2;
  }
  return Math.sqrt(above / below);
};
