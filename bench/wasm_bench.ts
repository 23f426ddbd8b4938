/**
 * Times of the wasm kernels at the shapes of `toy-64`: median milliseconds and GFLOP/s a kernel.
 *
 *     deno run -A bench/wasm_bench.ts [--threads N] [--only NAME] [--json] [--against FILE.json]
 *
 * `--against` takes the JSON of an earlier run (or of another library, in the same form) and adds
 * its milliseconds and the ratio of ours to them.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { tf } from "../backends/tf.ts";
import { runKernel } from "../backends/kernels/gradients.ts";
import type { KernelName } from "../backends/kernels/names.ts";
import { createWasmBackend } from "../backends/wasm.ts";
import type { Tensor } from "../backends/tf.ts";

/** One kernel at one shape. */
interface Case {
  readonly name: string;
  /** Floating-point operations of the definition; 0 where memory is what counts. */
  readonly flops: number;
  /** Makes inputs; what it returns runs the kernel once. */
  readonly prepare: () => () => unknown;
}

/** What one case took. */
interface Timing {
  readonly name: string;
  readonly ms: number;
  readonly gflops: number;
}

const random = (shape: readonly number[]): Tensor => tf.randomUniform([...shape], -1, 1);

const kernelCase = (
  name: string,
  kernel: KernelName,
  flops: number,
  inputs: Readonly<Record<string, readonly number[]>>,
  attributes: Record<string, number | boolean> = {},
): Case => ({
  name: `${name}${kernel}`,
  flops,
  prepare: () => {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([key, shape]) => [key, random(shape)]),
    );
    return () => runKernel(kernel, tensors, attributes);
  },
});

const convolutions: readonly (readonly [number, number, number, number, number])[] = [
  // batch, side, channels in, channels out, size of the filter
  [16, 64, 6, 32, 3],
  [16, 64, 32, 32, 3],
  [16, 32, 32, 64, 3],
  [16, 32, 64, 64, 3],
  [16, 16, 128, 128, 3],
  [16, 8, 128, 128, 3],
  [1, 64, 32, 32, 3],
  [1, 64, 64, 32, 3],
  [1, 32, 64, 64, 3],
  [1, 16, 128, 128, 3],
  [1, 8, 128, 128, 3],
  [4, 64, 32, 3, 3],
  [16, 16, 64, 128, 1],
  [1, 64, 64, 64, 3],
  [1, 32, 256, 256, 3],
  [1, 16, 512, 512, 3],
];

const convolutionCases = convolutions.flatMap(([batch, side, inputs, outputs, size]) => {
  const x = [batch, side, side, inputs], dy = [batch, side, side, outputs];
  const filter = [size, size, inputs, outputs];
  const flops = 2 * batch * side * side * size * size * inputs * outputs;
  const name = `${batch}×${side}²×${inputs}→${outputs} ${size}×${size} `;
  return [
    kernelCase(name, "Convolve", flops, { x, filter, bias: [outputs] }),
    kernelCase(name, "ConvolveInputGrad", flops, { dy, filter }),
    kernelCase(name, "ConvolveFilterGrad", flops, { x, dy }, { size }),
  ];
});

const productCase = (
  name: string,
  a: readonly number[],
  b: readonly number[],
  transposeA: boolean,
  transposeB: boolean,
): Case => {
  const rows = a[transposeA ? 2 : 1] ?? 1, inner = a[transposeA ? 1 : 2] ?? 1;
  return {
    name,
    flops: 2 * (a[0] ?? 1) * rows * inner * (b[transposeB ? 1 : 2] ?? 1),
    prepare: () => {
      const left = random(a), right = random(b);
      return () => tf.matMul(left, right, transposeA, transposeB);
    },
  };
};

const side64 = [4, 64, 64, 32], side32 = [4, 32, 32, 32], vector = [4, 32];
const filter = [3, 3, 128, 128];
const otherCases: readonly Case[] = [
  productCase("16×256² attention f·gᵀ", [16, 256, 8], [16, 256, 8], false, true),
  productCase("16×256² attention map·h", [16, 256, 256], [16, 256, 64], false, false),
  productCase("16×256² attention mapᵀ·dy", [16, 256, 256], [16, 256, 64], true, false),
  {
    name: "16×256² softmax",
    flops: 0,
    prepare: () => {
      const x = random([16, 256, 256]);
      return () => tf.softmax(x);
    },
  },
  kernelCase("4×64²×32 ", "InstanceNormalize", 0, { x: side64, gain: vector, bias: vector }, {
    epsilon: 1e-4,
    relu: true,
  }),
  kernelCase("4×64²×32 ", "InstanceNormalizeGrad", 0, {
    dy: side64,
    x: side64,
    gain: vector,
    bias: vector,
    mean: vector,
    deviation: vector,
  }, { relu: true }),
  kernelCase("4×64²×32 ", "ReluGrad", 0, { dy: side64, y: side64 }),
  kernelCase("4×64²×32 ", "BiasGrad", 0, { dy: side64 }),
  kernelCase("4×64²×32 ", "AveragePool2", 0, { x: side64 }, { scale: 0.25 }),
  kernelCase("4×32²×32 ", "UpsampleNearest2", 0, { x: side32 }, { scale: 1 }),
  kernelCase("4×64²×32 ", "MeanAbsoluteDifference", 0, { a: side64, b: side64 }),
  kernelCase("3×3×128×128 ", "PowerIteration", 0, { w: filter, u: [128] }, { iterations: 1 }),
  kernelCase("3×3×128×128 ", "SpectralNormalize", 0, { w: filter, u: [128] }),
  kernelCase("3×3×128×128 ", "AdamUpdate", 0, {
    parameter: filter,
    gradient: filter,
    second: filter,
    finite: [],
  }, { rate: 1e-4, beta1: 0, beta2: 0.999, epsilon: 1e-5, step: 3 }),
];

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** The engine compiles what is hot while it runs: time after half a second of warm-up. */
const measure = ({ name, flops, prepare }: Case): Timing =>
  tf.tidy(() => {
    const run = prepare(), times: number[] = [];
    const once = (): number => {
      const start = performance.now();
      tf.tidy(() => void run());
      return performance.now() - start;
    };
    for (const end = performance.now() + 500; performance.now() < end;) once();
    for (let i = 0; i < 15; i++) times.push(once());
    const ms = median(times);
    return { name, ms, gflops: flops / ms / 1e6 };
  }) as unknown as Timing;

const table = (timings: readonly Timing[], against: readonly Timing[]): string =>
  timings.map(({ name, ms, gflops }) => {
    const other = against.find((timing) => timing.name === name)?.ms;
    return [
      name.padEnd(44),
      `${ms.toFixed(3)} ms`.padStart(12),
      (gflops > 0 ? `${gflops.toFixed(0)} GFLOP/s` : "").padStart(14),
      other === undefined ? "" : `${other.toFixed(3)} ms, ratio ${(ms / other).toFixed(2)}`,
    ].join(" ").trimEnd();
  }).join("\n");

if (import.meta.main) {
  const options = parseArgs(Deno.args, {
    string: ["threads", "only", "against"],
    boolean: ["json"],
  });
  const threads = options.threads === undefined ? {} : { threads: Number(options.threads) };
  const started = await createWasmBackend(threads)();
  if (started._tag === "Left") throw new Error(started.left.message);
  const backend = started.right;
  const chosen = [...convolutionCases, ...otherCases]
    .filter(({ name }) => name.includes(options.only ?? ""));
  const timings: Timing[] = [];
  for (const one of chosen) {
    const timed = await backend.run("timing", () => measure(one))();
    if (timed._tag === "Left") throw new Error(timed.left.message);
    timings.push(timed.right);
  }
  const against: readonly Timing[] = options.against === undefined
    ? []
    : JSON.parse(await Deno.readTextFile(options.against)).timings;
  const text = options.json
    ? JSON.stringify({ device: backend.device, timings }, null, 2)
    : `${backend.device}\n${table(timings, against)}`;
  // deno-lint-ignore no-console
  console.log(text);
  await backend.close();
}
