/**
 * Features of Inception for the Fréchet Inception distance (section 4: FID), which is the
 * `frechetDistance` of those of real and of synthesised pictures.
 *
 * @module
 */
import { createInception } from "../../models/metric_networks/inception.ts";
import { weightsRefusal } from "../../models/perceptual/weight_file.ts";
import { convertTensors } from "../../models/weights/convert.ts";
import { readWeights } from "../../models/weights/read.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, type TaskEither, TE } from "../core/fp.ts";
import type { Image } from "../core/image.ts";
import { arraysOf, batchOf } from "./batch.ts";

/** A network whose features a distance between distributions is measured in. */
export interface FeatureExtractor {
  /** What the distance is called: "FID" only with the published weights of FID. */
  readonly metric: string;
  /** Features of pictures of one size. // [pictures, 2048] */
  readonly features: (
    images: readonly Image[],
  ) => TaskEither<Err<"Backend" | "DeviceLost">, readonly Float32Array[]>;
  /** Gives its tensors back. */
  readonly dispose: () => void;
}

/** The first digits of the SHA-256 of the published file (pt_inception-2015-12-05). */
const publishedSum = "6726825d";

/**
 * Loads Inception from a file (safetensors of `weights convert`, or the published .pth). The
 * distance in its features is called FID where the file is the published one, and after the network
 * otherwise. `BadFile` where it is another network.
 */
export const inceptionFeatures = (
  path: string,
): ReaderTaskEither<
  HasBackend,
  Err<"BadFile" | "Backend" | "DeviceLost">,
  FeatureExtractor
> =>
({ backend }) =>
  F.pipe(
    readWeights(path),
    TE.flatMapEither((file) =>
      E.bimap(
        (problem: string) => weightsRefusal(path, problem),
        (
          { tensors, metadata }: { tensors: typeof file.tensors; metadata: typeof file.metadata },
        ) => ({
          tensors,
          sum: metadata["sourceSha256"] ?? file.sha256,
        }),
      )(convertTensors(file, { as: "inception" }))
    ),
    TE.flatMap(({ tensors, sum }) =>
      F.pipe(
        backend.run("loading of Inception", () => createInception(arraysOf(tensors))),
        TE.map((network): FeatureExtractor => ({
          metric: sum.startsWith(publishedSum) ? "FID" : "Fréchet distance (Inception v3)",
          features: (images) => async () => {
            const found: Float32Array[] = [];
            for (let i = 0; i < images.length; i += 8) { // a batch of 8 takes about 250 MB
              const made = await backend.run(
                "Inception",
                () => network.features(batchOf(images.slice(i, i + 8))),
              )();
              if (E.isLeft(made)) return made;
              const read = await backend.read("Inception", () => made.right.data<"float32">())();
              backend.dispose(made.right);
              if (E.isLeft(read)) return read;
              for (let at = 0; at < read.right.length; at += 2048) {
                found.push(read.right.slice(at, at + 2048));
              }
            }
            return E.right(found);
          },
          dispose: () => backend.dispose(network.weights),
        })),
      )
    ),
  );
