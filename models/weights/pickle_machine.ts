/**
 * The machine that a pickle drives: a stack with marks, a memory of values, and a list of what may
 * be named. Whatever goes wrong is noted once, in words, and reading stops there.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import type { Cursor } from "./pickle_cursor.ts";

/** What a pickle can hold here; `T` is what the allowed globals make. */
export type PickleValue<T> =
  | null
  | boolean
  | number
  | bigint
  | string
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "list" | "tuple"; readonly items: PickleValue<T>[] }
  | { readonly kind: "dict"; readonly entries: [PickleValue<T>, PickleValue<T>][] }
  | { readonly kind: "global"; readonly name: string }
  | { readonly kind: "made"; readonly made: T };

type Made<T> = E.Either<string, PickleValue<T>>;

/** What a pickle may name, and what its references outwards mean. */
export interface PickleRules<T> {
  /** Allowed globals: `module.name` → what calling it gives; undefined where it is only a name. */
  readonly globals: ReadonlyMap<string, ((args: readonly PickleValue<T>[]) => Made<T>) | undefined>;
  /** Resolves a persistent id (a reference to data outside of the pickle). */
  readonly persistent: (id: PickleValue<T>) => Made<T>;
}

const MAX_MEMO = 1_000_000;

/** Where a list on the stack begins. */
export const mark = Symbol("mark");
type Slot<T> = PickleValue<T> | typeof mark;

/** What a pickle works on. */
export interface Machine<T> {
  readonly rules: PickleRules<T>;
  readonly cursor: Cursor;
  readonly stack: Slot<T>[];
  readonly memo: Map<number, PickleValue<T>>;
  problem: string | undefined;
}

/** Notes a problem, unless there is one already; the value that stands for what is missing. */
export const fail = <T>(machine: Machine<T>, problem: string): null => {
  machine.problem ??= problem;
  return null;
};

/** The value on top of the stack, taken off. */
export const pop = <T>(machine: Machine<T>): PickleValue<T> => {
  const top = machine.stack.pop();
  return top === undefined || top === mark
    ? fail(machine, "its stack runs empty, expected a pickle as Python writes it")
    : top;
};

/** The values above the last mark. */
export const popMark = <T>(machine: Machine<T>): PickleValue<T>[] => {
  const at = machine.stack.lastIndexOf(mark);
  if (at < 0) {
    fail(machine, "it closes a list that it did not open, expected a pickle as Python writes it");
    return [];
  }
  return machine.stack.splice(at).filter((slot) => slot !== mark);
};

/** Keeps the value on top of the stack under a number. */
export const remember = <T>(machine: Machine<T>, key: number): void => {
  const top = machine.stack.at(-1);
  if (top === undefined || top === mark) fail(machine, "it remembers nothing, expected a value");
  else if (machine.memo.size >= MAX_MEMO) {
    fail(machine, `it remembers more than ${MAX_MEMO} values`);
  } else machine.memo.set(key, top);
};

/** A value that was kept. */
export const recall = <T>(machine: Machine<T>, key: number): PickleValue<T> =>
  machine.memo.get(key) ??
    fail(machine, `it recalls value ${key}, expected one that it remembered`);

const nameOf = (value: unknown): string =>
  typeof value === "object" && value !== null && "name" in value ? String(value.name) : "a value";

/** A global, where it is allowed. */
export const named = <T>(machine: Machine<T>, module: string, name: string): PickleValue<T> => {
  const whole = `${module}.${name}`.slice(0, 80);
  return machine.rules.globals.has(whole) ? { kind: "global", name: whole } : fail(
    machine,
    `it names ${JSON.stringify(whole)}, which could run code, expected only tensors and containers`,
  );
};

/** What was made, or the problem noted. */
export const settle = <T>(machine: Machine<T>, made: Made<T>): PickleValue<T> =>
  E.isLeft(made) ? fail(machine, made.left) : made.right;

/** Calls an allowed global: a pure function of ours. */
export const call = <T>(machine: Machine<T>): PickleValue<T> => {
  const args = pop(machine), callee = pop(machine);
  const isCall = typeof args === "object" && args !== null && args.kind === "tuple" &&
    typeof callee === "object" && callee !== null && callee.kind === "global";
  const make = isCall ? machine.rules.globals.get(callee.name) : undefined;
  return isCall && make
    ? settle(machine, make(args.items))
    : fail(machine, `it calls ${nameOf(callee)}, expected only what makes tensors and containers`);
};

/** Puts values at the end of the list on top of the stack. */
export const append = <T>(machine: Machine<T>, values: readonly PickleValue<T>[]): void => {
  const target = machine.stack.at(-1);
  if (typeof target === "object" && target !== null && target.kind === "list") {
    for (const value of values) target.items.push(value);
  } else fail(machine, "it appends to no list, expected one");
};

/** Puts keys and values in turn into the dictionary on top of the stack. */
export const setItems = <T>(machine: Machine<T>, values: readonly PickleValue<T>[]): void => {
  const target = machine.stack.at(-1);
  if (
    typeof target !== "object" || target === null || target.kind !== "dict" || values.length % 2
  ) {
    fail(machine, "it sets items of no dictionary, expected one");
    return;
  }
  for (let i = 0; i < values.length; i += 2) {
    target.entries.push([values[i] ?? null, values[i + 1] ?? null]);
  }
};

/** BUILD gives an object its attributes: dictionaries of PyTorch carry notes there, not needed. */
export const build = <T>(machine: Machine<T>): void => {
  pop(machine);
  const target = machine.stack.at(-1);
  if (typeof target !== "object" || target === null || target.kind !== "dict") {
    fail(machine, `it sets attributes of ${nameOf(target)}, expected only those of dictionaries`);
  }
};

/** Keys and values in turn, as pairs. */
export const pairs = <T>(values: readonly PickleValue<T>[]): [PickleValue<T>, PickleValue<T>][] =>
  Array.from({ length: values.length >> 1 }, (_, i) => [
    values[2 * i] ?? null,
    values[2 * i + 1] ?? null,
  ]);

/** A list. */
export const list = <T>(items: PickleValue<T>[]): PickleValue<T> => ({ kind: "list", items });
/** A tuple. */
export const tuple = <T>(items: PickleValue<T>[]): PickleValue<T> => ({ kind: "tuple", items });
