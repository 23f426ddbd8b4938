/**
 * The real `parseArgs`, with types of our own that infer the options' types the same way for flat
 * names (names with dots are not inferred).
 *
 * @module
 */
import { parseArgs as untyped } from "npm:deno-std@1.4.0/cli/parse_args.js";

/** The options of {@link parseArgs}. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends Readonly<Record<string, unknown>> = Readonly<Record<string, unknown>>,
> {
  /** Put what follows `--` into `["--"]` instead of `_`. */
  "--"?: boolean;
  /** Other names: `{ help: "h" }`. */
  alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Names that are true or false; `true` for all without `=`. */
  boolean?: boolean | B | readonly B[];
  /** Values of names that are not given. */
  default?: D;
  /** Put everything after the first non-option into `_`. */
  stopEarly?: boolean;
  /** Names whose values stay text. */
  string?: S | readonly S[];
  /** Names that may be given several times: always a list. */
  collect?: C | readonly C[];
  /** Names that may be negated: `--no-NAME`. */
  negatable?: N | readonly N[];
  /** Hears of every name that is not listed; returning `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@link parseArgs} gives: `_` holds the arguments that are no options. */
export type Args<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  D extends Readonly<Record<string, unknown>> = Record<never, unknown>,
> =
  & Record<string, unknown>
  & { _: (string | number)[]; "--"?: string[] }
  & { [K in Exclude<B, C | keyof D>]: boolean }
  & { [K in Exclude<S, C | keyof D>]?: string }
  & { [K in C]: (K extends S ? string : K extends B ? boolean : unknown)[] }
  & {
    [K in Exclude<keyof D & string, C>]:
      | D[K]
      | (K extends S ? string : K extends B ? boolean : unknown);
  };

/** Parses command-line arguments: `--name value`, `--name=value`, `-n value`, `--flag`. */
export const parseArgs = <
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const N extends string = never,
  D extends Readonly<Record<string, unknown>> = Record<never, unknown>,
>(
  args: string[],
  options: ParseOptions<B, S, C, N, D> = {},
): Args<B, S, C, D> => untyped(args, options);
