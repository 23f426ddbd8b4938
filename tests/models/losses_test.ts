/** The losses against their equations, by numbers that one can work out on paper. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { type Tensor, tf } from "../../backends/tf.ts";
import {
  adversarialLoss,
  featureMatchingLoss,
  hingeLoss,
  matchLoss,
  sumOf,
} from "../../models/losses.ts";
import type { Backend } from "../../pipeline/core/env.ts";
import { expectRight, numbersOf, onBackend } from "./support.ts";

/** Numbers of scalars that `make` computes on the reference backend. */
const scalars = async (
  backend: Backend,
  make: () => readonly Tensor[],
): Promise<readonly number[]> => {
  const made = await expectRight(backend.run("losses", () => [...make()]));
  const found = await Promise.all(made.map(numbersOf));
  backend.dispose(made);
  return found.map(([value = NaN, ...more]) => {
    assert.equal(more.length, 0, "a loss is one number");
    return value;
  });
};

const near = (what: string, found: number | undefined, expected: number): void =>
  assert.ok(
    Math.abs((found ?? NaN) - expected) <= 1e-5 * Math.max(1, Math.abs(expected)),
    `${what} is ${found}, expected ${expected}`,
  );

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

Deno.test("equation 4: the adversarial term is minus the mean score", () =>
  onBackend("cpu", async (backend) => {
    const [one, several] = await scalars(backend, () => [
      adversarialLoss(tf.tensor1d([3])),
      adversarialLoss(tf.tensor1d([1, -4, 9])),
    ]);
    near("of one", one, -3);
    near("of several", several, -2);
  }));

Deno.test("equation 4: feature matching is the mean over blocks of the mean difference", () =>
  onBackend("cpu", async (backend) => {
    const fake = () => [tf.tensor2d([[1, -2], [0, 4]]), tf.tensor1d([5])];
    const real = () => [tf.tensor2d([[0, 2], [0, 0]]), tf.tensor1d([8])];
    const [both, itself, first] = await scalars(backend, () => [
      featureMatchingLoss(fake(), real()),
      featureMatchingLoss(real(), real()),
      featureMatchingLoss(fake().slice(0, 1), real()),
    ]);
    near("of both", both, (9 / 4 + 3) / 2);
    near("of itself", itself, 0);
    near("of one block", first, 9 / 4);
    const short = await backend.run("losses", () => featureMatchingLoss(fake(), []))();
    assert.ok(short._tag === "Left");
  }));

Deno.test("3.2: the match term is the mean distance of ê from the rows of W", () =>
  onBackend("cpu", async (backend) => {
    const [found] = await scalars(
      backend,
      () => [matchLoss(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[0, 0], [5, 0]]))],
    );
    near("the match term", found, 9 / 4);
  }));

Deno.test("equation 6: the hinge loss is 0 where D is sure, and counts both sides alike", () =>
  onBackend("cpu", async (backend) => {
    const [sure, fooled, middle, halfway] = await scalars(backend, () => [
      hingeLoss(tf.tensor1d([-1, -7]), tf.tensor1d([1, 9])),
      hingeLoss(tf.tensor1d([2]), tf.tensor1d([-3])),
      hingeLoss(tf.tensor1d([0]), tf.tensor1d([0])),
      hingeLoss(tf.tensor1d([-0.5, -2]), tf.tensor1d([0.25, 2])),
    ]);
    near("where D is sure", sure, 0);
    near("where D is fooled", fooled, 3 + 4);
    near("where D knows nothing", middle, 2);
    near("on the way", halfway, 0.25 + 0.375);
    const scores = fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(scores, scores, async (fake, real) => {
        const [found] = await scalars(
          backend,
          () => [
            hingeLoss(tf.tensor1d(fake.map((x) => x / 8)), tf.tensor1d(real.map((x) => x / 8))),
          ],
        );
        const expected = mean(fake.map((x) => Math.max(0, 1 + x / 8))) +
          mean(real.map((x) => Math.max(0, 1 - x / 8)));
        near("the hinge loss", found, expected);
      }),
      { numRuns: 20 },
    );
  }));

Deno.test("losses add up, and none is a bug", () =>
  onBackend("cpu", async (backend) => {
    const [sum] = await scalars(backend, () => [sumOf([1, 2, 4].map((x) => tf.scalar(x)))]);
    near("the sum", sum, 7);
    const none = await backend.run("losses", () => sumOf([]))();
    assert.ok(none._tag === "Left");
  }));
