/**
 * Tells which published network some tensors are, checks every shape, names what is missing or
 * foreign, and turns them into ours.
 *
 * @module
 */
import type { HostTensor, HostTensors } from "../../pipeline/core/elements.ts";
import { E } from "../../pipeline/core/fp.ts";
import type {
  Dialect,
  NetworkName,
  OwnTensor,
  Part,
  Preprocessing,
  PublishedNetwork,
} from "./architecture.ts";
import { publishedNetworks } from "./published.ts";

/** What the user knows of a file that does not say it itself. */
export interface ConvertOptions {
  /** Which network it is. */
  readonly as?: NetworkName;
  /** How its pictures are prepared, for PyTorch's VGGs. */
  readonly preprocessing?: Preprocessing;
}

/** Tensors of ours with what is known of them. */
export interface Converted {
  readonly network: PublishedNetwork;
  /** In which dialect the file was. */
  readonly dialect: string;
  readonly tensors: HostTensors;
  /** Texts for the file that is written. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What stands in the file and is not used (classifiers, optimisers), by name. */
  readonly unused: readonly string[];
  /** What people should know of it. */
  readonly notes: readonly string[];
}

/** The network in one dialect, under a prefix of names, laid beside a file. */
interface Candidate {
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
const wholeRules = ({ network, dialect, prefix, missing }: Candidate): E.Either<string, number> => {
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

const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }; // red first

/** First filters for 0 to 1, red first, normalised → for 0 to 255, blue first. // [k, k, 3, out] */
const fromImageNet = ({ shape, data }: HostTensor): HostTensor => {
  const out = shape[3] ?? 1;
  return {
    dtype: "F32",
    shape,
    data: Float32Array.from(data, (_, i) => {
      const channel = Math.floor(i / out) % 3, other = 2 - channel;
      const value = data[i + (other - channel) * out] ?? 0;
      return value / (255 * (IMAGENET.deviation[other] ?? 1));
    }),
  };
};

const imageNetMeans = IMAGENET.mean.map((mean) => Number((255 * mean).toFixed(3))).reverse().join();

/** Files that say by their sum how their pictures are prepared: the first digits of the SHA-256. */
const knownPreprocessing: readonly (readonly [sha256: string, preprocessing: Preprocessing])[] = [
  ["dcbb9e9d", "imagenet"], // torchvision's VGG19
  ["d01eb7cb", "caffe"], // Caffe's VGG19 as a .pth
];

const prepare = (
  { dialect, network }: Candidate,
  own: readonly OwnTensor[],
  sha256: string,
  given: Preprocessing | undefined,
): E.Either<string, Pick<Converted, "tensors" | "notes"> & { metadata: Converted["metadata"] }> => {
  const metadata = dialect.metadata ?? {};
  const tensors: HostTensors = Object.fromEntries(own);
  const known = knownPreprocessing.find(([sum]) => sha256.startsWith(sum))?.[1];
  const preprocessing = dialect.ambiguous ? known ?? given : "caffe";
  if (preprocessing === undefined) {
    return E.left(
      "its names do not tell whether it wants pictures as Caffe or as torchvision prepares them, " +
        "expected --preprocessing caffe or --preprocessing imagenet",
    );
  }
  const first = tensors["conv1_1/kernel"];
  if (preprocessing === "caffe" || !first) return E.right({ tensors, metadata, notes: [] });
  return E.right({
    tensors: { ...tensors, "conv1_1/kernel": fromImageNet(first) },
    metadata: { ...metadata, means: imageNetMeans },
    notes: [
      `${network.title} of torchvision: its activations are smaller than those of Caffe's, for ` +
      "which the paper's loss weights are meant",
    ],
  });
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
const recognise = (
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
const problemOf = (
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

const allFinite = (data: HostTensor["data"]): boolean => {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
};

/**
 * Converts named tensors of a file with that SHA-256 into the tensors of a network of ours. The
 * problem in words where they are of no network that is known, or not whole.
 */
export const convertTensors = (
  { tensors, metadata, sha256 }: {
    readonly tensors: HostTensors;
    readonly metadata: Readonly<Record<string, string>>;
    readonly sha256: string;
  },
  { as, preprocessing }: ConvertOptions = {},
): E.Either<string, Converted> => {
  const plain: HostTensors = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name.replace(/:0$/, ""), tensor]),
  );
  const recognised = recognise(plain, metadata, as);
  if (E.isLeft(recognised)) return recognised;
  const best = recognised.right, { network, dialect, prefix } = best;
  const problem = problemOf(best, plain, metadata, as);
  if (problem !== undefined) return E.left(problem);
  const whole = wholeRules(best);
  if (E.isLeft(whole)) return whole;
  const rules = dialect.rules.slice(0, whole.right);
  const own = rules.flatMap(({ parts, make }) =>
    make(parts.flatMap(({ name, shape }) => {
      const tensor = plain[prefix + name];
      return tensor ? [{ ...tensor, shape }] : [];
    }))
  );
  const broken = own.find(([, { data }]) => !allFinite(data));
  if (broken) return E.left(`${broken[0]} is not finite, expected numbers`);
  const prepared = prepare(best, own, sha256, preprocessing);
  if (E.isLeft(prepared)) return prepared;
  const used = new Set(rules.flatMap(({ parts }) => parts.map(({ name }) => prefix + name)));
  const last = own.at(-1)?.[0].replace(/\/[^/]*$/, "");
  return E.right({
    network,
    dialect: dialect.name,
    tensors: prepared.right.tensors,
    // A file of ours keeps what it says of itself.
    metadata: { ...prepared.right.metadata, ...metadata, network: network.name },
    unused: Object.keys(plain).filter((name) => !used.has(name)),
    notes: [
      ...prepared.right.notes,
      ...(whole.right < dialect.rules.length
        ? [`Only the layers up to ${last} are there: deeper taps cannot be used`]
        : []),
    ],
  });
};
