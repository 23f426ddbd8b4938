/**
 * Functions that remember their calls.
 *
 * @module
 */
import { AssertionError, deepStrictEqual } from "node:assert";

/** A spy or a stub was used in a way that cannot work. */
export class MockError extends Error {
  override readonly name = "MockError";
}

/** One call of a spy. */
export interface SpyCall<Self = unknown, Args extends unknown[] = unknown[], Return = unknown> {
  args: Args;
  returned?: Return;
  error?: Error;
  self?: Self;
}

/** A function that remembers its calls. */
export interface Spy<Self = unknown, Args extends unknown[] = unknown[], Return = unknown> {
  (this: Self, ...args: Args): Return;
  original: (this: Self, ...args: Args) => Return;
  calls: SpyCall<Self, Args, Return>[];
  restored: boolean;
  /** Puts the original method back; throws for a function that stands alone. */
  restore(): void;
}
/** A spy in place of a method; disposing it puts the method back. */
export interface MethodSpy<Self = unknown, Args extends unknown[] = unknown[], Return = unknown>
  extends Spy<Self, Args, Return>, Disposable {}
/** A spy in place of a method that does something else. */
export interface Stub<Self = unknown, Args extends unknown[] = unknown[], Return = unknown>
  extends MethodSpy<Self, Args, Return> {
  fake: (this: Self, ...args: Args) => Return;
}

/** The parameters of a method. */
export type GetParametersFromProp<Self, Prop extends keyof Self> = Self[Prop] extends
  (...args: infer Args) => unknown ? Args : unknown[];
/** The result of a method. */
export type GetReturnFromProp<Self, Prop extends keyof Self> = Self[Prop] extends
  (...args: never[]) => infer Return ? Return : unknown;

const recording = <Self, Args extends unknown[], Return>(
  original: (this: Self, ...args: Args) => Return,
  fake: (this: Self, ...args: Args) => Return,
  putBack: () => void,
): Stub<Self, Args, Return> => {
  const calls: SpyCall<Self, Args, Return>[] = [];
  const record = function (this: Self, ...args: Args): Return {
    const self = this === undefined ? {} : { self: this };
    try {
      const returned = fake.apply(this, args);
      calls.push({ args, returned, ...self });
      return returned;
    } catch (error) {
      calls.push({ args, error: error as Error, ...self });
      throw error;
    }
  };
  let restored = false;
  const restore = (): void => {
    if (restored) throw new MockError("Cannot restore a method: it was already restored");
    putBack();
    restored = true;
  };
  Object.defineProperties(record, {
    original: { value: original, enumerable: true },
    fake: { value: fake, enumerable: true },
    calls: { value: calls, enumerable: true },
    restored: { get: () => restored, enumerable: true },
    restore: { value: restore, enumerable: true },
    [Symbol.dispose]: { value: restore },
  });
  return record as unknown as Stub<Self, Args, Return>; // as defined just above
};

const replaceMethod = <Self, Args extends unknown[], Return>(
  self: Self,
  property: keyof Self,
  fake?: (this: Self, ...args: Args) => Return,
): Stub<Self, Args, Return> => {
  const original = self[property] as unknown;
  if (typeof original !== "function") {
    throw new MockError(`Cannot spy on ${String(property)}: it is not a method`);
  }
  if ("calls" in original && "restored" in original) {
    throw new MockError(`Cannot spy on ${String(property)}: it is a spy already`);
  }
  const own = Object.getOwnPropertyDescriptor(self, property);
  const method = original as (this: Self, ...args: Args) => Return;
  const stub = recording<Self, Args, Return>(method, fake ?? method, () => {
    if (own === undefined) delete self[property];
    else Object.defineProperty(self, property, own);
  });
  Object.defineProperty(self, property, { ...own, configurable: true, value: stub });
  return stub;
};

/** Makes a spy that does nothing. */
export function spy<Args extends unknown[] = unknown[]>(): Spy<unknown, Args, undefined>;
/** Wraps a function. */
export function spy<Self, Args extends unknown[], Return>(
  func: (this: Self, ...args: Args) => Return,
): Spy<Self, Args, Return>;
/** Puts a spy in place of a method, which still runs. */
export function spy<Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
): MethodSpy<Self, GetParametersFromProp<Self, Prop>, GetReturnFromProp<Self, Prop>>;
export function spy(target?: unknown, property?: PropertyKey): Spy {
  if (property !== undefined) return replaceMethod(target, property as never);
  const func = (target ?? (() => undefined)) as (...args: unknown[]) => unknown;
  return recording<unknown, unknown[], unknown>(func, func, () => {
    throw new MockError("Cannot restore a function: it stands alone");
  });
}

/** Puts something else in place of a method; nothing, where `func` is left out. */
export const stub = <Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
  func?: (
    this: Self,
    ...args: GetParametersFromProp<Self, Prop>
  ) => GetReturnFromProp<Self, Prop>,
): Stub<Self, GetParametersFromProp<Self, Prop>, GetReturnFromProp<Self, Prop>> =>
  replaceMethod(self, property, func ?? (() => undefined as GetReturnFromProp<Self, Prop>));

const fail = (message: string): never => {
  throw new AssertionError({ message });
};

/** Asserts how often a spy was called. */
export const assertSpyCalls = <Self, Args extends unknown[], Return>(
  { calls }: Pick<Spy<Self, Args, Return>, "calls">,
  expectedCalls: number,
): void => {
  if (calls.length === expectedCalls) return;
  const what = calls.length < expectedCalls ? "not called as much as" : "called more than";
  fail(`Spy ${what} expected: ${calls.length} calls, expected ${expectedCalls}`);
};

/** What a call should have been; what is left out is not looked at. */
export interface ExpectedSpyCall<
  Self = unknown,
  Args extends unknown[] = unknown[],
  Return = unknown,
> {
  args?: [...Args, ...unknown[]];
  self?: Self;
  returned?: Return;
  error?: { Class?: new (...args: never[]) => Error; msgIncludes?: string };
}

/** Asserts what one call of a spy was. */
export const assertSpyCall = <Self, Args extends unknown[], Return>(
  { calls }: Pick<Spy<Self, Args, Return>, "calls">,
  callIndex: number,
  expected: ExpectedSpyCall<Self, Args, Return> = {},
): void => {
  const made = calls[callIndex] ??
    fail(`Spy was called ${calls.length} times, not ${callIndex + 1}`);
  if (expected.args !== undefined) deepStrictEqual(made.args, expected.args);
  if ("self" in expected) deepStrictEqual(made.self, expected.self);
  if ("returned" in expected) {
    if (made.error !== undefined) fail("Spy call threw an error, expected a value");
    deepStrictEqual(made.returned, expected.returned);
  }
  if (expected.error !== undefined) {
    const { Class = Error, msgIncludes = "" } = expected.error;
    if (!(made.error instanceof Class)) fail(`Spy call threw no ${Class.name}`);
    if (!made.error?.message.includes(msgIncludes)) fail(`Spy call's error lacks "${msgIncludes}"`);
  }
};
