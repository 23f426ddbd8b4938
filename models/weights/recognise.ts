/**
 * Tells which published network some tensors are, in which dialect, and what is missing, foreign or
 * of another shape.
 *
 * @module
 */
import type { HostTensors } from "../../pipeline/core/elements.ts";
import { E } from "../../pipeline/core/fp.ts";
import type { Dialect, NetworkName, Part, PublishedNetwork } from "./architecture.ts";
import { publishedNetworks } from "./published.ts";

/** The network in one dialect, under a prefix of names, laid beside a file. */
export interface Candidate {
  readonly network: PublishedNetwork;
  readonly dialect: Dialect;
  readonly prefix: string;
  readonly missing: readonly string[];
  readonly misshapen: readonly string[];
  readonly foreign: readonly string[];
  readonly score: number;
}

const list = (names: readonly string[]): string =>
  names.length > 3
    ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`
    : names.join(", ");

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((side, i) => side === b[i]);

/** Caffe before 2014 tells four sides of everything: [1, 1, 1, 64] is [64]. */
const fits = (found: readonly number[], expected: readonly number[]): boolean => {
  const spare = found.length - expected.length;
  return spare >= 0 && found.slice(0, spare).every((side) => side === 1) &&
    same(found.slice(spare), expected);
};

const prefixesOf = (first: string, names: readonly string[]): readonly string[] =>
  names.filter((name) => name.endsWith(first))
    .map((name) => name.slice(0, -first.length))
    .filter((prefix) => prefix === "" || /[./]$/.test(prefix));

const lay = (
  network: PublishedNetwork,
  dialect: Dialect,
  prefix: string,
  tensors: HostTensors,
): Candidate => {
  const missing: string[] = [], misshapen: string[] = [], known = new Set<string>();
  let fitting = 0;
  for (const { name, shape } of dialect.rules.flatMap(({ parts }) => parts)) {
    const tensor = tensors[prefix + name];
    known.add(prefix + name);
    if (!tensor) missing.push(prefix + name);
    else if (fits(tensor.shape, shape)) fitting++;
    else misshapen.push(`${prefix}${name} is [${tensor.shape}], expected [${shape}]`);
  }
  const foreign = Object.keys(tensors).filter((name) =>
    name.startsWith(prefix) && !known.has(name) && !dialect.unused(name.slice(prefix.length))
  );
  const score = fitting - misshapen.length - foreign.length / 2 - missing.length / 10;
  return { network, dialect, prefix, missing, misshapen, foreign, score };
};

const candidates = (
  tensors: HostTensors,
  networks: readonly PublishedNetwork[],
): readonly Candidate[] => {
  const names = Object.keys(tensors);
  return networks.flatMap((network) =>
    network.dialects.flatMap((dialect) =>
      prefixesOf(dialect.rules[0]?.parts[0]?.name ?? "", names)
        .map((prefix) => lay(network, dialect, prefix, tensors))
    )
  ).sort((a, b) => b.score - a.score);
};

/** The layers up to the first one that is not whole; the problem where there are later ones. */
export const wholeRules = (
  { network, dialect, prefix, missing }: Candidate,
): E.Either<string, number> => {
  const lost = new Set(missing);
  const isWhole = (parts: readonly Part[]): boolean =>
    parts.every(({ name }) => !lost.has(prefix + name));
  const whole = dialect.rules.findIndex(({ parts }) => !isWhole(parts));
  if (whole < 0) return E.right(dialect.rules.length);
  const later = dialect.rules.slice(whole).some(({ parts }) => isWhole(parts));
  return network.partial && !later && whole > 0
    ? E.right(whole)
    : E.left(`it lacks ${list(missing)}, expected all of ${network.title}`);
};

const vggFaceDoubt = (
  { network, prefix, dialect }: Candidate,
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>>,
  as: NetworkName | undefined,
): boolean =>
  network.name === "vggface" && as !== "vggface" && metadata["network"] !== "vggface" &&
  !Object.keys(tensors).some((name) =>
    name.startsWith(prefix) && dialect.unused(name.slice(prefix.length))
  );

const shapesUnder = (tensors: HostTensors, prefix: string) => (name: string) =>
  // A classifier may stand beside the layers: state_dict.features.0, state_dict.classifier.6.
  (tensors[prefix + name] ?? tensors[prefix.replace(/[^./]+[./]$/, "") + name])?.shape;

/** The best candidate, or in words why there is none. */
export const recognise = (
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>>,
  as: NetworkName | undefined,
): E.Either<string, Candidate> => {
  const known = as ?? publishedNetworks.find(({ name }) => name === metadata["network"])?.name;
  const networks = publishedNetworks.filter(({ name }) => known === undefined || name === known);
  const [best, ...others] = candidates(tensors, networks);
  const titles = networks.map(({ title }) => title).join(", ");
  if (!best || best.score <= 0) {
    const names = Object.keys(tensors);
    return E.left(
      `it holds ${names.length} tensors (${list(names)}), expected those of ${titles}` +
        (best?.misshapen[0] ? `; ${best.misshapen[0]}` : ""),
    );
  }
  const rival = others.find(({ network, score }) =>
    network !== best.network && score === best.score
  );
  return rival
    ? E.left(
      `it may be ${best.network.title} or ${rival.network.title}, expected ` +
        `--as ${best.network.name} or --as ${rival.network.name}`,
    )
    : E.right(best);
};

/** Why the best candidate will not do, in words. */
export const problemOf = (
  best: Candidate,
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>>,
  as: NetworkName | undefined,
): string | undefined => {
  const { network, misshapen, foreign, prefix } = best;
  const imposter = network.imposter?.(shapesUnder(tensors, prefix));
  if (imposter !== undefined) return imposter;
  if (misshapen.length > 0) {
    const more = misshapen.length > 1 ? ` (and ${misshapen.length - 1} more)` : "";
    return `${misshapen[0]} for ${network.title}${more}`;
  }
  if (foreign.length > 0) {
    return `it holds ${list(foreign)}, expected only layers of ${network.title}`;
  }
  return vggFaceDoubt(best, tensors, metadata, as)
    ? "it has no classifier, so that it may be VGG16 trained on ImageNet, expected --as vggface"
    : undefined;
};
