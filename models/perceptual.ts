/**
 * The frozen networks that the content loss knows by name, and how each is loaded.
 *
 * @module
 */
import type { HasBackend } from "../pipeline/core/env.ts";
import type { Err } from "../pipeline/core/errors.ts";
import { type ReaderTaskEither, RTE } from "../pipeline/core/fp.ts";
import { faceResCost, faceResTaps, loadFaceRes } from "./perceptual/faceres.ts";
import type { FeatureNetwork, NetworkCost } from "./perceptual/network.ts";
import {
  vgg19,
  type VggArchitecture,
  vggCost,
  vggFace,
  type VggPooling,
  vggTaps,
} from "./perceptual/vgg.ts";
import { loadVgg } from "./perceptual/vgg_file.ts";

export type { VggPooling } from "./perceptual/vgg.ts";
export type { FeatureNetwork } from "./perceptual/network.ts";

/** What is known of a network before it is loaded. */
export interface NetworkKind {
  /** Activations that can be tapped; none where the network has no choice (pixels). */
  readonly taps: readonly string[];
  /** Whether its weights are a file of the user; otherwise an npm package has them, or none. */
  readonly needsPath: boolean;
  /** Whether it can pool by averages instead of by maxima. */
  readonly pools?: true;
  /** The commands that get the weights, where they are a file of the user. */
  readonly get?: string;
  /** What it takes for one picture of so many pixels a side. */
  readonly cost: (taps: readonly string[], size: number) => NetworkCost;
  /** Loads what the taps need; `path` means nothing to networks that need none. */
  readonly load: (
    path: string,
    taps: readonly string[],
    pooling?: VggPooling,
  ) => ReaderTaskEither<HasBackend, Err<"BadFile" | "Backend" | "DeviceLost">, FeatureNetwork>;
}

const vgg = (architecture: VggArchitecture, get: string): NetworkKind => ({
  taps: vggTaps(architecture),
  needsPath: true,
  get,
  pools: true,
  cost: (taps, size) => vggCost(architecture, taps, size),
  load: (path, taps, pooling) => loadVgg(architecture, path, taps, pooling),
});

/** The name of a network of the content loss. */
export type PerceptualNetworkName = "pixels" | "faceres" | "vgg19" | "vggface";

/** The networks by name; "pixels" compares the pictures themselves. */
export const perceptualNetworks = {
  pixels: {
    taps: [],
    needsPath: false,
    cost: () => ({ weights: 0, activations: 0, tapped: 0 }),
    load: () => RTE.of({ weights: {}, activations: (images) => [images] }),
  },
  faceres: {
    taps: faceResTaps,
    needsPath: false,
    cost: faceResCost,
    load: (_, taps) => loadFaceRes(taps),
  },
  vgg19: vgg(
    vgg19,
    "deno task weights fetch vgg19, then --content vgg19=.cache/weights/vgg19.safetensors",
  ),
  vggface: vgg(
    vggFace,
    "deno task weights convert VGG_FACE.caffemodel .cache/weights/vggface.safetensors, then " +
      "--content vggface=.cache/weights/vggface.safetensors",
  ),
} as const satisfies Readonly<Record<PerceptualNetworkName, NetworkKind>>;

/** All names, for configurations. */
export const perceptualNetworkNames = [
  "pixels",
  "faceres",
  "vgg19",
  "vggface",
] as const satisfies readonly PerceptualNetworkName[];
