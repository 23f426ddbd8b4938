/**
 * The operations of a pickle that only make tensors and containers: everything that Python's own
 * writer and PyTorch's need, nothing that runs code.
 *
 * @module
 */
import { type Cursor, readText, take, whole } from "./pickle_cursor.ts";
import {
  append,
  build,
  call,
  fail,
  list,
  type Machine,
  mark,
  named,
  pairs,
  type PickleValue,
  pop,
  popMark,
  recall,
  remember,
  setItems,
  settle,
  tuple,
} from "./pickle_machine.ts";

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

/** Does one operation; one that is not known is refused by name. */
export const step = <T>(machine: Machine<T>, opcode: number): void => {
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
