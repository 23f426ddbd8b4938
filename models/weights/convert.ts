/**
 * Tensors of a published network, whatever their dialect, turned into ours; every shape is checked,
 * and what is missing or foreign is named.
 *
 * @module
 */
import type { HostTensor, HostTensors } from "../../pipeline/core/elements.ts";
import { E } from "../../pipeline/core/fp.ts";
import type { NetworkName, OwnTensor, Preprocessing, PublishedNetwork } from "./architecture.ts";
import { type Candidate, problemOf, recognise, wholeRules } from "./recognise.ts";

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
