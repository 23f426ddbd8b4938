/**
 * What a stage may need, in slices: a stage names the slices it uses and no more, and composing
 * stages adds them up.
 *
 * @module
 */
import type { TaskEither } from "./fp.ts";
import type { Err } from "./errors.ts";
import type { TrainEvent } from "./events.ts";
import { makeRng, type Rng } from "./rng.ts";

/** Names of the compute backends (DESIGN: cpu is the reference, for tests). */
export type BackendName = "webgpu" | "wasm" | "cpu" | "native";

/** A compute device on which tensors live. Made by `selectBackend`. */
export interface Backend {
  /** Which of the backends it is. */
  readonly name: BackendName;
  /** What runs underneath, for people: "wasm, 2 threads, relaxed SIMD". */
  readonly device: string;
  /** The largest single tensor in bytes that the device accepts. */
  readonly maxTensorBytes: number;
  /** What all tensors together may take in bytes, where the device has such a limit. */
  readonly maxBytes?: number;
  /**
   * Runs `f` synchronously; tensors that it makes die, except those that it returns. What `f`
   * throws becomes a value.
   */
  readonly run: <A>(op: string, f: () => A) => TaskEither<Err<"Backend" | "DeviceLost">, A>;
  /** Awaits a read-back (never one per loss per step: one per tick). */
  readonly read: <A>(
    op: string,
    f: () => Promise<A>,
  ) => TaskEither<Err<"Backend" | "DeviceLost">, A>;
  /** Disposes every tensor inside a value. */
  readonly dispose: (value: unknown) => void;
  /** How many tensors are alive: flat after warm-up, or something leaks. */
  readonly tensors: () => number;
  /** Stops threads and frees the device; the backend cannot be used afterwards. */
  readonly close: () => Promise<void>;
}

/** Needs the compute backend; such a stage never runs concurrently with itself. */
export interface HasBackend {
  /** The device on which tensors live. */
  readonly backend: Backend;
}
/** Needs randomness. */
export interface HasRng {
  /** A position in the tree of random streams. */
  readonly rng: Rng;
}
/** Tells what happens. */
export interface HasEvents {
  /** Tells one event; never throws. */
  readonly emit: (event: TrainEvent) => void;
}
/** Can be stopped. */
export interface HasAbort {
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
}
/** Knows the time, in milliseconds. */
export interface HasClock {
  /** Milliseconds from some fixed moment: for durations. */
  readonly now: () => number;
}

/** All slices together: what programs get. */
export type Env = HasBackend & HasRng & HasEvents & HasAbort & HasClock;

/** What {@link makeEnv} is given; only the backend has no default. */
export interface EnvOptions {
  /** The device on which tensors live. */
  readonly backend: Backend;
  /** Default 1. */
  readonly seed?: number;
  /** Default: events are dropped. */
  readonly emit?: (event: TrainEvent) => void;
  /** Default: never aborted. */
  readonly signal?: AbortSignal;
  /** Default: `performance.now`. */
  readonly now?: () => number;
}

/** An environment with every slice, from a backend and defaults. */
export const makeEnv = ({ backend, seed = 1, emit, signal, now }: EnvOptions): Env => ({
  backend,
  rng: makeRng(seed),
  emit: emit ?? (() => {}),
  signal: signal ?? new AbortController().signal,
  now: now ?? (() => performance.now()),
});
