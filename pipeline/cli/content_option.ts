/**
 * `--content NAME=PATH`: gives a network of the content loss its weights.
 *
 * @module
 */
import { perceptualNetworks } from "../../models/perceptual.ts";
import type { ContentEntry } from "../../models/content_loss.ts";
import type { Err } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import type { Overrides, RunConfig } from "../programs/run_config.ts";
import { nearest } from "../core/words.ts";
import type { Parsed } from "./options.ts";

const bad = (problem: string): E.Either<Err<"Config">, never> =>
  E.left({ _tag: "Config", problems: [`Cannot use --content: ${problem}`] });

/** Puts the paths into the entries of a content loss for these networks. */
export const contentEntries = (
  given: Parsed[string] | undefined,
  entries: readonly ContentEntry[],
): E.Either<Err<"Config">, readonly ContentEntry[]> => {
  const pairs = Array.isArray(given) ? given.map(String) : [];
  let content = entries;
  for (const pair of pairs) {
    const at = pair.indexOf("="), name = pair.slice(0, at), path = pair.slice(at + 1);
    if (at < 1 || path === "") return bad(`"${pair}" is no pair, expected NAME=PATH`);
    if (!content.some(({ network }) => network === name)) {
      const known = Object.keys(perceptualNetworks);
      const meant = nearest(name, known);
      return bad(
        `the configuration has no network "${name}" (it has ` +
          `${content.map(({ network }) => network).join(", ")})` +
          (meant && meant !== name ? `, did you mean ${meant}?` : "") +
          ", expected one of its own; a --config file says which taps and weight a new one has",
      );
    }
    content = content.map((entry) => entry.network === name ? { ...entry, path } : entry);
  }
  return E.right(content);
};

/** Puts the paths into the entries that the configuration has for these networks. */
export const contentOverride = (
  given: Parsed[string] | undefined,
  config: E.Either<Err<"Config">, RunConfig>,
): E.Either<Err<"Config">, Overrides> => {
  // A configuration that is wrong anyway is reported as a whole by its decoder.
  if (!Array.isArray(given) || given.length === 0 || E.isLeft(config)) return E.right({});
  return E.map((content: readonly ContentEntry[]): Overrides => ({ training: { content } }))(
    contentEntries(given, config.right.training.content),
  );
};
