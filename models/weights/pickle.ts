/**
 * A bounded reader of Python pickles that executes nothing: opcodes and globals are those of an
 * allow-list, a "call" of one of them is a pure function of ours, everything else is refused by
 * name.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import { type Cursor, readText, take, whole } from "./pickle_cursor.ts";

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

/** Most operations of a pickle; the largest networks need some ten thousands. */
const MAX_OPERATIONS = 1_000_000;
const MAX_MEMO = 1_000_000;

const mark = Symbol("mark");
type Slot<T> = PickleValue<T> | typeof mark;

interface Machine<T> {
  readonly rules: PickleRules<T>;
  readonly cursor: Cursor;
  readonly stack: Slot<T>[];
  readonly memo: Map<number, PickleValue<T>>;
  problem: string | undefined;
}

const fail = <T>(machine: Machine<T>, problem: string): null => {
  machine.problem ??= problem;
  return null;
};

const pop = <T>(machine: Machine<T>): PickleValue<T> => {
  const top = machine.stack.pop();
  return top === undefined || top === mark
    ? fail(machine, "its stack runs empty, expected a pickle as Python writes it")
    : top;
};

/** The values above the last mark. */
const popMark = <T>(machine: Machine<T>): PickleValue<T>[] => {
  const at = machine.stack.lastIndexOf(mark);
  if (at < 0) {
    fail(machine, "it closes a list that it did not open, expected a pickle as Python writes it");
    return [];
  }
  return machine.stack.splice(at).filter((slot) => slot !== mark);
};

const remember = <T>(machine: Machine<T>, key: number): void => {
  const top = machine.stack.at(-1);
  if (top === undefined || top === mark) fail(machine, "it remembers nothing, expected a value");
  else if (machine.memo.size >= MAX_MEMO) {
    fail(machine, `it remembers more than ${MAX_MEMO} values`);
  } else machine.memo.set(key, top);
};

const recall = <T>(machine: Machine<T>, key: number): PickleValue<T> =>
  machine.memo.get(key) ??
    fail(machine, `it recalls value ${key}, expected one that it remembered`);

const nameOf = (value: unknown): string =>
  typeof value === "object" && value !== null && "name" in value ? String(value.name) : "a value";

const named = <T>(machine: Machine<T>, module: string, name: string): PickleValue<T> => {
  const whole = `${module}.${name}`.slice(0, 80);
  return machine.rules.globals.has(whole) ? { kind: "global", name: whole } : fail(
    machine,
    `it names ${JSON.stringify(whole)}, which could run code, expected only tensors and containers`,
  );
};

const settle = <T>(machine: Machine<T>, made: Made<T>): PickleValue<T> =>
  E.isLeft(made) ? fail(machine, made.left) : made.right;

const call = <T>(machine: Machine<T>): PickleValue<T> => {
  const args = pop(machine), callee = pop(machine);
  const isCall = typeof args === "object" && args !== null && args.kind === "tuple" &&
    typeof callee === "object" && callee !== null && callee.kind === "global";
  const make = isCall ? machine.rules.globals.get(callee.name) : undefined;
  return isCall && make
    ? settle(machine, make(args.items))
    : fail(machine, `it calls ${nameOf(callee)}, expected only what makes tensors and containers`);
};

const append = <T>(machine: Machine<T>, values: readonly PickleValue<T>[]): void => {
  const target = machine.stack.at(-1);
  if (typeof target === "object" && target !== null && target.kind === "list") {
    for (const value of values) target.items.push(value);
  } else fail(machine, "it appends to no list, expected one");
};

const setItems = <T>(machine: Machine<T>, values: readonly PickleValue<T>[]): void => {
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
const build = <T>(machine: Machine<T>): void => {
  pop(machine);
  const target = machine.stack.at(-1);
  if (typeof target !== "object" || target === null || target.kind !== "dict") {
    fail(machine, `it sets attributes of ${nameOf(target)}, expected only those of dictionaries`);
  }
};

const pairs = <T>(values: readonly PickleValue<T>[]): [PickleValue<T>, PickleValue<T>][] =>
  Array.from({ length: values.length >> 1 }, (_, i) => [
    values[2 * i] ?? null,
    values[2 * i + 1] ?? null,
  ]);

const list = <T>(items: PickleValue<T>[]): PickleValue<T> => ({ kind: "list", items });
const tuple = <T>(items: PickleValue<T>[]): PickleValue<T> => ({ kind: "tuple", items });

type Push = <T>(machine: Machine<T>) => PickleValue<T>;
type Act = <T>(machine: Machine<T>) => void;

const text = (bytes: number): Push => (m) => readText(m.cursor, whole(m.cursor, bytes));
const bytes = (size: number): Push => (m) => ({
  kind: "bytes",
  bytes: take(m.cursor, whole(m.cursor, size)),
});
const line = (cursor: Cursor): string => {
  const end = cursor.bytes.indexOf(10, cursor.at);
  const text = readText(cursor, (end < 0 ? cursor.bytes.length + 1 : end) - cursor.at);
  cursor.at++;
  return text;
};
const last = <T>(machine: Machine<T>, count: number): PickleValue<T> =>
  tuple(Array.from({ length: count }, () => pop(machine)).reverse());

/** A whole number of up to 64 bytes, two's complement. */
const long = (size: number): Push => (m) => {
  const count = whole(m.cursor, size);
  if (count > 64) return fail(m, `it has a number of ${count} bytes, expected at most 64`);
  const digits = take(m.cursor, count);
  let value = 0n;
  for (let i = digits.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i] ?? 0);
  const signed = BigInt.asIntN(8 * Math.max(1, count), value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
};

const pushes: Readonly<Record<number, Push>> = {
  0x4e: () => null, // NONE
  0x88: () => true, // NEWTRUE
  0x89: () => false, // NEWFALSE
  0x4b: (m) => whole(m.cursor, 1), // BININT1
  0x4d: (m) => whole(m.cursor, 2), // BININT2
  0x4a: (m) => whole(m.cursor, 4) | 0, // BININT
  0x8a: long(1), // LONG1
  0x8b: long(4), // LONG4
  0x47: (m) => { // BINFLOAT
    const eight = take(m.cursor, 8);
    return eight.length === 8
      ? new DataView(eight.buffer, eight.byteOffset, 8).getFloat64(0)
      : null;
  },
  0x58: text(4), // BINUNICODE
  0x8c: text(1), // SHORT_BINUNICODE
  0x8d: text(8), // BINUNICODE8
  0x54: text(4), // BINSTRING
  0x55: text(1), // SHORT_BINSTRING
  0x42: bytes(4), // BINBYTES
  0x43: bytes(1), // SHORT_BINBYTES
  0x8e: bytes(8), // BINBYTES8
  0x5d: () => list([]), // EMPTY_LIST
  0x29: () => tuple([]), // EMPTY_TUPLE
  0x7d: () => ({ kind: "dict", entries: [] }), // EMPTY_DICT
  0x6c: (m) => list(popMark(m)), // LIST
  0x74: (m) => tuple(popMark(m)), // TUPLE
  0x64: (m) => ({ kind: "dict", entries: pairs(popMark(m)) }), // DICT
  0x85: (m) => last(m, 1), // TUPLE1
  0x86: (m) => last(m, 2), // TUPLE2
  0x87: (m) => last(m, 3), // TUPLE3
  0x63: (m) => named(m, line(m.cursor), line(m.cursor)), // GLOBAL
  0x93: (m) => { // STACK_GLOBAL
    const name = pop(m), module = pop(m);
    return named(m, String(module), String(name));
  },
  0x51: (m) => settle(m, m.rules.persistent(pop(m))), // BINPERSID
  0x52: call, // REDUCE
  0x68: (m) => recall(m, whole(m.cursor, 1)), // BINGET
  0x6a: (m) => recall(m, whole(m.cursor, 4)), // LONG_BINGET
};

const acts: Readonly<Record<number, Act>> = {
  0x80: (m) => { // PROTO
    const version = whole(m.cursor, 1);
    if (version < 2 || version > 5) fail(m, `it has protocol ${version}, expected 2 to 5`);
  },
  0x95: (m) => void take(m.cursor, 8), // FRAME
  0x28: (m) => void m.stack.push(mark), // MARK
  0x30: (m) => void m.stack.pop(), // POP
  0x31: (m) => void popMark(m), // POP_MARK
  0x71: (m) => remember(m, whole(m.cursor, 1)), // BINPUT
  0x72: (m) => remember(m, whole(m.cursor, 4)), // LONG_BINPUT
  0x94: (m) => remember(m, m.memo.size), // MEMOIZE
  0x61: (m) => append(m, [pop(m)]), // APPEND
  0x65: (m) => append(m, popMark(m)), // APPENDS
  0x73: (m) => { // SETITEM
    const value = pop(m), key = pop(m);
    setItems(m, [key, value]);
  },
  0x75: (m) => setItems(m, popMark(m)), // SETITEMS
  0x62: build, // BUILD
};

const STOP = 0x2e;

/** Operations that Python has and this reader has not, for the message. */
const refused: Readonly<Record<number, string>> = {
  0x69: "INST",
  0x6f: "OBJ",
  0x81: "NEWOBJ",
  0x92: "NEWOBJ_EX",
  0x82: "EXT1",
  0x83: "EXT2",
  0x84: "EXT4",
  0x50: "PERSID",
  0x97: "NEXT_BUFFER",
  0x98: "READONLY_BUFFER",
};

const step = <T>(machine: Machine<T>, opcode: number): void => {
  const push = pushes[opcode], act = acts[opcode];
  if (push) machine.stack.push(push(machine));
  else if (act) act(machine);
  else {
    const name = refused[opcode] ?? `0x${opcode.toString(16).padStart(2, "0")}`;
    fail(
      machine,
      `it uses the operation ${name} at byte ${machine.cursor.at - 1}, ` +
        "expected only those that make tensors and containers",
    );
  }
};

/**
 * Reads one pickle from the start of `bytes`: its value and how many bytes it took. The problem in
 * words where it is cut, uses an operation or names a global outside of the allow-list, or has more
 * than a million operations. Values may share each other, and a list may hold itself.
 */
export const unpickle = <T>(
  bytes: Uint8Array,
  rules: PickleRules<T>,
): E.Either<string, { readonly value: PickleValue<T>; readonly length: number }> => {
  const cursor: Cursor = { bytes, at: 0, short: false };
  const machine: Machine<T> = { rules, cursor, stack: [], memo: new Map(), problem: undefined };
  for (let done = 0; done < MAX_OPERATIONS; done++) {
    const opcode = whole(cursor, 1);
    if (!cursor.short && opcode !== STOP) step(machine, opcode);
    if (cursor.short) {
      return E.left(`it ends in the middle of a pickle, after ${bytes.length} bytes`);
    }
    if (opcode === STOP) {
      const value = pop(machine);
      return machine.problem === undefined
        ? E.right({ value, length: cursor.at })
        : E.left(machine.problem);
    }
    if (machine.problem !== undefined) return E.left(machine.problem);
  }
  return E.left(`it has more than ${MAX_OPERATIONS} operations, expected fewer`);
};
