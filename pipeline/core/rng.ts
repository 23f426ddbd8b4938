/**
 * Splittable randomness: a value is a pure function of (seed, labels), so a resumed run needs
 * only its step number to draw what the uninterrupted run would have drawn.
 *
 * @module
 */

/** A sequence of draws; the only mutable thing here, made afresh by {@link Rng.draw}. */
export interface Draw {
  /** Uniform in [low, high), [0, 1) by default. */
  readonly uniform: (low?: number, high?: number) => number;
  /** Uniform integer in [0, bound). */
  readonly integer: (bound: number) => number;
  /** Standard normal. */
  readonly normal: () => number;
  /** One element, uniformly. */
  readonly pick: <A>(choices: readonly A[]) => A;
  /** `count` distinct integers of [0, bound), in random order. */
  readonly distinct: (count: number, bound: number) => readonly number[];
}

/** A position in the tree of random streams. Immutable. */
export interface Rng {
  /** The child stream with that label; different labels give independent streams. */
  readonly fold: (label: string | number) => Rng;
  /** Starts this stream from its beginning. */
  readonly draw: () => Draw;
}

// Finaliser of MurmurHash3 (32 bits): every input bit changes every output bit.
const mix = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const hashLabel = (label: string | number): number => {
  const text = typeof label === "number" ? `#${label}` : label;
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return h >>> 0;
};

const makeDraw = (a: number, b: number): Draw => {
  let counter = 0;
  const bits = (): number => {
    counter++;
    return mix(mix(counter ^ a) + b + Math.imul(counter, 0x9e3779b9));
  };
  const uniform = (low = 0, high = 1): number => {
    const high26 = bits() >>> 6, low27 = bits() >>> 5;
    return low + (high - low) * ((high26 * 134217728 + low27) / 9007199254740992);
  };
  const integer = (bound: number): number => Math.floor(uniform() * bound);
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    pick: (choices) => {
      const chosen = choices[integer(choices.length)];
      if (chosen === undefined) throw new RangeError("Cannot pick: the list of choices is empty");
      return chosen;
    },
    distinct: (count, bound) => {
      if (count > bound) {
        throw new RangeError(`Cannot draw ${count} distinct integers below ${bound}`);
      }
      const swapped = new Map<number, number>(); // a sparse Fisher–Yates shuffle
      return Array.from({ length: count }, (_, i) => {
        const j = i + integer(bound - i);
        const chosen = swapped.get(j) ?? j;
        swapped.set(j, swapped.get(i) ?? i);
        return chosen;
      });
    },
  };
};

const at = (a: number, b: number): Rng => ({
  fold: (label) => {
    const h = hashLabel(label);
    return at(mix(a ^ h), mix(b + Math.imul(h, 0x9e3779b9) + 0x7f4a7c15));
  },
  draw: () => makeDraw(a, b),
});

/**
 * The root of the tree of random streams of one run.
 *
 * @example
 * ```ts
 * import { makeRng } from "./rng.ts";
 * const rng = makeRng(1).fold("frames").fold(42);
 * const again = makeRng(1).fold("frames").fold(42);
 * if (rng.draw().uniform() !== again.draw().uniform()) throw new Error("not repeatable");
 * ```
 */
export const makeRng = (seed: number): Rng => at(mix(seed), mix(seed ^ 0x5bd1e995));
