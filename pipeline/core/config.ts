/**
 * Decoding of configurations: every problem at once, each with its path, what is there and what
 * was expected. A codec's name is what it expects, in words.
 *
 * @example
 * ```ts
 * import { E } from "./fp.ts";
 * import { decodeConfig, positiveInteger, strict } from "./config.ts";
 *
 * const decode = decodeConfig(strict({ steps: positiveInteger, batch: positiveInteger }));
 * const decoded = decode({ steps: -5, bacth: 4 });
 * if (E.isRight(decoded)) throw new Error("unexpected");
 * // Cannot use config: bacth is not a key, expected batch
 * // Cannot use config: steps is -5, expected a positive integer
 * // Cannot use config: batch is missing, expected a positive integer
 * if (decoded.left.problems.length !== 3) throw new Error(decoded.left.problems.join("\n"));
 * ```
 *
 * @module
 */
import { E, type Either, t } from "./fp.ts";
import type { Err } from "./errors.ts";
import { nearest } from "./words.ts";

/** A codec whose encoded form is its decoded form. */
export type Codec<A> = t.Type<A, A, unknown>;

/** A codec of the values that pass a test; the name says what they are: "a positive integer". */
export const refined = <A>(name: string, is: (value: unknown) => value is A): Codec<A> =>
  new t.Type(
    name,
    is,
    (value, context) => is(value) ? t.success(value) : t.failure(value, context),
    (value) => value,
  );

const numbers = (name: string, test: (value: number) => boolean): Codec<number> =>
  refined(
    name,
    (value): value is number => typeof value === "number" && Number.isFinite(value) && test(value),
  );

/** 1, 2, 3, … */
export const positiveInteger: Codec<number> = numbers(
  "a positive integer",
  (value) => Number.isSafeInteger(value) && value > 0,
);
/** 0, 1, 2, … */
export const nonNegativeInteger: Codec<number> = numbers(
  "an integer of at least 0",
  (value) => Number.isSafeInteger(value) && value >= 0,
);
/** Finite and at least 0: a loss weight. */
export const nonNegativeNumber: Codec<number> = numbers(
  "a number of at least 0",
  (value) => value >= 0,
);
/** Finite and above 0. */
export const positiveNumber: Codec<number> = numbers("a positive number", (value) => value > 0);
/** In (0, 1]: a learning rate. */
export const rate: Codec<number> = numbers(
  "a number above 0 and at most 1",
  (value) => value > 0 && value <= 1,
);
/** In [0, 1]: a share, a decay, an Adam coefficient. */
export const fraction: Codec<number> = numbers(
  "a number from 0 to 1",
  (value) => value >= 0 && value <= 1,
);
/** `true` or `false`. */
export const flag: Codec<boolean> = refined(
  "true or false",
  (value): value is boolean => typeof value === "boolean",
);
/** Text that is not empty. */
export const text: Codec<string> = refined(
  "a text that is not empty",
  (value): value is string => typeof value === "string" && value.length > 0,
);
/** The path of a file or folder; whether it exists is for its reader to say. */
export const path: Codec<string> = refined(
  "a path",
  (value): value is string =>
    typeof value === "string" && value.length > 0 && value.length <= 4096 && !value.includes("\0"),
);

/** One of a closed set of words; a slip is answered with the nearest one. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(
  words: Words,
): Codec<Words[number]> => {
  const is = (value: unknown): value is Words[number] =>
    typeof value === "string" && words.includes(value);
  const name = words.length === 1 ? words[0] : `one of ${words.join(", ")}`;
  return new t.Type(
    name,
    is,
    (value, context) => {
      if (is(value)) return t.success(value);
      const meant = typeof value === "string" ? nearest(value, words) : undefined;
      return meant === undefined
        ? t.failure(value, context)
        : t.failure(value, context, `${shown(value)}, expected ${name} (did you mean ${meant}?)`);
    },
    (value) => value,
  );
};

/** A list of at least `least` elements. */
export const listOf = <A>(codec: Codec<A>, least = 0): Codec<readonly A[]> => {
  const is = (value: unknown): value is readonly A[] =>
    Array.isArray(value) && value.length >= least && value.every(codec.is);
  const name = least === 0 ? "a list" : `a list of at least ${least}`;
  return new t.Type(
    name,
    is,
    (value, context) => {
      if (!Array.isArray(value) || value.length < least) return t.failure(value, context);
      const made = value.map((item: unknown, i) =>
        codec.validate(item, t.appendContext(context, `[${i}]`, codec, item))
      );
      const errors = made.flatMap((item) => E.isLeft(item) ? item.left : []);
      return errors.length > 0
        ? t.failures(errors)
        : t.success(made.flatMap((item) => E.isRight(item) ? [item.right] : []));
    },
    (value) => value,
  );
};

type Codecs = Readonly<Record<string, t.Mixed>>;
type Decoded<Required extends Codecs, Optional extends Codecs> =
  & { readonly [K in keyof Required]: t.TypeOf<Required[K]> }
  & { readonly [K in keyof Optional]?: t.TypeOf<Optional[K]> };

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A record of exactly these keys: all of `required`, any of `optional`, nothing else. An unknown
 * key is a problem that names the nearest real one.
 */
export const strict = <Required extends Codecs, Optional extends Codecs = Record<never, t.Mixed>>(
  required: Required,
  optional?: Optional,
): Codec<Decoded<Required, Optional>> => {
  const known: ReadonlyMap<string, t.Mixed> = new Map([
    ...Object.entries(required),
    ...Object.entries(optional ?? {}),
  ]);
  const present = (value: Readonly<Record<string, unknown>>, key: string) =>
    Object.hasOwn(value, key) ? value[key] : undefined;
  const is = (value: unknown): value is Decoded<Required, Optional> =>
    isRecord(value) && Object.keys(value).every((key) => known.has(key)) &&
    [...known].every(([key, codec]) =>
      (!Object.hasOwn(required, key) && present(value, key) === undefined) ||
      codec.is(present(value, key))
    );
  return new t.Type(
    "an object",
    is,
    (value, context) => {
      if (!isRecord(value)) return t.failure(value, context);
      const errors: t.ValidationError[] = [];
      for (const key of Object.keys(value)) {
        if (known.has(key)) continue;
        const meant = nearest(key, known.keys());
        errors.push({
          value: value[key],
          context: t.appendContext(context, key, t.never),
          message: `not a key, expected ${meant ?? `one of ${[...known.keys()].join(", ")}`}`,
        });
      }
      const entries: [string, unknown][] = [];
      for (const [key, codec] of known) {
        const item = present(value, key);
        if (item === undefined && !Object.hasOwn(required, key)) continue;
        const made = codec.validate(item, t.appendContext(context, key, codec, item));
        if (E.isLeft(made)) errors.push(...made.left);
        else entries.push([key, made.right]);
      }
      // Built key by key from the codecs of `Decoded`: the compiler cannot see it.
      return errors.length > 0
        ? t.failures(errors)
        : t.success(Object.fromEntries(entries) as Decoded<Required, Optional>);
    },
    (value) => value,
  );
};

/** More letters of a value or a key are not shown. */
const SHOWN = 60;

/**
 * The beginning of a value as JSON, made no further than it is shown: JSON.stringify would make all
 * of a large one, and throws on one that is nested deeply.
 */
const beginning = (value: unknown, room: number): string => {
  if (typeof value === "string") return JSON.stringify(value.slice(0, room));
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? String(value);
  const isList = Array.isArray(value);
  let text = isList ? "[" : "{";
  for (const [key, item] of isList ? value.entries() : Object.entries(value)) {
    if (text.length > room) break;
    if (text.length > 1) text += ",";
    if (!isList) text += `${JSON.stringify(String(key).slice(0, room))}:`;
    text += beginning(item, room - text.length);
  }
  return text + (isList ? "]" : "}");
};

const shortened = (text: string): string =>
  text.length > SHOWN ? `${text.slice(0, SHOWN - 3)}…` : text;

const shown = (value: unknown): string =>
  value === undefined ? "missing" : shortened(beginning(value, SHOWN));

const problem = (what: string, error: t.ValidationError): string => {
  const keys = error.context.slice(1).map(({ key }) => key);
  const where = keys.length === 0
    ? what
    : keys.map(shortened).reduce((all, key) => key.startsWith("[") ? all + key : `${all}.${key}`);
  const expected = error.context.at(-1)?.type.name ?? "something else";
  const said = error.message ?? `${shown(error.value)}, expected ${expected}`;
  return `Cannot use ${what}: ${where} is ${said}`;
};

/**
 * Decodes a value; on failure every problem is listed, one sentence each: "Cannot use config:
 * steps is -5, expected a positive integer". `what` names the value: "config", a file.
 */
export const decodeConfig =
  <A>(codec: Codec<A>, what = "config"): (value: unknown) => Either<Err<"Config">, A> =>
  (
    value,
  ) => {
    const decoded = codec.decode(value);
    return E.isRight(decoded) ? decoded : E.left({
      _tag: "Config",
      problems: [...new Set(decoded.left.map((error) => problem(what, error)))],
    });
  };
