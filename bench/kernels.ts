/**
 * Where the time of a step goes: what each kernel takes of it, and what is left between them.
 *
 * @module
 */
import { type KernelConfig, tf } from "../backends/tf.ts";
import type { Preset } from "../models/presets.ts";
import type { HasBackend, HasClock, HasRng } from "../pipeline/core/env.ts";
import { untrainedStep, videosInW } from "./networks.ts";
import { need } from "./untrained.ts";

/** What one kernel takes of a step. */
export interface KernelTiming {
  /** As TensorFlow.js or Headshot calls it. */
  readonly name: string;
  /** Inside the kernel, without the kernels that it calls. */
  readonly seconds: number;
  /** How often it runs. */
  readonly calls: number;
}

/** A step, kernel by kernel. */
export interface StepProfile {
  /** The whole step. */
  readonly seconds: number;
  /** The longest first. */
  readonly kernels: readonly KernelTiming[];
}

/** Everything that runs through kernels of a backend is timed until `stop`. */
const watch = (backendName: string, now: () => number) => {
  const spent = new Map<string, { milliseconds: number; calls: number }>();
  const inner: number[] = []; // of each kernel that is running: what those took that it called
  const timed = (kernel: KernelConfig): KernelConfig => ({
    ...kernel,
    kernelFunc: (parameters) => {
      const start = now();
      inner.push(0);
      try {
        return kernel.kernelFunc(parameters);
      } finally {
        const whole = now() - start, own = whole - (inner.pop() ?? 0);
        const { milliseconds = 0, calls = 0 } = spent.get(kernel.kernelName) ?? {};
        spent.set(kernel.kernelName, { milliseconds: milliseconds + own, calls: calls + 1 });
        const outer = inner.length - 1;
        if (outer >= 0) inner[outer] = (inner[outer] ?? 0) + whole;
      }
    },
  });
  const replace = (kernels: readonly KernelConfig[]): void => {
    for (const kernel of kernels) {
      tf.unregisterKernel(kernel.kernelName, backendName);
      tf.registerKernel(kernel);
    }
  };
  const kernels = tf.getKernelsForBackend(backendName);
  replace(kernels.map(timed));
  return { spent, stop: () => replace(kernels) };
};

/**
 * Profiles `steps` steps of meta-learning; all figures are of one step. Only where kernels have
 * ended when their calls return: throws on webgpu.
 */
export const profileStep = async (
  env: HasBackend & HasRng & HasClock,
  preset: Preset,
  steps: number,
): Promise<StepProfile> => {
  const { backend, now } = env;
  if (backend.name === "webgpu") {
    throw new Error(
      "Cannot profile kernels on webgpu: their calls return before they have run, expected " +
        "--backend wasm, native or cpu",
    );
  }
  const step = await untrainedStep(env, preset, videosInW);
  try {
    for (let i = 0; i < 3; i++) await step.run(); // compilers work while code is hot
    const name = await need(backend.run("name of the backend", () => tf.getBackend()));
    const { spent, stop } = watch(name, now);
    let seconds = 0;
    try {
      for (let i = 0; i < steps; i++) seconds += await step.run();
    } finally {
      stop();
    }
    const kernels = [...spent].map(([name, { milliseconds, calls }]) => ({
      name,
      seconds: milliseconds / 1000 / steps,
      calls: calls / steps,
    }));
    return {
      seconds: seconds / steps,
      kernels: kernels.toSorted((a, b) => b.seconds - a.seconds),
    };
  } finally {
    step.dispose();
  }
};
