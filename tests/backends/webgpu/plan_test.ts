/** Plans of products: all give the cpu's numbers; the best one is measured once and kept. */
import assert from "node:assert/strict";
import type { Backend } from "../../../pipeline/core/env.ts";
import { createCpuBackend } from "../../../backends/cpu.ts";
import { createWebgpuBackend } from "../../../backends/webgpu.ts";
import { noWitness } from "../../../backends/session.ts";
import { convolve, relu } from "../../../backends/ops.ts";
import { tf, type WebGPUBackend } from "../../../backends/tf.ts";
import {
  type Extent,
  nameOf,
  otherCuts,
  otherTiles,
  type Plan,
  planNamed,
  shareOf,
  standardPlan,
  tiles,
} from "../../../backends/webgpu/plan.ts";
import { timerFor } from "../../../backends/webgpu/timer.ts";
import { measureWaiting, type Plans, startTuning } from "../../../backends/webgpu/tuner.ts";
import { of } from "../case_inputs.ts";
import { assertAgree, type Case, evaluate, fail, livingOf, succeed } from "../conformance.ts";
import { webgpuTest } from "../webgpu_adapter.ts";
import { counting } from "./support.ts";

const gpu = (): WebGPUBackend => tf.backend() as unknown as WebGPUBackend;

const convolution = (
  name: string,
  [height, width, inputs, outputs, size]: readonly [number, number, number, number, number],
): Case => ({
  name,
  inputs: {
    x: of(2, height, width, inputs),
    filter: of(size, size, inputs, outputs),
    bias: of(outputs),
  },
  compute: ({ x, filter, bias }) => {
    if (!x || !filter) throw new Error("Cannot convolve: an input is missing");
    return convolve(x, filter, { bias, relu: true });
  },
  gradients: ["x", "filter", "bias"],
});

// More rows and columns than the largest tile has, none of them a multiple; enough terms to cut.
const large = convolution("many columns", [13, 7, 17, 67, 3]);
const small = convolution("few columns", [5, 6, 3, 3, 1]);

/** A backend that measures only when it is told to. */
const openQuiet = () => succeed(createWebgpuBackend({ allowSoftware: true, measurePlans: false }));

/** Lets what waits be measured by other clocks; gives the plans. */
const measureBy = async (times: Iterable<number>): Promise<Plans> => {
  const clock = times[Symbol.iterator]();
  const timer = {
    time: () => Promise.resolve<number>(clock.next().value ?? Infinity),
    close: () => {},
  };
  return await measureWaiting(gpu(), noWitness, () => true, () => timer) ?? new Map();
};

webgpuTest("webgpu: every plan of a convolution and its gradients conforms", async (t) => {
  const cpu = await succeed(createCpuBackend()), expected = await evaluate(cpu, large);
  await cpu.close();
  const backend = await openQuiet();
  startTuning(gpu(), new Map());
  await evaluate(backend, large);
  const names = [...(await measureBy([])).keys()];
  assert.equal(names.length, 3);
  const cuts = [1, ...tiles.map(() => 1024)];
  for (const [i, tile] of [...tiles.slice(0, 1), ...tiles].entries()) {
    const plan: Plan = { tile, groups: cuts[i] ?? 1 };
    await t.step(nameOf(plan), async () => {
      startTuning(gpu(), new Map(names.map((name) => [name, plan])));
      assertAgree(expected, await evaluate(backend, large), "convolution");
      assert.equal((await measureBy([])).size, 0, "all are known");
    });
  }
  await backend.close();
});

webgpuTest("webgpu: the quickest plan is kept, the first run of each does not count", async () => {
  const backend = await openQuiet();
  const chosen = async (times: readonly number[]): Promise<readonly string[]> => {
    startTuning(gpu(), new Map());
    await evaluate(backend, small, { gradients: false });
    return [...(await measureBy(times)).values()].map(nameOf);
  };
  const six = (first: number, time: number): number[] => [first, ...Array(5).fill(time)];
  // Three columns: two tiles, nothing to cut.
  assert.deepEqual(await chosen([...six(9, 2), ...six(3, 1)]), ["4x1x4/256"]);
  assert.deepEqual(await chosen([...six(9, 2), ...six(1, 3)]), ["4x1x8/256"]);
  assert.deepEqual(await chosen([...six(9, 2), ...six(1, 2)]), ["4x1x8/256"]);
  assert.deepEqual(await chosen([...six(9, 2), 1, 3, 3, 3, 3, 1.9]), ["4x1x4/256"]);
  assert.deepEqual(await chosen([]), ["4x1x8/256"], "nothing could be measured");
  await backend.close();
});

const dispatchesOf = async (backend: Backend): Promise<number> => {
  const [, { dispatches }] = await counting(() => evaluate(backend, small, { gradients: false }));
  return dispatches;
};

/** Who gives a file wants to measure. */
const openMeasuring = (planFile: string) =>
  createWebgpuBackend({ allowSoftware: true, measurePlans: true, planFile });

webgpuTest("webgpu: plans are measured after the first step and kept in a file", async () => {
  const folder = await Deno.makeTempDir(), file = `${folder}/kept/plans.json`;
  const first = await succeed(openMeasuring(file));
  const living = livingOf(first);
  assert.ok(await dispatchesOf(first) > 5, "several plans, several times");
  assert.equal(await dispatchesOf(first), 1, "once");
  assert.equal(livingOf(first), living);
  await first.close();
  const { plans } = JSON.parse(await Deno.readTextFile(file));
  const [adapter = ""] = Object.keys(plans);
  const [[shape, name] = ["", ""]] = Object.entries(plans[adapter]);
  assert.match(shape, /^convolve [0-9a-f]{8} 60x3x3x5x6x3x1$/);
  assert.ok(planNamed(String(name)));

  const second = await succeed(openMeasuring(file));
  assert.equal(await dispatchesOf(second), 1, "known from the file");
  await second.close();

  // Plans of other adapters stay; a plan that there is none of is measured again.
  const other = { "another GPU": { "convolve 1x1x1": "8x2x8/256" } };
  await Deno.writeTextFile(
    file,
    JSON.stringify({ plans: { ...other, [adapter]: { [shape]: "9x9x9/256" } } }),
  );
  const third = await succeed(openMeasuring(file));
  assert.ok(await dispatchesOf(third) > 5);
  await third.close();
  const after = JSON.parse(await Deno.readTextFile(file)).plans;
  assert.deepEqual(after["another GPU"], other["another GPU"]);
  assert.ok(planNamed(after[adapter][shape]));
  await Deno.remove(folder, { recursive: true });
});

webgpuTest("webgpu: a file that holds something else is refused and stays", async () => {
  for (const text of ["{ half", "[]", '{ "plans": { "x": 3 } }', '{ "steps": 1 }']) {
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, text);
    const failure = await fail(openMeasuring(file));
    assert.match(
      failure._tag === "Backend" ? failure.message : "",
      /^Cannot read plans from .*: it has something else in it, expected measured plans, or no file/,
    );
    assert.equal(await Deno.readTextFile(file), text);
    await Deno.remove(file);
  }
});

webgpuTest("webgpu: a software adapter measures nothing unless asked to", async () => {
  const backend = await succeed(createWebgpuBackend({ allowSoftware: true }));
  const software = /\(software\)$/.test(backend.device);
  assert.equal(await dispatchesOf(backend) === 1, software);
  await backend.close();
});

webgpuTest("webgpu: both timers time what is recorded", async () => {
  const backend = await succeed(createWebgpuBackend({ allowSoftware: true }));
  const x = await succeed(backend.run("x", () => tf.ones([64, 64])));
  const plain = new Proxy(gpu(), {
    get: (target, key) => key === "device" ? { features: new Set() } : Reflect.get(target, key),
  });
  for (const on of [gpu(), plain]) {
    const timer = timerFor(on);
    assert.ok(await timer.time(() => tf.dispose(relu(x))) > 0);
    await assert.rejects(timer.time(() => {
      throw new Error("no");
    }));
    assert.ok(await timer.time(() => tf.dispose(relu(x))) > 0, "again");
    timer.close();
  }
  backend.dispose(x);
  await backend.close();
});

Deno.test("plans have names, and only those that differ are measured", () => {
  for (const tile of tiles) {
    assert.deepEqual(planNamed(nameOf({ tile, groups: 64 })), { tile, groups: 64 });
  }
  for (const name of ["", "8x2x8", "8x2x8/0", "8x2x8/-1", "8x2x8/1.5", "16x2x8/1", "8x2x8/256/1"]) {
    assert.equal(planNamed(name), undefined, name);
  }
  const wide: Extent = { rows: 65536, columns: 64, terms: 576 };
  assert.equal(nameOf(standardPlan(wide)), "8x2x8/256");
  assert.equal(nameOf(standardPlan({ ...wide, columns: 32 })), "8x1x8/256");
  assert.equal(nameOf(standardPlan({ ...wide, columns: 3 })), "4x1x8/256");
  assert.equal(otherTiles(wide, standardPlan(wide)).length, tiles.length - 1);
  const few = { ...wide, columns: 3 };
  assert.deepEqual(otherTiles(few, standardPlan(few)).map(nameOf), ["4x1x4/256"]);
  assert.deepEqual(otherCuts(wide, standardPlan(wide)), [], "there are tiles enough");
  const deep = { rows: 576, columns: 64, terms: 65536 }, cuts = otherCuts(deep, standardPlan(deep));
  assert.deepEqual(cuts.map(nameOf), ["8x2x8/1", "8x2x8/64", "8x2x8/1024"]);
  assert.deepEqual(cuts.map((plan) => Math.ceil(deep.terms / shareOf(deep, plan, Infinity))), [
    1,
    8,
    114,
  ]);
});
