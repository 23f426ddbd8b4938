/**
 * Collects what goes wrong on a GPU device. Deno prints nothing about a validation error and goes
 * on with zeros or stale data, so nothing may be believed that was not asked about here.
 *
 * Measured on Deno 2.9.6: an error scope costs 0.8 µs and answers in the next microtask; an
 * `uncapturederror` event comes as a later task. So scopes enclose every piece of work, and the
 * listener catches what happens between them.
 *
 * @module
 */
import { backendFailure, type DeviceFailure, type Witness } from "../session.ts";

const filters = ["validation", "out-of-memory", "internal"] as const;
const firstLine = (text: string): string => text.trim().split("\n", 1)[0] ?? "";

const explain = (error: GPUError): string =>
  typeof GPUOutOfMemoryError !== "undefined" && error instanceof GPUOutOfMemoryError
    ? "the GPU is out of memory, expected a smaller batch, fewer shots or a smaller preset"
    : `the GPU refused it: ${firstLine(error.message) || "no reason was given"}`;

/** How long a lost device may take to say so after an operation on it failed, in ms. */
const lossDelay = 20;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Listens to a device from now on; its loss stays on record, an error is told once. */
export const watchDevice = (device: GPUDevice): Witness => {
  const stray: GPUError[] = [];
  let loss: string | undefined;
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    stray.push((event as GPUUncapturedErrorEvent).error);
  });
  device.lost.then((info) => {
    loss = info.message || info.reason || "no reason was given";
  });
  const lost = (): DeviceFailure | undefined =>
    loss === undefined ? undefined : { _tag: "DeviceLost", message: loss };

  const judge = async (op: string, found: GPUError | undefined): Promise<
    DeviceFailure | undefined
  > => {
    const error = found ?? stray[0];
    stray.length = 0; // consequences of the first one
    if (error === undefined) return lost();
    // Work on a device that is gone fails validation too: the loss is the cause to be told.
    if (loss === undefined && /lost|destroyed/i.test(error.message)) await pause(lossDelay);
    return lost() ?? backendFailure(op, explain(error));
  };

  return {
    listen: (op) => {
      if (loss !== undefined) return () => Promise.resolve(lost());
      for (const filter of filters) device.pushErrorScope(filter);
      return async () => {
        const scopes = filters.map(() => device.popErrorScope().catch(() => null));
        return await judge(
          op,
          (await Promise.all(scopes)).find((error) => error !== null) ?? undefined,
        );
      };
    },
    explain: async (op) => {
      if (loss === undefined) await pause(lossDelay);
      return await judge(op, undefined);
    },
  };
};
