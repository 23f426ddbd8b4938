/** What the tests of the frozen networks share. */
import assert from "node:assert/strict";
import { selectBackend } from "../../../backends/select.ts";
import { type Tensor, tf } from "../../../backends/tf.ts";
import type { WeightArrays } from "../../../models/perceptual/weight_file.ts";
import type { Backend, BackendName } from "../../../pipeline/core/env.ts";
import { type PipelineError, renderError } from "../../../pipeline/core/errors.ts";
import { E, type TE } from "../../../pipeline/core/fp.ts";
import { fill } from "../hashed.ts";

/** The value, or a failed test with the error's sentence. */
export const right = async <A>(effect: TE.TaskEither<PipelineError, A>): Promise<A> => {
  const result = await effect();
  if (E.isLeft(result)) assert.fail(renderError(result.left));
  return result.right;
};

/** The sentence of an expected failure. */
export const sentence = async (effect: TE.TaskEither<PipelineError, unknown>): Promise<string> => {
  const result = await effect();
  if (E.isRight(result)) assert.fail("expected a failure");
  return renderError(result.left);
};

/** Runs a test on a backend and fails where tensors are left. */
export const onBackend = async (
  name: BackendName,
  test: (backend: Backend) => Promise<void>,
): Promise<void> => {
  const backend = await right(selectBackend(name));
  try {
    const before = backend.tensors();
    await test(backend);
    assert.equal(backend.tensors(), before, "tensors are left");
  } finally {
    await backend.close();
  }
};

/** Runs tensor code and reads its results. */
export const compute = async (
  backend: Backend,
  f: () => readonly Tensor[],
): Promise<readonly Float32Array[]> => {
  const made = await right(backend.run("test", f));
  const values = await right(
    backend.read("test", () => Promise.all(made.map((tensor) => tensor.data<"float32">()))),
  );
  backend.dispose(made);
  return values;
};

/** Root mean square. */
export const rms = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0) / values.length);

/** Relative RMS of the difference. */
export const distance = (a: Float32Array, b: Float32Array): number => {
  assert.equal(a.length, b.length);
  return rms(a.map((x, i) => x - (b[i] ?? NaN))) / rms(b);
};

/** A hashed picture in [-1, 1]. // [1, size, size, 3] */
export const picture = (name: string, size: number): Tensor =>
  tf.tensor(fill(name, size * size * 3), [1, size, size, 3]);

/** Hashed weights of given shapes, of a size that keeps activations alive; biases are positive. */
export const hashedWeights = (shapes: ReadonlyMap<string, readonly number[]>): WeightArrays =>
  new Map(
    [...shapes].map(([name, shape]) => {
      const size = shape.reduce((product, side) => product * side, 1);
      const perOutput = size / (shape[3] ?? 1), depthwise = shape[3] === 1;
      const fanIn = shape.length < 4 ? 0 : depthwise ? perOutput / (shape[2] ?? 1) : perOutput;
      const values = fill(name, size).map((x) =>
        fanIn === 0 ? 0.3 + 0.2 * x : x * Math.sqrt(6 / fanIn)
      );
      return [name, { shape, values }];
    }),
  );

/** Samples of an activation in a golden file. */
export interface Samples {
  readonly at: readonly number[];
  readonly values: readonly number[];
  readonly rms: number;
}

/** Compares an activation with its samples, relative to its size. */
export const compare = (
  what: string,
  values: Float32Array,
  golden: Samples,
  tolerance: number,
): void =>
  golden.at.forEach((at, i) => {
    const expected = golden.values[i] ?? NaN, found = values[at] ?? NaN;
    assert.ok(
      Math.abs(found - expected) <= tolerance * golden.rms,
      `${what} at ${at} is ${found}, expected ${expected} within ${tolerance} of ${golden.rms}`,
    );
  });
