/**
 * Face recognisers for CSIM (section 4). None of them may be in the loss: a generator that was
 * trained to please a recogniser pleases it, whoever the person is.
 *
 * @module
 */
import type { FaceAnalyzer } from "../../backends/face.ts";
import { tf } from "../../backends/tf.ts";
import type { ContentEntry } from "../../models/content_loss.ts";
import { createArcFace } from "../../models/metric_networks/arcface.ts";
import {
  createMobileFace,
  mobileFaceSize,
  type Recogniser,
} from "../../models/metric_networks/mobileface.ts";
import type { NetworkName } from "../../models/weights/architecture.ts";
import { weightsRefusal } from "../../models/perceptual/weight_file.ts";
import { convertTensors } from "../../models/weights/convert.ts";
import { readWeights } from "../../models/weights/read.ts";
import type { Backend, HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, type TaskEither, TE } from "../core/fp.ts";
import type { Image, Landmarks } from "../core/image.ts";
import { faceTemplate112, fitSimilarity, fivePoints, warp } from "./align.ts";
import { arraysOf } from "./batch.ts";

/** A recogniser that tells how alike two faces are; its descriptors are compared by `csim`. */
export interface IdentityNetwork {
  /** The name of the network, for tables: CSIM of two networks are two metrics. */
  readonly name: string;
  /**
   * The descriptor of the face in a picture. `landmarks` are those of the **real** frame, for the
   * real picture and for the synthesised one: a face in the wrong place is not forgiven.
   */
  readonly describe: (
    image: Image,
    landmarks: Landmarks,
  ) => TaskEither<Err<"Backend" | "DeviceLost">, Float32Array>;
  /** Gives its tensors back; the analyzer of face-api stays open. */
  readonly dispose: () => void;
}

/** face-api's descriptor of 128 values: npm brings it, so that CSIM works in a clean clone. */
export const faceApiIdentity = (faces: FaceAnalyzer): IdentityNetwork => ({
  name: "face-api",
  describe: faces.descriptor,
  dispose: () => {},
});

const describeWith = (backend: Backend, { descriptors }: Recogniser) =>
(
  image: Image,
  landmarks: Landmarks,
): TaskEither<Err<"Backend" | "DeviceLost">, Float32Array> => {
  const similarity = fitSimilarity(fivePoints(landmarks), faceTemplate112);
  if (!similarity) {
    return TE.left({
      _tag: "Backend",
      op: "descriptor",
      message: "the landmarks span no face, expected eyes above a mouth",
    });
  }
  const size = mobileFaceSize, { data } = warp(image, similarity, size);
  return F.pipe(
    backend.run("descriptor", () => {
      const values = Float32Array.from(data, (value) => value / 127.5 - 1);
      return descriptors(tf.tensor(values, [1, size, size, 3])).reshape([-1]);
    }),
    TE.flatMap((made) =>
      F.pipe(
        backend.read("descriptor", () => made.data<"float32">()),
        TE.map((values) => {
          backend.dispose(made);
          return values;
        }),
      )
    ),
  );
};

const loadRecogniser = (
  name: NetworkName,
  create: typeof createMobileFace,
  path: string,
): ReaderTaskEither<
  HasBackend,
  Err<"BadFile" | "Backend" | "DeviceLost">,
  IdentityNetwork
> =>
({ backend }) =>
  F.pipe(
    readWeights(path),
    TE.flatMapEither((file) =>
      E.mapLeft((problem: string) => weightsRefusal(path, problem))(
        convertTensors(file, { as: name }),
      )
    ),
    TE.flatMap(({ tensors }) => backend.run(`loading of ${name}`, () => create(arraysOf(tensors)))),
    TE.map((network): IdentityNetwork => ({
      name,
      describe: describeWith(backend, network),
      dispose: () => backend.dispose(network.weights),
    })),
  );

/**
 * MobileFace with the weights of a file (safetensors of `weights convert`, or the published
 * TensorFlow.js manifest): 256 values, unrelated people near 0. `BadFile` where it is another file.
 */
export const mobileFaceIdentity = (
  path: string,
): ReaderTaskEither<
  HasBackend,
  Err<"BadFile" | "Backend" | "DeviceLost">,
  IdentityNetwork
> => loadRecogniser("mobileface", createMobileFace, path);

/**
 * ArcFace, the paper's recogniser, with the weights of a file (safetensors of `weights convert`, or
 * a `backbone.pth` of insightface): 512 values. `BadFile` where it is another file.
 */
export const arcFaceIdentity = (
  path: string,
): ReaderTaskEither<
  HasBackend,
  Err<"BadFile" | "Backend" | "DeviceLost">,
  IdentityNetwork
> => loadRecogniser("arcface", createArcFace, path);

/** Why this recogniser cannot judge a model that was trained with this content loss; none where it can. */
export const identityProblems = (
  name: string,
  content: readonly ContentEntry[],
): readonly string[] =>
  content.some(({ network }) => network === name)
    ? [
      `Cannot compute CSIM with ${name}: the model was trained to please it (it is in the content ` +
      "loss), expected a recogniser that is not in the loss",
    ]
    : [];
