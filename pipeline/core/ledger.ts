/**
 * Who keeps tensors: what every stage leaves on the device beyond its output, so that a leak has a
 * name.
 *
 * @example A stage that forgets a tensor
 * ```ts
 * import { E, RTE } from "./fp.ts";
 * import type { HasBackend } from "./env.ts";
 * import { accounted, makeLedger } from "./ledger.ts";
 *
 * let alive = 5;
 * const backend = { tensors: () => alive } as HasBackend["backend"]; // all that is needed here
 * const ledger = makeLedger();
 * const careless = accounted(ledger, "careless")((n: number) => RTE.fromIO(() => alive += n));
 * await careless(1)({ backend })();
 * if (ledger.largest()?.stage !== "careless") throw new Error("nobody was named");
 * ```
 *
 * @module
 */
import type { HasBackend } from "./env.ts";
import { E } from "./fp.ts";
import { resources } from "./owned.ts";
import type { Stage } from "./stage.ts";

/** Tensors left by a stage. */
export interface Left {
  /** Its name. */
  readonly stage: string;
  /** How many, above 0. */
  readonly tensors: number;
}

/** Counts of tensors by stage. */
export interface Ledger {
  /** Adds to the count of a stage; what it frees of earlier runs is negative. */
  readonly add: (stage: string, tensors: number) => void;
  /** Starts again from 0. */
  readonly clear: () => void;
  /** The stage that has left the most; undefined where none has left any. */
  readonly largest: () => Left | undefined;
}

/** An empty ledger. */
export const makeLedger = (): Ledger => {
  const counts = new Map<string, number>();
  return {
    add: (stage, tensors) => void counts.set(stage, (counts.get(stage) ?? 0) + tensors),
    clear: () => counts.clear(),
    largest: () => {
      const [first] = [...counts].toSorted(([, a], [, b]) => b - a);
      return first !== undefined && first[1] > 0
        ? { stage: first[0], tensors: first[1] }
        : undefined;
    },
  };
};

const tensorsIn = (value: unknown): number => resources(value).size;

/**
 * Notes what a stage leaves on the device: tensors alive after it, less those before, less those of
 * its output, plus those of its input, which it consumes. A stage that keeps a state frees later
 * what it left before: its sum over a round is 0 unless it leaks. Stages that run at the same time
 * as this one are counted with it.
 */
export const accounted = (
  ledger: Ledger,
  name: string,
): <R, Er, A, B>(stage: Stage<R, Er, A, B>) => Stage<R & HasBackend, Er, A, B> =>
<R, Er, A, B>(stage: Stage<R, Er, A, B>): Stage<R & HasBackend, Er, A, B> =>
(input) =>
(env) =>
async () => {
  const before = env.backend.tensors() - tensorsIn(input);
  const made = await stage(input)(env)();
  const output = E.isRight(made) ? tensorsIn(made.right) : 0;
  ledger.add(name, env.backend.tensors() - output - before);
  return made;
};
