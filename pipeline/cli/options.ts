/**
 * Command-line options: their names, help and how they become a tree of settings. Parsing is
 * @std/cli's; what is unknown is answered with the nearest real name.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Err } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import { nearest } from "../core/words.ts";

/** One option of a command. */
export interface Option {
  readonly name: string;
  /** What stands for its value in the help; an option without one is a switch. */
  readonly value?: string;
  /** What it is; ends with what is taken where it is not given: "(8)", "(required)", "(none)". */
  readonly help: string;
  /** May be given several times. */
  readonly repeatable?: boolean;
  /** Becomes a number in the settings. */
  readonly numeric?: boolean;
  /**
   * A word without a name is its value: `verify DIR`; all such words where it is repeatable, so
   * that `--images a.jpg b.jpg` names two.
   */
  readonly positional?: boolean;
}

/** Parsed options by name: text, `true` for switches, lists for repeatable ones. */
export type Parsed = Readonly<Record<string, string | true | readonly string[]>>;

const bad = (...problems: string[]): E.Either<Err<"Config">, never> =>
  E.left({ _tag: "Config", problems });

/** `--steps -5` as `--steps=-5`: a negative number is a value, not an option. */
const joinNegatives = (args: readonly string[]): string[] =>
  args.reduce<string[]>((joined, argument) => {
    const last = joined.at(-1);
    const isValue = /^-\.?\d/.test(argument) && last?.startsWith("--") && !last.includes("=");
    return isValue ? [...joined.slice(0, -1), `${last}=${argument}`] : [...joined, argument];
  }, []);

/** Parses arguments; every unknown option, stray word and missing value is a problem. */
export const parseOptions = (
  command: string,
  options: readonly Option[],
  args: readonly string[],
): E.Either<Err<"Config">, Parsed> => {
  const problems: string[] = [];
  const names = options.map(({ name }) => name);
  const place = options.find(({ positional }) => positional);
  const words: string[] = [];
  const parsed = parseArgs(joinNegatives(args), {
    string: options.filter(({ value }) => value).map(({ name }) => name),
    boolean: options.filter(({ value }) => !value).map(({ name }) => name),
    collect: options.filter(({ repeatable }) => repeatable).map(({ name }) => name),
    unknown: (argument, key) => {
      if (key === undefined) {
        words.push(argument);
        if (place !== undefined && (place.repeatable || words.length === 1)) return false;
        problems.push(`Cannot run ${command}: "${argument}" is no option, expected --name value`);
        return false;
      }
      const meant = nearest(key, names);
      problems.push(
        `Cannot run ${command}: --${key} is no option, expected ` +
          (meant ? `--${meant}` : `one of those that --help lists`),
      );
      return false;
    },
  });
  const found: Record<string, string | true | readonly string[]> = {};
  for (const { name, value, repeatable } of options) {
    const named: unknown = parsed[name], [word] = words;
    const isPlace = name === place?.name && word !== undefined;
    const given = !isPlace
      ? named
      : repeatable
      ? [...(Array.isArray(named) ? named : []), ...words]
      : named === undefined
      ? word
      : [word, named];
    if (given === undefined || given === false) continue;
    if (Array.isArray(given) && given.length === 0) continue;
    if (value && (given === "" || (Array.isArray(given) && given.includes("")))) {
      problems.push(`Cannot run ${command}: --${name} has no value, expected ${value}`);
    } else if (!repeatable && Array.isArray(given)) {
      problems.push(`Cannot run ${command}: --${name} is given twice, expected once`);
    } else if (given === true || typeof given === "string") found[name] = given;
    else if (Array.isArray(given)) found[name] = given.map(String);
  }
  return problems.length > 0 ? bad(...problems) : E.right(found);
};

/** The value of a numeric option as a number where it is one, else as it is, for the decoder. */
export const numberOr = (text: string): unknown => {
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
};

/** The help text of a command. */
export const helpText = (
  usage: string,
  about: string,
  options: readonly Option[],
  example: string,
): string => {
  const left = options.map(({ name, value, positional }) =>
    positional ? `  ${value ?? name}` : `  --${name}${value ? ` ${value}` : ""}`
  );
  const width = Math.max(...left.map(({ length }) => length)) + 2;
  const lines = options.map(({ help }, i) => `${(left[i] ?? "").padEnd(width)}${help}`);
  return [usage, "", about, "", "Options:", ...lines, "", "Example:", `  ${example}`, ""].join(
    "\n",
  );
};
