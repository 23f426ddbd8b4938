/** Our own wasm kernels: results that do not depend on threads, sources that give the binary. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { type Tensor, tf } from "../../../backends/tf.ts";
import { convolve, instanceNormalize, meanAbsoluteDifference } from "../../../backends/ops.ts";
import { createWasmBackend } from "../../../backends/wasm.ts";
import { differentiate } from "../../../models/optimiser.ts";
import { renderBinary } from "../../../backends/wasm/build.ts";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { expectRight, numbersOf } from "../../models/support.ts";
import { convolutionByDefinition } from "./definition.ts";
import { relativeError } from "./support.ts";

const random = (name: string, shape: readonly number[]): Tensor => {
  const draw = makeRng(5).fold(name).draw(), size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => draw.normal()), [...shape]);
};

interface Shape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly size: 1 | 3 | 5;
}

/** A small network with every gradient: convolution, norm, ReLU, sums, matrix products. */
const compute = ({ batch, height, width, inputs, outputs, size }: Shape) => {
  const x = random("x", [batch, height, width, inputs]);
  const filter = random("filter", [size, size, inputs, outputs]), bias = random("bias", [outputs]);
  const gain = random("gain", [batch, outputs]), shift = random("shift", [1, outputs]);
  const target = random("target", [batch, height, width, outputs]);
  const f = () => {
    const h = convolve(x, filter, { bias, relu: true });
    const normal = instanceNormalize(h, gain, tf.tile(shift, [batch, 1]), { relu: true });
    const flat = normal.reshape([batch, height * width, outputs]);
    const mixed = tf.matMul(tf.softmax(tf.matMul(flat, flat, false, true)), flat);
    return meanAbsoluteDifference(mixed.reshape(target.shape), target).asScalar();
  };
  const { loss, gradients } = differentiate(f, { x, filter, bias, gain, shift });
  return { loss, ...gradients };
};

const run = async (threads: number, shape: Shape): Promise<readonly Float32Array[]> => {
  const backend = await expectRight(createWasmBackend({ threads }));
  try {
    const made = await expectRight(backend.run("kernels", () => compute(shape)));
    return await Promise.all(Object.values(made).map(numbersOf));
  } finally {
    await backend.close();
  }
};

const shapes: readonly Shape[] = [
  { batch: 2, height: 16, width: 16, inputs: 32, outputs: 32, size: 3 }, // Winograd
  { batch: 1, height: 7, width: 9, inputs: 5, outputs: 11, size: 3 },
  { batch: 3, height: 8, width: 4, inputs: 6, outputs: 16, size: 1 },
  { batch: 1, height: 20, width: 20, inputs: 64, outputs: 48, size: 3 },
  { batch: 1, height: 6, width: 6, inputs: 3, outputs: 4, size: 5 },
];

Deno.test("one, two and three threads give the same bits, and again", async () => {
  for (const shape of shapes) {
    const one = await run(1, shape);
    assert.equal(one.length, 6);
    assert.ok(one.every((values) => values.every(Number.isFinite)), JSON.stringify(shape));
    for (const threads of [1, 2, 3]) {
      assert.deepEqual(await run(threads, shape), one, `${threads}: ${JSON.stringify(shape)}`);
    }
  }
});

Deno.test("convolution is its definition at any size", async () => {
  const backend = await expectRight(createWasmBackend({}));
  const side = fc.integer({ min: 1, max: 13 }), channels = fc.integer({ min: 1, max: 35 });
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        batch: fc.integer({ min: 1, max: 3 }),
        height: side,
        width: side,
        inputs: channels,
        outputs: channels,
        size: fc.constantFrom<1 | 3 | 5>(1, 3, 5),
      }),
      async (shape) => {
        const { batch, height, width, inputs, outputs, size } = shape;
        const [x, filter, y] = await expectRight(backend.run("convolution", () => {
          const x = random("x", [batch, height, width, inputs]);
          const filter = random("filter", [size, size, inputs, outputs]);
          return [x, filter, convolve(x, filter)] as const;
        }));
        const expected = convolutionByDefinition(shape, {
          x: await numbersOf(x),
          filter: await numbersOf(filter),
          bias: new Float32Array(outputs),
          dy: new Float32Array(y.size),
        });
        const error = relativeError(await numbersOf(y), expected.y);
        backend.dispose([x, filter, y]);
        assert.ok(error < 1e-5, `${error}`);
      },
    ),
    { numRuns: 60, seed: 1 },
  );
  await backend.close();
});

Deno.test("the binary is what its sources give", async () => {
  const committed = await Deno.readTextFile(
    new URL("../../../backends/wasm/binary.ts", import.meta.url),
  );
  assert.ok(committed === await renderBinary(), "run deno task build");
});

Deno.test("a process that closed its backend ends", async () => {
  const script = `
    import { createWasmBackend } from "${new URL("../../../backends/wasm.ts", import.meta.url)}";
    const made = await createWasmBackend({ threads: 2 })();
    await made.right.close();
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "-"],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const { code } = await child.status;
  clearTimeout(timer);
  assert.equal(code, 0);
});
