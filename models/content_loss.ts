/**
 * L_CNT (section 3.2): L1 between activations of the real and the synthesised frame in frozen
 * networks. A list of networks, so that presets and users choose; pixels are one of them.
 *
 * @module
 */
import { meanAbsoluteDifference } from "../backends/ops.ts";
import { type Tensor, tf } from "../backends/tf.ts";
import type { HasBackend } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { E, type ReaderTaskEither } from "../pipeline/core/fp.ts";
import { type Owned, owned } from "../pipeline/core/owned.ts";
import { sumOf } from "./losses.ts";
import {
  type FeatureNetwork,
  type NetworkKind,
  type PerceptualNetworkName,
  perceptualNetworks,
  type VggPooling,
} from "./perceptual.ts";

/** One term: weight · Σ over the taps of mean |real − fake|. */
export interface ContentEntry {
  /** The frozen network, or the pixels themselves. */
  readonly network: PerceptualNetworkName;
  /** Where the weights are, for networks whose weights the user brings. */
  readonly path?: string;
  /** Which activations are compared; none for pixels. */
  readonly taps: readonly string[];
  /** What the sum over the taps is multiplied by. */
  readonly weight: number;
  /** How a VGG shrinks its activations: "max" as it was trained (default), or "average". */
  readonly pooling?: VggPooling;
}

/** A loaded network with the weight of its term. */
export interface ContentNetwork {
  /** The name of the term: the network's, numbered from the second one of a kind. */
  readonly name: string;
  /** What its term is multiplied by. */
  readonly weight: number;
  /** The network; its weights belong to the list. */
  readonly network: FeatureNetwork;
}

/** The networks of a content loss, in the order of the configuration. */
export type ContentNetworks = readonly ContentNetwork[];

/** Weighted terms by name, each a scalar; their sum is the content loss. */
export type ContentTerms = Readonly<Record<string, Tensor>>;

const problemsOf = ({ network, path, taps, pooling }: ContentEntry): readonly string[] => {
  const kind: NetworkKind = perceptualNetworks[network];
  const cannot = `Cannot use content network ${network}`;
  const unknown = taps.filter((tap) => !kind.taps.includes(tap));
  return [
    ...(kind.needsPath && path === undefined
      ? [
        `${cannot}: its weights are not given, expected --content ${network}=PATH` +
        (kind.get === undefined ? "" : `; get them with: ${kind.get}`),
      ]
      : []),
    ...(!kind.needsPath && path !== undefined
      ? [`${cannot}: it has a path, expected none for a network that comes along`]
      : []),
    ...(unknown.length > 0
      ? [
        `${cannot}: it has no tap ${unknown.join(", ")}, expected ${
          kind.taps.join(", ") || "none"
        }`,
      ]
      : []),
    ...(kind.taps.length > 0 && taps.length === 0
      ? [`${cannot}: no tap is given, expected some of ${kind.taps.join(", ")}`]
      : []),
    ...(pooling !== undefined && !kind.pools
      ? [`${cannot}: it has pooling "${pooling}", expected none for a network that is no VGG`]
      : []),
    ...(new Set(taps).size < taps.length ? [`${cannot}: a tap is given twice, expected once`] : []),
  ];
};

/** Everything that is wrong with the entries of a content loss, each a sentence. */
export const contentProblems = (entries: readonly ContentEntry[]): readonly string[] =>
  entries.flatMap(problemsOf);

const nameOf = (entries: readonly ContentEntry[], at: number): string => {
  const { network } = entries[at] ?? { network: "none" };
  const before = entries.slice(0, at).filter((entry) => entry.network === network).length;
  return before === 0 ? network : `${network}${before + 1}`;
};

/**
 * Loads the networks of a content loss; the caller owns their tensors. Fails with `Config` where an
 * entry is wrong (every problem at once), with `BadFile` where weights are missing or are not those
 * of the network.
 */
export const loadContentNetworks = (
  entries: readonly ContentEntry[],
): ReaderTaskEither<
  HasBackend,
  Err<"Config" | "BadFile" | "Backend" | "DeviceLost">,
  Owned<ContentNetworks>
> =>
({ backend }) =>
async () => {
  const problems = contentProblems(entries);
  if (problems.length > 0) return E.left({ _tag: "Config", problems });
  const loaded: ContentNetwork[] = [];
  for (const [i, { network, path, taps, weight, pooling }] of entries.entries()) {
    const kind: NetworkKind = perceptualNetworks[network];
    const made = await kind.load(path ?? "", taps, pooling)({ backend })();
    if (E.isLeft(made)) {
      backend.dispose(loaded.map((other) => other.network.weights));
      return made;
    }
    loaded.push({ name: nameOf(entries, i), weight, network: made.right });
  }
  return E.right(owned<ContentNetworks>(loaded, (networks) => {
    backend.dispose(networks.map((other) => other.network.weights));
  }));
};

/** Activations of real images in every network of a content loss, one list a network. */
export type ContentTargets = readonly (readonly Tensor[])[];

/**
 * Runs real images [B, H, W, 3] in [-1, 1] through the networks, once for as many comparisons as
 * one likes. Call it inside `backend.run` and outside the function that is differentiated: the
 * real side then has no tape.
 */
export const contentTargets = (networks: ContentNetworks, real: Tensor): ContentTargets =>
  networks.map(({ network }) => tf.tidy(() => [...network.activations(real)]));

/**
 * The loss terms of fakes beside real images whose activations are known. Only the fake gets a
 * gradient, never the weights.
 */
export const compareContent =
  (networks: ContentNetworks, targets: ContentTargets) => (fake: Tensor): ContentTerms =>
    Object.fromEntries(networks.map(({ name, weight, network }, i) => {
      const taps = network.activations(fake).map((activation, j) => {
        const target = targets[i]?.[j];
        if (!target) throw new Error(`Cannot compare ${name}: the real side has no tap ${j}`);
        return meanAbsoluteDifference(activation, target);
      });
      return [name, tf.mul(sumOf(taps), weight)];
    }));

/** {@link contentTargets}, then {@link compareContent}: for images that are compared once. */
export const prepareContent = (
  networks: ContentNetworks,
  real: Tensor,
): (fake: Tensor) => ContentTerms => compareContent(networks, contentTargets(networks, real));

/** The content loss: the sum of its weighted terms, 0 where there are none. // [] */
export const contentLoss = (terms: ContentTerms): Tensor => {
  const scalars = Object.values(terms);
  return scalars.length === 0 ? tf.scalar(0) : sumOf(scalars);
};
