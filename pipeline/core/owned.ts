/**
 * Who frees a tensor: an {@link Owned} value has exactly one owner, which disposes it; stages hand
 * ownership on explicitly, because no engine scope may be held across an `await`.
 *
 * @module
 */
import { RTE, TE } from "./fp.ts";
import type { HasBackend } from "./env.ts";
import type { Err } from "./errors.ts";
import { bracket, type Stage } from "./stage.ts";

/** A value that owns tensors; reading it after it was disposed or handed on throws: a bug. */
export interface Owned<out A> extends Disposable {
  /** The value, while it is owned here. */
  readonly value: A;
}

interface Cell<A> {
  state: "live" | "disposed" | "transferred";
  value: A;
  readonly dispose: (value: A) => void;
}

const CELL = Symbol("cell");

interface OwnedCell<A> extends Owned<A> {
  readonly [CELL]: Cell<A>;
}

// Every Owned is made below, with its cell.
const cellOf = <A>(handle: Owned<A>): Cell<A> => (handle as OwnedCell<A>)[CELL];

const readCell = <A>(cell: Cell<A>): A => {
  if (cell.state !== "live") {
    throw new Error(`Cannot read an owned value: it was already ${cell.state}, expected one owner`);
  }
  return cell.value;
};

/** Takes ownership of a value; disposing twice does nothing the second time. */
export const owned = <A>(value: A, dispose: (value: A) => void): Owned<A> => {
  const cell: Cell<A> = { state: "live", value, dispose };
  const handle: OwnedCell<A> = {
    [CELL]: cell,
    get value() {
      return readCell(cell);
    },
    [Symbol.dispose]: () => {
      if (cell.state !== "live") return;
      cell.state = "disposed";
      cell.dispose(cell.value);
    },
  };
  return handle;
};

/** Hands a value to a new owner; the old handle is empty from then on and disposes nothing. */
export const transfer = <A>(from: Owned<A>): Owned<A> => {
  const cell = cellOf(from);
  const value = readCell(cell);
  cell.state = "transferred";
  return owned(value, cell.dispose);
};

/** Makes tensors from plain data: `f` runs inside `backend.run`, the result is the caller's. */
export const upload = <A, B>(
  op: string,
  f: (a: A) => B,
): Stage<HasBackend, Err<"Backend" | "DeviceLost">, A, Owned<B>> =>
(a) =>
({ backend }) => TE.map((b: B) => owned(b, backend.dispose))(backend.run(op, () => f(a)));

/**
 * Tensor maths as a stage. The input is consumed, on failure too; intermediates die inside
 * `backend.run`; the output is the caller's. `f` is synchronous and must not return a tensor of
 * its input (return a clone): that one dies with the input.
 */
export const compute = <A, B>(
  op: string,
  f: (a: A) => B,
): Stage<HasBackend, Err<"Backend" | "DeviceLost">, Owned<A>, Owned<B>> =>
  bracket(
    (input: Owned<A>) => RTE.right(input),
    (input: Owned<A>) => upload(op, f)(input.value),
    (input) => input[Symbol.dispose](),
  );

type Resource = { readonly dispose: () => void };

const isResource = (value: object): value is Resource =>
  "dispose" in value && typeof value.dispose === "function";

/**
 * Everything disposable inside plain records, arrays, maps and owned values; not inside numeric
 * arrays.
 */
export const resources = (
  value: unknown,
  found: Set<object> = new Set(),
  seen: Set<object> = new Set(),
): ReadonlySet<object> => {
  if (typeof value !== "object" || value === null || seen.has(value)) return found;
  seen.add(value);
  if (isResource(value)) found.add(value);
  else if (value instanceof Map) {
    for (const item of value.values()) {
      resources(item, found, seen);
    }
  } else if (!ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) resources(item, found, seen);
  }
  return found;
};

/**
 * Updates an owned value in place, the way a training step updates its state: `f` returns the next
 * value and an output, which share no tensor. The handle stays with its owner and holds the next
 * value; tensors of the old value that are not in the next one are disposed. Where `f` fails, the
 * old value stays.
 */
export const mutate = <A, B>(
  op: string,
  f: (a: A) => readonly [next: A, output: B],
): Stage<HasBackend, Err<"Backend" | "DeviceLost">, Owned<A>, Owned<B>> =>
(handle) =>
({ backend }) => {
  const cell = cellOf(handle);
  const before = readCell(cell);
  return TE.map(([next, output]: readonly [A, B]) => {
    cell.value = next;
    const kept = resources([next, output]);
    backend.dispose([...resources(before)].filter((resource) => !kept.has(resource)));
    return owned(output, backend.dispose);
  })(backend.run(op, () => f(before)));
};
