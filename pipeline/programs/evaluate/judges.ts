/**
 * The networks that judge pictures: a face detector, a face recogniser for CSIM and, where its
 * weights are there, Inception for FID (section 4.1).
 *
 * @module
 */
import { createFaceAnalyzer, type FaceAnalyzer } from "../../../backends/face.ts";
import type { Env } from "../../core/env.ts";
import type { PipelineError } from "../../core/errors.ts";
import { F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import { type FeatureExtractor, inceptionFeatures } from "../../metrics/fid.ts";
import {
  arcFaceIdentity,
  faceApiIdentity,
  type IdentityNetwork,
  mobileFaceIdentity,
} from "../../metrics/identity.ts";

/** Who judges. */
export interface Judges {
  /** Finds faces and landmarks. */
  readonly faces: FaceAnalyzer;
  /** Compares identities: CSIM. */
  readonly identity: IdentityNetwork;
  /** Features of whole pictures, where their distance is wanted. */
  readonly inception?: FeatureExtractor;
  /** Frees them all. */
  readonly close: () => Promise<void>;
}

/** Which networks judge. */
export interface JudgeChoice {
  /** The recogniser; face-api, which npm brings, by default. */
  readonly identity?: {
    /** Which network. */
    readonly name: "mobileface" | "arcface";
    /** Its weights. */
    readonly path: string;
  };
  /** Weights of Inception. */
  readonly inception?: string;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

const openIdentity = (
  { identity }: JudgeChoice,
  faces: FaceAnalyzer,
): Program<IdentityNetwork> => {
  if (!identity) return RTE.right(faceApiIdentity(faces));
  return identity.name === "arcface"
    ? arcFaceIdentity(identity.path)
    : mobileFaceIdentity(identity.path);
};

const openInception = ({ inception }: JudgeChoice): Program<FeatureExtractor | undefined> =>
  inception === undefined ? RTE.right(undefined) : inceptionFeatures(inception);

/** Loads the judges; `BadFile` where a file holds another network. The caller closes them. */
export const openJudges = (choice: JudgeChoice): Program<Judges> =>
  F.pipe(
    RTE.fromTaskEither<PipelineError, FaceAnalyzer, Env>(createFaceAnalyzer()),
    RTE.flatMap((faces): Program<Judges> =>
      F.pipe(
        openIdentity(choice, faces),
        RTE.flatMap((identity) =>
          F.pipe(
            openInception(choice),
            RTE.map((inception): Judges => ({
              faces,
              identity,
              ...(inception && { inception }),
              close: () => {
                identity.dispose();
                inception?.dispose();
                return faces.close();
              },
            })),
            RTE.tapError(() => RTE.fromIO(identity.dispose)),
          )
        ),
        RTE.tapError(() => RTE.fromTask(faces.close)),
      )
    ),
  );
