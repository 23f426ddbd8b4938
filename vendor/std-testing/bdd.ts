/**
 * `describe` and `it` over `Deno.test`: an outermost suite is one test, what is inside are its
 * steps. Hooks share their `this` with the tests of their suite.
 *
 * @module
 */

type Body<T> = (this: T, t: Deno.TestContext) => void | Promise<void>;
type Hook<T> = (this: T) => void | Promise<void>;
type HookName = "beforeAll" | "afterAll" | "beforeEach" | "afterEach";
type Options = Omit<Deno.TestDefinition, "fn" | "name">;

/** A test case given as one object. */
export interface ItDefinition<T> extends Options {
  name: string;
  fn: Body<T>;
}
/** A suite given as one object. */
export interface DescribeDefinition<T> extends Options {
  name: string;
  fn?: () => void;
  beforeAll?: Hook<T>;
  afterAll?: Hook<T>;
  beforeEach?: Hook<T>;
  afterEach?: Hook<T>;
}
/** The forms in which a test case can be given. */
export type ItArgs<T> =
  | [options: ItDefinition<T>]
  | [name: string, fn: Body<T>]
  | [fn: Body<T>]
  | [name: string, options: Options, fn: Body<T>];
/** The forms in which a suite can be given. */
export type DescribeArgs<T> =
  | [options: DescribeDefinition<T>]
  | [name: string, fn: () => void]
  | [fn: () => void]
  | [name: string, options: Omit<DescribeDefinition<T>, "name" | "fn">, fn: () => void];

type Context = Record<string, unknown>;
type Case = {
  readonly kind: "case";
  readonly options: Options & { name: string; fn: Body<Context> };
};
type Suite = {
  readonly kind: "suite";
  readonly options: Options & { name: string };
  readonly hooks: Record<HookName, Hook<Context>[]>;
  readonly steps: (Case | Suite)[];
};

let current: Suite | undefined;

const newSuite = (options: Options & { name: string }): Suite => ({
  kind: "suite",
  options,
  hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] },
  steps: [],
});

const hasOnly = (step: Case | Suite): boolean =>
  step.options.only === true || (step.kind === "suite" && step.steps.some(hasOnly));

const call = async (hooks: readonly Hook<Context>[], context: Context): Promise<void> => {
  for (const hook of hooks) await hook.call(context);
};

// `around` are the suites from the outermost one inwards, whose per-test hooks apply.
const runCase = async (
  { options }: Case,
  around: readonly Suite[],
  context: Context,
  t: Deno.TestContext,
): Promise<void> => {
  const [outer, ...inner] = around;
  if (outer === undefined) return await options.fn.call(context, t);
  await call(outer.hooks.beforeEach, context);
  try {
    await runCase({ kind: "case", options }, inner, context, t);
  } finally {
    await call(outer.hooks.afterEach, context);
  }
};

const runSuite = async (
  suite: Suite,
  outside: readonly Suite[],
  context: Context,
  t: Deno.TestContext,
): Promise<void> => {
  const around = [...outside, suite];
  await call(suite.hooks.beforeAll, context);
  try {
    const only = suite.steps.some(hasOnly);
    for (const step of suite.steps) {
      if (only && !hasOnly(step)) continue;
      const { name, ignore = false } = step.options;
      await t.step({
        name,
        ignore,
        fn: (inner) =>
          step.kind === "suite"
            ? runSuite(step, around, { ...context }, inner)
            : runCase(step, around, { ...context }, inner),
      });
    }
  } finally {
    await call(suite.hooks.afterAll, context);
  }
};

const register = (step: Case | Suite): void => {
  if (current !== undefined) {
    current.steps.push(step);
    return;
  }
  const fn = (t: Deno.TestContext): void | Promise<void> =>
    step.kind === "suite" ? runSuite(step, [], {}, t) : runCase(step, [], {}, t);
  Deno.test({ ...step.options, ...(hasOnly(step) ? { only: true } : {}), fn });
};

// A hook or a body names its own `this`; here it is the record that they share.
const eraseBody = <T>(fn: Body<T>) => fn as unknown as Body<Context>;
const eraseHook = <T>(fn: Hook<T>) => fn as unknown as Hook<Context>;

const addCase = <T>(args: ItArgs<T>, extra: Options): void => {
  const [first, second, third] = args;
  const given: ItDefinition<T> = typeof first === "object"
    ? first
    : typeof first === "function"
    ? { name: first.name, fn: first }
    : typeof second === "function"
    ? { name: first, fn: second }
    : { ...second, name: first, fn: third as Body<T> };
  register({
    kind: "case",
    options: { ...given, ...extra, fn: eraseBody(given.fn) },
  });
};

const addSuite = <T>(args: DescribeArgs<T>, extra: Options): void => {
  const [first, second, third] = args;
  const given: DescribeDefinition<T> = typeof first === "object"
    ? first
    : typeof first === "function"
    ? { name: first.name, fn: first }
    : typeof second === "function"
    ? { name: first, fn: second }
    : { ...second, name: first, fn: third as () => void };
  const { fn, beforeAll, afterAll, beforeEach, afterEach, ...options } = given;
  const suite = newSuite({ ...options, ...extra });
  for (const [name, hook] of Object.entries({ beforeAll, afterAll, beforeEach, afterEach })) {
    if (hook !== undefined) suite.hooks[name as HookName].push(eraseHook(hook));
  }
  const outer = current;
  current = suite;
  try {
    fn?.();
  } finally {
    current = outer;
  }
  register(suite);
};

/** Registers a test case; `it.only`, `it.skip` and `it.ignore` do what they say. */
export const it = Object.assign(<T>(...args: ItArgs<T>): void => addCase(args, {}), {
  only: <T>(...args: ItArgs<T>): void => addCase(args, { only: true }),
  skip: <T>(...args: ItArgs<T>): void => addCase(args, { ignore: true }),
  ignore: <T>(...args: ItArgs<T>): void => addCase(args, { ignore: true }),
});
/** The same as {@link it}. */
export const test = it;

/** Registers a suite; `describe.only`, `describe.skip` and `describe.ignore` do what they say. */
export const describe = Object.assign(<T>(...args: DescribeArgs<T>): void => addSuite(args, {}), {
  only: <T>(...args: DescribeArgs<T>): void => addSuite(args, { only: true }),
  skip: <T>(...args: DescribeArgs<T>): void => addSuite(args, { ignore: true }),
  ignore: <T>(...args: DescribeArgs<T>): void => addSuite(args, { ignore: true }),
});

const addHook = <T>(name: HookName, fn: Hook<T>): void => {
  if (current === undefined) {
    throw new Error(`Cannot add a ${name} hook: this stand-in has hooks inside describe only`);
  }
  current.hooks[name].push(eraseHook(fn));
};

/** Runs once before the tests of the suite. */
export const beforeAll = <T>(fn: Hook<T>): void => addHook("beforeAll", fn);
/** Runs once after the tests of the suite. */
export const afterAll = <T>(fn: Hook<T>): void => addHook("afterAll", fn);
/** Runs before every test of the suite. */
export const beforeEach = <T>(fn: Hook<T>): void => addHook("beforeEach", fn);
/** Runs after every test of the suite. */
export const afterEach = <T>(fn: Hook<T>): void => addHook("afterEach", fn);
/** The same as {@link beforeAll}. */
export const before = beforeAll;
/** The same as {@link afterAll}. */
export const after = afterAll;
