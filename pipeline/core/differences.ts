/**
 * Where two configurations differ, for people.
 *
 * @module
 */

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** A place where two values differ: its path, and both values. */
export interface Difference {
  readonly path: string;
  readonly left: unknown;
  readonly right: unknown;
}

/** All places where two JSON-like values differ, in the order of their keys; lists by position. */
export const differences = (left: unknown, right: unknown, path = ""): readonly Difference[] => {
  if (Object.is(left, right)) return [];
  if (!isRecord(left) || !isRecord(right) || Array.isArray(left) !== Array.isArray(right)) {
    return [{ path, left, right }];
  }
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
    differences(left[key], right[key], path === "" ? key : `${path}.${key}`)
  );
};

/** Says a difference: "steps is 100, now 200". */
export const renderDifference = ({ path, left, right }: Difference): string =>
  `${path} is ${JSON.stringify(left) ?? "not there"}, now ${JSON.stringify(right) ?? "not there"}`;
