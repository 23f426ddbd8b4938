/**
 * Named tensors between the device and host memory: what files hold.
 *
 * @module
 */
import { tf } from "../../backends/tf.ts";
import type { Tensors } from "../../models/parameters.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import type { Stage } from "../core/stage.ts";
import type { HostTensor, HostTensors } from "../core/safetensors.ts";

/** Reads named tensors back; they stay on the device and with their owner. */
export const downloadTensors: Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  Tensors,
  HostTensors
> = (tensors) => ({ backend }) =>
  backend.read("tensors", async () => {
    const entries: [string, HostTensor][] = [];
    for (const [name, tensor] of Object.entries(tensors)) {
      const data = new Float32Array(await tensor.data<"float32">());
      entries.push([name, { dtype: "F32", shape: tensor.shape, data }]);
    }
    return Object.fromEntries(entries);
  });

/** Puts named arrays on the device as float32. Call inside `backend.run`. */
export const uploadTensors = (tensors: HostTensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).map((
      [name, { shape, data }],
    ) => [name, tf.tensor(data, [...shape], "float32")]),
  );
