/**
 * A bounded reader of Python pickles that executes nothing: opcodes and globals are those of an
 * allow-list, a "call" of one of them is a pure function of ours, everything else is refused by
 * name.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import { type Cursor, whole } from "./pickle_cursor.ts";
import { type Machine, type PickleRules, type PickleValue, pop } from "./pickle_machine.ts";
import { step } from "./pickle_operations.ts";

export type { PickleRules, PickleValue } from "./pickle_machine.ts";

/** Most operations of a pickle; the largest networks need some ten thousands. */
const MAX_OPERATIONS = 1_000_000;
const STOP = 0x2e;

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
