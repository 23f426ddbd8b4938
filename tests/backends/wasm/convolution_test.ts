/** Our convolutions and their gradients against their definition in double precision. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { createSharedHeap, heapLimit } from "../../../backends/wasm/heap.ts";
import { createPool, type Pool } from "../../../backends/wasm/pool.ts";
import { convolve, filterGradient } from "../../../backends/wasm/convolution.ts";
import {
  type ConvolutionShape,
  directSplits,
  tileCount,
  useWinograd,
  winogradBlock,
  winogradSplits,
} from "../../../backends/wasm/plan.ts";
import { convolutionByDefinition } from "./definition.ts";
import { noise, relativeError } from "./support.ts";

interface Bench {
  readonly pool: Pool;
  readonly put: (values: Float32Array) => number;
  readonly get: (address: number, count: number) => Float32Array;
  readonly free: () => void;
}

const withPool = async (
  options: { readonly threads: number; readonly relaxed?: boolean },
  f: (bench: Bench) => void,
): Promise<void> => {
  const heap = await createSharedHeap(heapLimit);
  const pool = await createPool(heap, options.threads, { relaxed: options.relaxed ?? true });
  const held: number[] = [];
  const put = (values: Float32Array): number => {
    const address = heap.allocate(4 * values.length + 4);
    held.push(address);
    new Float32Array(heap.memory.buffer, address, values.length).set(values);
    return address;
  };
  try {
    f({
      pool,
      put,
      get: (address, count) => new Float32Array(heap.memory.buffer, address, count).slice(),
      free: () => held.splice(0).forEach(heap.free),
    });
  } finally {
    await pool.close();
  }
};

interface Results {
  readonly y: Float32Array;
  readonly dx: Float32Array;
  readonly dfilter: Float32Array;
}

const numbers = ({ batch, height, width, inputs, outputs, size }: ConvolutionShape) => ({
  x: noise(batch * height * width * inputs, 1),
  filter: noise(size * size * inputs * outputs, 2),
  bias: noise(outputs, 3),
  dy: noise(batch * height * width * outputs, 4),
});

const compute = ({ pool, put, get, free }: Bench, shape: ConvolutionShape): Results => {
  const values = numbers(shape), { inputs, outputs } = shape;
  const [x, filter, bias, dy] = [values.x, values.filter, values.bias, values.dy].map(put) as [
    number,
    number,
    number,
    number,
  ];
  // What a kernel leaves out must show: results start as NaN.
  const y = put(new Float32Array(values.dy.length).fill(NaN));
  const dx = put(new Float32Array(values.x.length).fill(NaN));
  const dfilter = put(new Float32Array(values.filter.length).fill(NaN));
  convolve(pool, shape, { x, filter, bias, y });
  const back = { ...shape, inputs: outputs, outputs: inputs };
  convolve(pool, back, { x: dy, filter, bias: 0, y: dx }, { rotated: true });
  filterGradient(pool, shape, { x, dy, dfilter });
  const results = {
    y: get(y, values.dy.length),
    dx: get(dx, values.x.length),
    dfilter: get(dfilter, values.filter.length),
  };
  free();
  return results;
};

const assertRight = (bench: Bench, shape: ConvolutionShape): void => {
  const expected = convolutionByDefinition(shape, numbers(shape)), actual = compute(bench, shape);
  for (const name of ["y", "dx", "dfilter"] as const) {
    const error = relativeError(actual[name], expected[name]);
    assert.ok(error < 5e-6, `${name} of ${JSON.stringify(shape)}: relative RMS ${error}`);
  }
};

/** One for each way in which the kernels cut their work. */
const shapes: readonly ConvolutionShape[] = [
  { batch: 1, height: 8, width: 8, inputs: 16, outputs: 24, size: 3 },
  { batch: 3, height: 7, width: 10, inputs: 40, outputs: 32, size: 3 },
  { batch: 8, height: 32, width: 32, inputs: 16, outputs: 16, size: 3 },
  { batch: 1, height: 16, width: 16, inputs: 128, outputs: 16, size: 3 },
  { batch: 2, height: 16, width: 16, inputs: 6, outputs: 32, size: 3 },
  { batch: 1, height: 24, width: 20, inputs: 32, outputs: 3, size: 3 },
  { batch: 4, height: 8, width: 8, inputs: 32, outputs: 64, size: 1 },
  { batch: 1, height: 1, width: 1, inputs: 5, outputs: 7, size: 3 },
  { batch: 2, height: 5, width: 4, inputs: 9, outputs: 4, size: 5 },
];

Deno.test("the shapes of the tests cover every way of cutting", () => {
  const winograd = shapes.filter(useWinograd);
  assert.ok(winograd.some((shape) => winogradBlock(shape) > 0));
  assert.ok(winograd.some((shape) => winogradBlock(shape) === 0));
  assert.ok(winograd.some((shape) => winogradSplits(shape).splits > 0));
  assert.ok(winograd.some((shape) => winogradSplits(shape).splits === 0));
  assert.ok(winograd.some((shape) => shape.width % 4 !== 0 && shape.height % 4 !== 0));
  assert.ok(winograd.some((shape) => tileCount(shape) % 6 !== 0));
  const direct = shapes.filter((shape) => !useWinograd(shape));
  assert.ok(direct.some((shape) => directSplits(shape).splits > 1));
  assert.ok(direct.some((shape) => directSplits(shape).splits === 1));
});

Deno.test("convolutions and their gradients are right, with fused multiply-add and without", async () => {
  for (const relaxed of [true, false]) {
    await withPool({ threads: 2, relaxed }, (bench) => {
      for (const shape of shapes) assertRight(bench, shape);
    });
  }
});

Deno.test("convolutions and their gradients are right at any size", async () => {
  await withPool({ threads: 2 }, (bench) => {
    const side = fc.integer({ min: 1, max: 14 });
    const channels = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(16, 24, 32, 40));
    fc.assert(
      fc.property(
        fc.record({
          batch: fc.integer({ min: 1, max: 3 }),
          height: side,
          width: side,
          inputs: channels,
          outputs: channels,
          size: fc.constantFrom(1, 3, 3, 5),
        }),
        (shape) => assertRight(bench, shape),
      ),
      { numRuns: 80, seed: 7 },
    );
  });
});

Deno.test("convolutions give the same bits on one, two and three threads, and again", async () => {
  const found: Results[][] = [];
  for (const threads of [1, 2, 3]) {
    await withPool({ threads }, (bench) => {
      assert.equal(bench.pool.threads, threads);
      for (let again = 0; again < 2; again++) {
        found.push(shapes.map((shape) => compute(bench, shape)));
      }
    });
  }
  for (const results of found) assert.deepEqual(results, found[0]);
});
