/**
 * Finds an adapter and opens a device with the adapter's real limits.
 *
 * @module
 */
import { E, type TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { backendFailure } from "../session.ts";

/** An open GPU device and what is known about it. */
export interface OpenDevice {
  readonly device: GPUDevice;
  readonly info: GPUAdapterInfo;
  /** Whether a CPU plays the GPU. */
  readonly software: boolean;
}

/** The limits that kernels may need; the rest stays at the guaranteed minimum. */
const raisedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

const softwareNames = /llvmpipe|lavapipe|swiftshader|software|basic render|\bwarp\b/i;

/** Whether the adapter is a CPU in disguise: it says so, or it bears a known name. */
export const isSoftware = (
  info: Pick<GPUAdapterInfo, "vendor" | "architecture" | "device" | "description"> & {
    readonly isFallbackAdapter?: boolean;
  },
): boolean =>
  info.isFallbackAdapter === true ||
  softwareNames.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`);

/** How people call the adapter: "NVIDIA H100 PCIe". */
export const describe = (info: GPUAdapterInfo): string =>
  info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(" ") ||
  "an adapter without a name";

/** The best adapter that is there, or nothing: also where WebGPU is switched off. */
export const findAdapter = async (): Promise<GPUAdapter | undefined> => {
  try {
    return await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ??
      undefined;
  } catch {
    return undefined; // a driver that cannot be loaded is no adapter
  }
};

/** The kinds of adapter that a machine has to offer. */
export type AdapterKind = "hardware" | "software" | "none";

/** What {@link openDevice} would find. */
export const adapterKind = async (): Promise<AdapterKind> => {
  const adapter = await findAdapter();
  if (!adapter) return "none";
  return isSoftware(adapter.info) ? "software" : "hardware";
};

/** Opens the best device. Fails with `Backend` where there is none, or only a software one. */
export const openDevice = (
  { allowSoftware }: { readonly allowSoftware: boolean },
): TE.TaskEither<Err<"Backend">, OpenDevice> =>
async () => {
  const fail = (message: string, cause?: unknown): E.Either<Err<"Backend">, OpenDevice> =>
    E.left({ ...backendFailure("on webgpu", cause), message });
  const adapter = await findAdapter();
  if (!adapter) return fail("there is no WebGPU adapter, expected one (or the wasm backend)");
  const { info, limits, features } = adapter, software = isSoftware(info);
  if (software && !allowSoftware) {
    return fail(`${describe(info)} is a software adapter, expected a GPU (or the wasm backend)`);
  }
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: (["timestamp-query"] as const).filter((name) => features.has(name)),
      requiredLimits: Object.fromEntries(
        // A driver may have more bytes to offer than a request can say.
        raisedLimits.map((name) => [name, Math.min(limits[name], Number.MAX_SAFE_INTEGER)]),
      ),
    });
    return E.right({ device, info, software });
  } catch (cause) {
    return fail(`${describe(info)} opens no device (${cause})`, cause);
  }
};
