/** Updates of all variables at once: few dispatches, the numbers of the composed definition. */
import assert from "node:assert/strict";
import type { Backend } from "../../../pipeline/core/env.ts";
import { createCpuBackend } from "../../../backends/cpu.ts";
import { adamUpdates, squaredNorms } from "../../../backends/webgpu/optimiser.ts";
import { sizeOf } from "../../../backends/webgpu/kernel.ts";
import { packable } from "../../../backends/webgpu/packed.ts";
import { hasKernel } from "../../../backends/kernels/gradients.ts";
import { adamUpdateAll, exponentialAverageAll, squaredNormAll } from "../../../backends/ops.ts";
import { type Tensor, tf, type WebGPUBackend } from "../../../backends/tf.ts";
import { distances, livingOf, type Results, succeed } from "../conformance.ts";
import { webgpuTest } from "../webgpu_adapter.ts";
import { counting, gpu, narrow, open, read, tensor } from "./support.ts";

// Sizes that fill an alignment exactly, nearly, hardly; one takes several workgroups.
const shapes = [
  [3, 3, 5, 8],
  [1],
  [17, 6],
  [64],
  [63],
  [65],
  [4, 1],
  [20, 50, 3],
  [2],
  [17, 6],
];
const many = Array.from({ length: 40 }, (_, i) => [3, 3, 2 + i % 3, 5]);

interface State {
  readonly parameters: readonly Tensor[];
  readonly seconds: readonly Tensor[];
  /** None where Adam has no first moment. */
  readonly firsts: readonly Tensor[];
  readonly averages: readonly Tensor[];
  readonly norm: Tensor;
}

const start = (all: readonly (readonly number[])[], momentum = false): State => ({
  parameters: all.map((shape, i) => tensor(shape, i)),
  seconds: all.map((shape) => tf.zeros([...shape])),
  firsts: momentum ? all.map((shape) => tf.zeros([...shape])) : [],
  averages: all.map((shape, i) => tensor(shape, i + 100)),
  norm: tf.scalar(0),
});

const gradientsOf = (state: State, step: number): readonly Tensor[] =>
  state.parameters.map(({ shape }, i) => tensor(shape, i + 1000 * step));

const advance = (
  state: State,
  step: number,
  finite: Tensor = tf.scalar(1),
  gradients: readonly Tensor[] = gradientsOf(state, step),
): State => {
  const norm = squaredNormAll(gradients);
  const moved = adamUpdateAll(
    state.parameters.map((parameter, i) => ({
      parameter,
      gradient: gradients[i] as Tensor,
      second: state.seconds[i] as Tensor,
      first: state.firsts[i],
    })),
    finite,
    { rate: 1e-2, beta1: state.firsts.length > 0 ? 0.5 : 0, beta2: 0.999, epsilon: 1e-5, step },
  );
  const parameters = moved.map(({ parameter }) => parameter);
  const pairs = parameters.map((value, i) => ({ average: state.averages[i] as Tensor, value }));
  return {
    parameters,
    seconds: moved.map(({ second }) => second),
    firsts: moved.flatMap(({ first }) => first ?? []),
    averages: exponentialAverageAll(pairs, 0.9),
    norm,
  };
};

const all = ({ parameters, seconds, firsts, averages }: State): readonly Tensor[] => [
  ...parameters,
  ...seconds,
  ...firsts,
  ...averages,
];

/** Three steps; the second one is stopped. */
const train = async (backend: Backend, momentum: boolean): Promise<Results> => {
  let state = await succeed(backend.run("start", () => start(shapes, momentum)));
  const norms: Record<string, Float32Array> = {};
  for (const step of [1, 2, 3]) {
    const next = await succeed(
      backend.run("step", () => advance(state, step, tf.scalar(step === 2 ? 0 : 1))),
    );
    backend.dispose(state);
    state = next;
    norms[`norm ${step}`] = (await read(backend, [state.norm]))["output 0"] ?? new Float32Array();
  }
  const results = { ...await read(backend, all(state)), ...norms };
  backend.dispose(state);
  return results;
};

const assertNear = (expected: Results, found: Results): void => {
  const far = distances(expected, found).filter(({ error }) => !(error < 1e-6));
  assert.deepEqual(far, []);
};

for (const momentum of [false, true]) {
  webgpuTest(
    `webgpu: Adam${momentum ? " with momentum" : ""}, averages, norms of many agree with the cpu's`,
    async () => {
      const cpu = await succeed(createCpuBackend()), expected = await train(cpu, momentum);
      await cpu.close();
      const backend = await open();
      assert.ok(
        hasKernel("AdamUpdates") && hasKernel("ExponentialAverages") && hasKernel("SquaredNorms"),
      );
      // Buffers are used again: what was in them must not come into sums, which run over gaps too.
      const held = shapes.reduce((sum, shape) => sum + 64 * Math.ceil(sizeOf(shape) / 64), 0);
      const dirt = await succeed(backend.run("dirt", () => shapes.map(() => tf.fill([held], NaN))));
      await read(backend, dirt);
      backend.dispose(dirt);
      const before = livingOf(backend);
      assertNear(expected, await train(backend, momentum));
      assert.equal(livingOf(backend), before);
      await backend.close();
    },
  );
}

for (const momentum of [false, true]) {
  webgpuTest(
    `webgpu: a step of many${momentum ? ", with momentum," : ""} takes four dispatches`,
    async () => {
      const backend = await open();
      tf.env().set("WEBGPU_CPU_FORWARD", false);
      let state = await succeed(backend.run("start", () => start(many, momentum)));
      const costs: unknown[] = [], held: number[] = [];
      for (let step = 1; step <= 4; step++) {
        // Made by kernels, as in training: on the GPU, each in a buffer of its own.
        const { finite, gradients } = await succeed(backend.run("gradients", () => ({
          finite: tf.neg(tf.scalar(-1)),
          gradients: gradientsOf(state, step).map((x) => tf.neg(x)),
        })));
        const [next, counts] = await counting(() =>
          succeed(backend.run("step", () => advance(state, step, finite, gradients)))
        );
        backend.dispose([state, finite, gradients]);
        state = next;
        costs.push(counts);
        await read(backend, [state.norm]); // submits
        held.push(gpu().bufferManager.numBytesUsed);
      }
      // The norm in two, Adam, the averages. Only gradients are copied together from the second on.
      const steady = { dispatches: 4, copies: many.length };
      assert.deepEqual(costs.slice(1), [steady, steady, steady]);
      assert.deepEqual([...new Set(held.slice(1))], held.slice(1, 2), "memory is given back");
      backend.dispose(state);
      await backend.close();
    },
  );
}

/** Stock operations on [17, 6]. */
const uses = (a: Tensor, b: Tensor): Tensor[] => [
  tf.add(a, b),
  tf.matMul(a, b, false, true),
  tf.reshape(a, [6, 17]),
  tf.slice(a, [3, 1], [5, 4]),
  tf.concat([a, b], 1),
];

webgpuTest("webgpu: packed variables are tensors like others, for stock kernels too", async () => {
  const backend = await open();
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  const made = await succeed(backend.run("use", () => {
    const { parameters } = advance(start(shapes), 1);
    const [a, b] = [parameters[2] as Tensor, parameters.at(-1) as Tensor]; // of one buffer
    return { values: [a, b], used: uses(a, b) };
  }));
  const inputs = await read(backend, made.values), found = await read(backend, made.used);
  backend.dispose(made);
  await backend.close();
  const cpu = await succeed(createCpuBackend());
  const expected = await succeed(cpu.run("use", () => {
    const [a, b] = Object.values(inputs).map((x) => tf.tensor(x, [17, 6])) as [Tensor, Tensor];
    return uses(a, b);
  }));
  assertNear(await read(cpu, expected), found);
  await cpu.close();
});

webgpuTest("webgpu: what is more than the GPU binds is updated in several dispatches", async () => {
  const backend = await open(), small = narrow(gpu(), 2048);
  const inputs = await succeed(backend.run("inputs", () => ({
    finite: tf.scalar(1),
    slots: shapes.slice(0, 7).flatMap((shape, i) => [
      tensor(shape, i),
      tensor(shape, i + 50),
      tf.abs(tensor(shape, i + 100)),
    ]),
  })));
  const attributes = { rate: 1e-2, beta2: 0.999, epsilon: 1e-5, step: 2 };
  const listOf = (tensors: readonly Tensor[]) => Object.fromEntries(tensors.entries());
  const update = (on: WebGPUBackend) =>
    succeed(backend.run("update", () =>
      [
        ...adamUpdates({
          backend: on,
          inputs: listOf([inputs.finite, ...inputs.slots]),
          attributes,
        }),
        ...squaredNorms({ backend: on, inputs: listOf(inputs.slots), attributes }),
      ].map((info) => tf.engine().makeTensorFromTensorInfo(info))));
  const [parts, counts] = await counting(() => update(small));
  const sums = packable(small, inputs.slots, ({ shape }) => shape).length;
  assert.ok(sums > 3);
  assert.equal(counts.dispatches, 2 + sums + 1);
  const whole = await update(gpu());
  assertNear(await read(backend, whole), await read(backend, parts));
  backend.dispose([inputs, parts, whole]);
  await backend.close();
});

webgpuTest("webgpu: sizes that do not fit are refused", async () => {
  const backend = await open();
  const wrong = await backend.run(
    "wrong",
    () => exponentialAverageAll([{ average: tf.zeros([3]), value: tf.zeros([4]) }], 0.5),
  )();
  assert.ok(wrong._tag === "Left" && /an input is \[4\], expected \[3\]/.test(wrong.left.message));
  await backend.close();
});
