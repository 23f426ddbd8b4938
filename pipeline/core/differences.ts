/**
 * Where two configurations differ, for people.
 *
 * @module
 */

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const own = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;

/** A place where two values differ: its path, and both values. */
export interface Difference {
  /** Its keys, joined by dots. */
  readonly path: string;
  /** The first value, `undefined` where there is none. */
  readonly left: unknown;
  /** The second value, `undefined` where there is none. */
  readonly right: unknown;
}

/** All places where two JSON-like values differ, in the order of their keys; lists by position. */
export const differences = (left: unknown, right: unknown, path = ""): readonly Difference[] => {
  if (Object.is(left, right)) return [];
  if (!isRecord(left) || !isRecord(right) || Array.isArray(left) !== Array.isArray(right)) {
    return [{ path, left, right }];
  }
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
    differences(own(left, key), own(right, key), path === "" ? key : `${path}.${key}`)
  );
};

/** Says a difference: "steps is 100, now 200". */
export const renderDifference = ({ path, left, right }: Difference): string =>
  `${path} is ${JSON.stringify(left) ?? "not there"}, now ${JSON.stringify(right) ?? "not there"}`;
