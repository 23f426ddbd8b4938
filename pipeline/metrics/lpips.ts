/**
 * LPIPS (Zhang et al. 2018), a learnt distance of two pictures; the paper does not report it, its
 * successors do. It is there where its weights are given.
 *
 * @module
 */
import {
  createLpips,
  type Lpips,
  type LpipsTrunk,
  lpipsTrunkOf,
  lpipsTrunks,
} from "../../models/metric_networks/lpips.ts";
import { weightsRefusal } from "../../models/perceptual/weight_file.ts";
import { convertTensors } from "../../models/weights/convert.ts";
import { readWeights } from "../../models/weights/read.ts";
import type { Backend, HasBackend } from "../core/env.ts";
import type { HostTensors } from "../core/elements.ts";
import type { Err } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, type TaskEither, TE } from "../core/fp.ts";
import type { Image } from "../core/image.ts";
import { arraysOf, batchOf } from "./batch.ts";
import { requireSameSize } from "./pixels.ts";

/** A learnt distance of pictures. */
export interface PerceptualDistance {
  /** What it is called in texts: distances of two trunks are two metrics. */
  readonly name: string;
  /** The least side of pictures, in pixels. */
  readonly leastSide: number;
  /**
   * Distances of pictures pair by pair, all of one size; 0 for equal ones. Throws where the two
   * lists differ in length, or their pictures in size.
   */
  readonly distances: (
    made: readonly Image[],
    real: readonly Image[],
  ) => TaskEither<Err<"Backend" | "DeviceLost">, readonly number[]>;
  /** Gives its tensors back. */
  readonly dispose: () => void;
}

/** The SHA-256 of the published weights of layers, version 0.1. */
const publishedSums: Readonly<Record<LpipsTrunk, string>> = {
  alexnet: "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
  vgg16: "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
};

/** Only the sum tells the version: files of version 0.0 hold the same shapes. */
const nameOf = (trunk: LpipsTrunk, sums: string): string =>
  sums.split(",").includes(publishedSums[trunk])
    ? `LPIPS 0.1 (${lpipsTrunks[trunk].title})`
    : `LPIPS (${lpipsTrunks[trunk].title}, not known to be the published weights)`;

const negative = (tensors: HostTensors): string | undefined =>
  Object.entries(tensors).find(([name, { data }]) =>
    name.endsWith("/weights") && Array.from(data).some((value) => value < 0)
  )?.[0];

/** So many pairs at a time: at 256 pixels a batch of 4 takes about 100 MB with AlexNet. */
const batch = 4;

const distancesOf =
  (backend: Backend, network: Lpips): PerceptualDistance["distances"] => (made, real) =>
  async () => {
    if (made.length !== real.length) {
      throw new RangeError(
        `Cannot compute LPIPS: there are ${made.length} pictures and ${real.length}, expected pairs`,
      );
    }
    made.forEach((image, i) => requireSameSize("LPIPS", image, real[i] ?? image));
    const found: number[] = [];
    for (let i = 0; i < made.length; i += batch) {
      const distances = await backend.run(
        "LPIPS",
        () =>
          network.distances(batchOf(made.slice(i, i + batch)), batchOf(real.slice(i, i + batch))),
      )();
      if (E.isLeft(distances)) return distances;
      const read = await backend.read("LPIPS", () => distances.right.data<"float32">())();
      backend.dispose(distances.right);
      if (E.isLeft(read)) return read;
      found.push(...read.right);
    }
    return E.right(found);
  };

/**
 * Loads LPIPS from a file: safetensors of `weights convert`, or a whole network that the `lpips`
 * package saved. Its trunk is told by the file. `BadFile` where it is another network, or has
 * weights of layers below 0.
 */
export const lpipsDistance = (
  path: string,
): ReaderTaskEither<
  HasBackend,
  Err<"BadFile" | "Backend" | "DeviceLost">,
  PerceptualDistance
> =>
({ backend }) =>
  F.pipe(
    readWeights(path),
    TE.flatMapEither((file) =>
      F.pipe(
        convertTensors(file, { as: "lpips" }),
        E.flatMap(({ tensors, metadata }) => {
          const odd = negative(tensors);
          return odd === undefined
            ? E.right({ tensors, sums: metadata["sourceSha256"] ?? file.sha256 })
            : E.left(`${odd} has numbers below 0, expected a distance`);
        }),
        E.mapLeft((problem) => weightsRefusal(path, problem)),
      )
    ),
    TE.flatMap(({ tensors, sums }) => {
      const trunk = lpipsTrunkOf(Object.keys(tensors));
      return F.pipe(
        backend.run("loading of LPIPS", () => createLpips(arraysOf(tensors))),
        TE.map((network): PerceptualDistance => ({
          name: nameOf(trunk, sums),
          leastSide: lpipsTrunks[trunk].leastSide,
          distances: distancesOf(backend, network),
          dispose: () => backend.dispose(network.weights),
        })),
      );
    }),
  );
