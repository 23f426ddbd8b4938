/**
 * What a measurement says of the machine that it was made on.
 *
 * @module
 */
import { cpus } from "node:os";
import { cpuUsage } from "node:process";

/** The most memory that the process ever held, in bytes; what it holds where nobody counts. */
export const peakBytes = async (): Promise<number> => {
  const held = Deno.memoryUsage().rss;
  try {
    const status = await Deno.readTextFile("/proc/self/status");
    return Math.max(held, 1024 * Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0));
  } catch {
    return held;
  }
};

/**
 * Milliseconds that all threads of this process have computed: a clock that stands still while
 * other programs have the processor. Threads that spin in wait of others count too.
 */
export const processorTime = (): number => {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
};

/** The processor and how many cores it has, where the permissions allow to ask. */
export const processor = (): string => {
  try {
    const [first] = cpus();
    return first ? `${first.model.trim()}, ${cpus().length} cores` : "an unknown processor";
  } catch {
    return "an unknown processor";
  }
};
