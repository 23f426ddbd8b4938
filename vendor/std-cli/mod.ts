/**
 * A stand-in for `@std/cli`, see the README one folder up. As there, what is unstable is not here.
 *
 * @module
 */
export * from "./parse_args.ts";
