import assert from "node:assert/strict";
import { tf } from "../../backends/tf.ts";
import {
  averageDecay,
  averageOver,
  createLearner,
  finiteFlag,
  type Learner,
  updateLearner,
} from "../../models/optimiser.ts";
import { createRowTable, drawRows, storeRows } from "../../models/row_table.ts";
import { makeRng } from "../../pipeline/core/rng.ts";
import { expectRight, numbersOf, onBackend, relativeDifference } from "./support.ts";

const adam = { beta1: 0, beta2: 0.999, epsilon: 1e-5 };

/** Adam in float64, as its authors state it. */
const referenceAdam = (gradients: readonly number[], rate: number, beta1: number): number => {
  let value = 1, first = 0, second = 0;
  gradients.forEach((g, i) => {
    first = beta1 * first + (1 - beta1) * g;
    second = 0.999 * second + 0.001 * g * g;
    const m = first / (1 - beta1 ** (i + 1)), v = second / (1 - 0.999 ** (i + 1));
    value -= rate * m / (Math.sqrt(v) + 1e-5);
  });
  return value;
};

for (const beta1 of [0, 0.5]) {
  Deno.test(`Adam with beta1 ${beta1} does what its authors state`, () =>
    onBackend("wasm", async (backend) => {
      const gradients = [0.3, -2, 1e-3, 5, 0];
      const value = await expectRight(backend.run("adam", () => {
        const settings = { ...adam, beta1 };
        let learner = createLearner(
          { parameters: { p: tf.tensor1d([1]) }, spectral: {} },
          settings,
        );
        for (const g of gradients) {
          const finite = tf.scalar(1);
          const all = { p: tf.tensor1d([g]) };
          learner = updateLearner(learner, all, { rate: 0.01, finite, adam: settings });
        }
        return learner.network.parameters.p;
      }));
      assert.ok(value);
      const [got = NaN] = await numbersOf(value);
      assert.ok(Math.abs(got - referenceAdam(gradients, 0.01, beta1)) < 1e-6, `${got}`);
    }));
}

Deno.test("an update that is not finite changes neither parameters nor moments", () =>
  onBackend("wasm", async (backend) => {
    const made = await expectRight(backend.run("adam", () => {
      const learner = createLearner({ parameters: { p: tf.tensor1d([1, 2]) }, spectral: {} });
      const bad = tf.tensor1d([NaN, 1]), finite = finiteFlag(tf.sum(bad));
      const next = updateLearner(learner, { p: bad }, { rate: 0.1, finite });
      const { p } = next.network.parameters, { p: second } = next.second;
      return p && second ? [p, second] : [];
    }));
    assert.deepEqual(await Promise.all(made.map(numbersOf)), [
      Float32Array.of(1, 2),
      Float32Array.of(0, 0),
    ]);
  }));

Deno.test("the flag is 0 for NaN and for infinity", () =>
  onBackend("wasm", async (backend) => {
    const flags = await expectRight(
      backend.run(
        "flags",
        () => [NaN, Infinity, -Infinity, 3].map((x) => finiteFlag(tf.scalar(x))),
      ),
    );
    const read = await Promise.all(flags.map(numbersOf));
    assert.deepEqual(read.map(([flag]) => flag), [0, 0, 0, 1]);
  }));

Deno.test("accumulated gradients are the mean of the parts", () =>
  onBackend("wasm", async (backend) => {
    const mean = await expectRight(backend.run("accumulation", () => {
      const parts = [[1, 2], [3, 6], [5, 1]];
      return averageOver(parts, (values) => ({ gradients: { p: tf.tensor1d(values) } })).gradients;
    }));
    assert.ok(mean.p);
    assert.ok(relativeDifference(await numbersOf(mean.p), [3, 3]) < 1e-6);
  }));

Deno.test("the average warms up: its decay is min(0.999, (1 + t) / (10 + t))", () => {
  assert.equal(averageDecay(0, 0.999), 0.1);
  assert.equal(averageDecay(90, 0.999), 0.91);
  assert.equal(averageDecay(1e6, 0.999), 0.999);
});

Deno.test("lazy Adam on the rows of W equals dense Adam, whatever is drawn when", () =>
  onBackend("wasm", async (backend) => {
    const rows = 5, width = 3, draw = makeRng(3).draw();
    const table = createRowTable(rows, width, makeRng(1));
    const start = table.values.slice();
    const steps = Array.from({ length: 30 }, () => {
      const drawn = draw.distinct(1 + draw.integer(2), rows);
      return { drawn, gradients: drawn.map(() => [draw.normal(), draw.normal(), draw.normal()]) };
    });
    let dense: Learner = await expectRight(
      backend.run(
        "dense",
        () => createLearner({ parameters: { W: tf.tensor2d(start, [rows, width]) }, spectral: {} }),
      ),
    );
    for (const { drawn, gradients } of steps) {
      dense = await expectRight(backend.run("dense", () => {
        const all = Array.from({ length: rows }, (_, row) => {
          const at = drawn.indexOf(row);
          return at < 0 ? [0, 0, 0] : gradients[at] ?? [];
        });
        return updateLearner(dense, { W: tf.tensor2d(all) }, { rate: 0.01, finite: tf.scalar(1) });
      }));
      const update = dense.updates, host = drawRows(table, drawn, update, adam.beta2);
      const lazy = await expectRight(backend.run("lazy", () => {
        const shape: [number, number] = [drawn.length, width];
        const learner = {
          network: { parameters: { W: tf.tensor2d(host.values, shape) }, spectral: {} },
          second: { W: tf.tensor2d(host.second, shape) },
          first: {},
          updates: update - 1,
        };
        return updateLearner(learner, { W: tf.tensor2d(gradients) }, {
          rate: 0.01,
          finite: tf.scalar(1),
        });
      }));
      const { W } = lazy.network.parameters, { W: second } = lazy.second;
      assert.ok(W && second);
      storeRows(
        table,
        { rows: drawn, values: await numbersOf(W), second: await numbersOf(second) },
        update,
      );
    }
    const { W } = dense.network.parameters;
    assert.ok(W);
    assert.ok(relativeDifference(table.values, await numbersOf(W)) < 1e-6);
    assert.ok(relativeDifference(table.values, start) > 0.1, "the rows have moved");
  }));
