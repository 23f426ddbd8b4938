/**
 * What every backend does around a piece of work: makes itself current, tidies, turns throws into
 * values, and asks the device afterwards whether anything went wrong behind its back.
 *
 * @module
 */
import { E } from "../pipeline/core/fp.ts";
import type { Backend, BackendName } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { disposeTensors, tidyAround } from "./scope.ts";
import { tf } from "./tf.ts";

/** What running work on a device can end with. */
export type DeviceFailure = Err<"Backend" | "DeviceLost">;

/** What a device tells out of band: GPU errors are not thrown by the call that causes them. */
export interface Witness {
  /** Starts listening; what it returns stops listening and tells what went wrong meanwhile. */
  readonly listen: (op: string) => () => Promise<DeviceFailure | undefined>;
  /** After a failure: why, once the device had time to say so. */
  readonly explain: (op: string) => Promise<DeviceFailure | undefined>;
}

/** A device on which tensors live, before it becomes a {@link Backend}. */
export interface Device {
  readonly name: BackendName;
  readonly label: string;
  readonly maxTensorBytes: number;
  /** Whether this device is still the one that is registered under its name. */
  readonly open: () => boolean;
  readonly witness: Witness;
  readonly close: () => Promise<void>;
}

/** A failure of `op`, with the reason that a throw carried. */
export const backendFailure = (op: string, cause: unknown): Err<"Backend"> => ({
  _tag: "Backend",
  op,
  message: cause instanceof Error ? cause.message : String(cause),
  cause,
});

/** Listens to nothing: for devices whose errors are thrown where they happen. */
export const noWitness: Witness = {
  listen: () => () => Promise.resolve(undefined),
  explain: () => Promise.resolve(undefined),
};

/** Makes a backend current; fails with `Backend` where TensorFlow.js stays on another one. */
export const makeCurrent = async (
  name: BackendName,
): Promise<E.Either<Err<"Backend">, undefined>> => {
  if (tf.engine().backendName === name) return E.right(undefined);
  try {
    // It answers false, and goes on with another backend, where it cannot switch.
    if (await tf.setBackend(name) && tf.engine().backendName === name) return E.right(undefined);
  } catch (cause) {
    return E.left(backendFailure(`on ${name}`, cause));
  }
  return E.left(backendFailure(`on ${name}`, "the backend does not start"));
};

const nameOf = (backend: unknown): string =>
  Object.entries(tf.engine().registry).find(([, registered]) => registered === backend)?.[0] ??
    "a backend that is closed";

/**
 * Makes the use of a tensor of another backend an error: TensorFlow.js would fetch its values with
 * a synchronous read, which stalls, and throws on WebGPU. Calling it again changes nothing.
 */
export const refuseForeignTensors = (): void => {
  const engine = tf.engine();
  if (Object.hasOwn(engine, "moveData")) return;
  engine.moveData = (target, dataId) => {
    const info = engine.state.tensorInfo.get(dataId);
    if (!info) throw new Error("Cannot use a tensor: it is disposed, expected a living one");
    throw new Error(
      `Cannot use a tensor [${info.shape}] of ${nameOf(info.backend)} on ${nameOf(target)}: ` +
        "tensors stay on their backend, expected its values to be read and made again",
    );
  };
};

const isPromise = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "then" in value;

const tidied = <A>(op: string, f: () => A): A =>
  tidyAround(() => {
    const value = f();
    if (isPromise(value)) {
      throw new Error(`Cannot run ${op}: it is asynchronous, expected tensors (use read to await)`);
    }
    return value;
  });

/** The {@link Backend} of a device. */
export const makeBackend = (device: Device): Backend => {
  const { name, witness } = device;
  const start = async (op: string): Promise<E.Either<DeviceFailure, undefined>> =>
    device.open()
      ? await makeCurrent(name)
      : E.left(backendFailure(op, `the ${name} backend was closed, expected an open one`));
  return {
    name,
    device: device.label,
    maxTensorBytes: device.maxTensorBytes,
    run: (op, f) => async () => {
      const started = await start(op);
      if (E.isLeft(started)) return started;
      const judge = witness.listen(op);
      const result = E.tryCatch(() => tidied(op, f), (cause) => backendFailure(op, cause));
      const problem = await judge() ?? (E.isLeft(result) ? await witness.explain(op) : undefined);
      if (problem === undefined) return result;
      if (E.isRight(result)) disposeTensors(result.right);
      return E.left(problem);
    },
    read: (op, f) => async () => {
      const started = await start(op);
      if (E.isLeft(started)) return started;
      const judge = witness.listen(op);
      const reading = settle(f);
      const before = await judge();
      const result = await reading;
      if (E.isLeft(result)) {
        return E.left(before ?? await witness.explain(op) ?? backendFailure(op, result.left));
      }
      // A second look: the device may have gone while the values were on their way.
      const problem = before ?? await witness.listen(op)();
      return problem === undefined ? result : E.left(problem);
    },
    dispose: disposeTensors,
    tensors: () => tf.engine().state.numTensors,
    close: device.close,
  };
};

// Handled at once: a rejection while the device is being asked would count as unhandled.
const settle = async <A>(f: () => Promise<A>): Promise<E.Either<unknown, A>> => {
  try {
    return E.right(await f());
  } catch (cause) {
    return E.left(cause);
  }
};
