/**
 * What it means for a backend to conform: the same inputs give the values and the gradients of the
 * cpu backend. The cases themselves are in `cases.ts`.
 */
import assert from "node:assert/strict";
import { E, type TE } from "../../pipeline/core/fp.ts";
import type { Backend } from "../../pipeline/core/env.ts";
import { type PipelineError, renderError } from "../../pipeline/core/errors.ts";
import { type Draw, makeRng } from "../../pipeline/core/rng.ts";
import { type Tensor, tf } from "../../backends/tf.ts";

/** An input: its shape, and its numbers where they are not standard normal. */
export interface Input {
  readonly shape: readonly number[];
  readonly value?: (draw: Draw, i: number) => number;
  readonly dtype?: "float32" | "int32";
}

/** Tensors by name. */
export type Named = Readonly<Record<string, Tensor>>;

/** One computation that every backend must do alike. */
export interface Case {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly compute: (inputs: Named) => Tensor | readonly Tensor[];
  /** Inputs with gradients: of the sum of the first output, each number with a weight. */
  readonly gradients?: readonly string[];
  /** Where finite differences can check the gradient: the function is smooth at its inputs. */
  readonly smooth?: boolean;
}

/** Values by what they are: `output 0`, `gradient of x`. */
export type Results = Readonly<Record<string, Float32Array>>;

/** The value of a task; its failure fails the test with a sentence. */
export const succeed = async <Failure extends PipelineError, A>(
  task: TE.TaskEither<Failure, A>,
): Promise<A> => {
  const result = await task();
  if (E.isLeft(result)) assert.fail(renderError(result.left));
  return result.right;
};

/** The failure of a task; its success fails the test. */
export const fail = async <Failure, A>(task: TE.TaskEither<Failure, A>): Promise<Failure> => {
  const result = await task();
  if (E.isRight(result)) assert.fail("it succeeded");
  return result.left;
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The numbers of an input: the same on every backend. */
export const valuesOf = (test: Case, name: string): Float32Array => {
  const input = test.inputs[name];
  if (!input) throw new Error(`Cannot run ${test.name}: there is no input ${name}`);
  const draw = makeRng(7).fold(test.name).fold(name).draw();
  const value = input.value ?? (() => draw.normal());
  return Float32Array.from({ length: sizeOf(input.shape) }, (_, i) => value(draw, i));
};

/** Weights under which an output is summed to a scalar: any error of it shows. */
export const weightsOf = (size: number): Float32Array => {
  const draw = makeRng(11).draw();
  return Float32Array.from({ length: size }, () => draw.uniform(-1, 1));
};

const tensorsOf = (test: Case, given: Readonly<Record<string, Float32Array>>): Named =>
  Object.fromEntries(
    Object.entries(test.inputs).map(([name, { shape, dtype = "float32" }]) => [
      name,
      tf.tensor(given[name] ?? valuesOf(test, name), [...shape], dtype),
    ]),
  );

const listOf = (outputs: Tensor | readonly Tensor[]): readonly Tensor[] =>
  outputs instanceof tf.Tensor ? [outputs] : outputs as readonly Tensor[];

const gradientsOf = (test: Case, inputs: Named): Record<string, Tensor> => {
  const names = test.gradients ?? [];
  if (names.length === 0) return {};
  const wanted = names.map((name) => inputs[name]).filter((tensor) => tensor !== undefined);
  const { grads } = tf.engine().gradients(() => {
    const [output] = listOf(test.compute(inputs));
    if (!output) throw new Error(`Cannot differentiate ${test.name}: it has no output`);
    const weights = tf.tensor(weightsOf(output.size), output.shape);
    return tf.sum(tf.mul(output, weights)).asScalar();
  }, wanted);
  return Object.fromEntries(names.map((name, i) => [`gradient of ${name}`, grads[i] as Tensor]));
};

/** Runs a case on a backend: its outputs, and its gradients unless they are not wanted. */
export const evaluate = async (
  backend: Backend,
  test: Case,
  { given = {}, gradients = true }: {
    readonly given?: Readonly<Record<string, Float32Array>>;
    readonly gradients?: boolean;
  } = {},
): Promise<Results> => {
  const made = await succeed(backend.run(test.name, (): Record<string, Tensor> => {
    const inputs = tensorsOf(test, given);
    const outputs = listOf(test.compute(inputs)).map((tensor, i) => [`output ${i}`, tensor]);
    return {
      ...Object.fromEntries(outputs),
      ...(gradients ? gradientsOf(test, inputs) : {}),
    };
  }));
  const names = Object.keys(made);
  const values = await succeed(
    backend.read(test.name, () => Promise.all(Object.values(made).map((tensor) => tensor.data()))),
  );
  backend.dispose(made);
  return Object.fromEntries(names.map((name, i) => [name, Float32Array.from(values[i] ?? [])]));
};

/** √ of the mean square. */
export const rms = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / Math.max(1, values.length));

/** How far two results are apart under the rule of the design, and what the rule allows. */
export interface Distance {
  readonly name: string;
  readonly error: number;
  readonly relative: boolean;
}

/** The largest distance that conforms. */
export const tolerance = 1e-5;

/** Where numbers are not finite. NaN and ∞ count as equal: both stop an update. */
const holes = (values: Float32Array): readonly number[] =>
  [...values.keys()].filter((i) => !Number.isFinite(values[i]));

// `E/block0/…`, `gradient of x`: a network, or all gradients or all outputs of a case.
const groupOf = (name: string): string => name.split(/[ /]/, 1)[0] ?? "";

/**
 * The rule: relative RMS below 1e-5 where the reference RMS is above 1e-5 of the largest one of its
 * group (a network, the gradients of a case), absolute in units of that largest one below.
 */
export const distances = (reference: Results, found: Results): readonly Distance[] => {
  assert.deepEqual(Object.keys(found), Object.keys(reference));
  const largest: Record<string, number> = {};
  for (const [name, values] of Object.entries(reference)) {
    const group = groupOf(name), size = rms(values.filter(Number.isFinite));
    largest[group] = Math.max(largest[group] ?? 0, size);
  }
  return Object.entries(reference).map(([name, expected]) => {
    const values = found[name] ?? new Float32Array();
    assert.equal(values.length, expected.length, `${name}: how many numbers`);
    assert.deepEqual(holes(values), holes(expected), `${name}: where it is not finite`);
    const error = rms(
      values.map((x, i) => Number.isFinite(x) ? x - (expected[i] ?? NaN) : 0),
    );
    const scale = largest[groupOf(name)] ?? 0;
    const size = rms(expected.filter(Number.isFinite));
    const relative = size > 1e-5 * scale;
    return { name, relative, error: scale === 0 ? error : error / (relative ? size : scale) };
  });
};

/** Fails with the name and the figure of everything that differs too much. */
export const assertAgree = (reference: Results, found: Results, what: string): void => {
  const far = distances(reference, found).filter(({ error }) => !(error < tolerance));
  assert.deepEqual(
    far.map(({ name, error, relative }) =>
      `${what}: ${name} is ${error.toExponential(1)} ${relative ? "relative" : "absolute"} away`
    ),
    [],
  );
};

/** Runs all cases on two backends and compares; gives the largest distance of each case. */
export const conform = async (
  t: Deno.TestContext,
  cases: readonly Case[],
  reference: Backend,
  backend: Backend,
): Promise<void> => {
  for (const test of cases) {
    const expected = await evaluate(reference, test);
    await t.step(test.name, async () => {
      assertAgree(expected, await evaluate(backend, test), test.name);
    });
  }
};

/** How many tensors live, and how many buffers are held: intermediates have no tensor. */
export const livingOf = (backend: Backend): string =>
  `${backend.tensors()} tensors in ${tf.backend().numDataIds()} buffers`;

/** Runs all cases again and again: what lives must stay as it is. */
export const assertFlat = async (
  backend: Backend,
  cases: readonly Case[],
  repetitions: number,
): Promise<void> => {
  const living: string[] = [];
  for (let i = 0; i < repetitions; i++) {
    for (const test of cases) await evaluate(backend, test);
    living.push(livingOf(backend));
  }
  assert.deepEqual([...new Set(living)], living.slice(0, 1));
};
