/**
 * Parsed options as a tree of settings for a decoder.
 *
 * @module
 */
import { type Codec, refined } from "../core/config.ts";
import { numberOr, type Option, type Parsed } from "./options.ts";

/** A switch that is on. */
export const yes: Codec<true> = refined("a switch", (value): value is true => value === true);

/** Parsed options with numbers as numbers. */
export const settingsOf = (all: readonly Option[], parsed: Parsed): unknown =>
  Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => {
      const numeric = all.find((option) => option.name === name)?.numeric === true;
      return [name, numeric && typeof value === "string" ? numberOr(value) : value];
    }),
  );
