/**
 * The networks that judge pictures: a face detector, a face recogniser for CSIM and, where their
 * weights are there, Inception for FID (section 4.1) and LPIPS.
 *
 * @module
 */
import { createFaceAnalyzer, type FaceAnalyzer } from "../../../backends/face.ts";
import type { Env } from "../../core/env.ts";
import type { Err, PipelineError } from "../../core/errors.ts";
import { E, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import { type FeatureExtractor, inceptionFeatures } from "../../metrics/fid.ts";
import {
  arcFaceIdentity,
  faceApiIdentity,
  type IdentityNetwork,
  mobileFaceIdentity,
} from "../../metrics/identity.ts";
import { lpipsDistance, type PerceptualDistance } from "../../metrics/lpips.ts";

/** Who judges. */
export interface Judges {
  /** Finds faces and landmarks. */
  readonly faces: FaceAnalyzer;
  /** Compares identities: CSIM. */
  readonly identity: IdentityNetwork;
  /** Features of whole pictures, where their distance is wanted. */
  readonly inception?: FeatureExtractor;
  /** The learnt distance of pictures, where it is wanted. */
  readonly lpips?: PerceptualDistance;
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
  /** Weights of LPIPS. */
  readonly lpips?: string;
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

/** Loads the judges; `BadFile` where a file holds another network. The caller closes them. */
export const openJudges = (choice: JudgeChoice): Program<Judges> => (env) => async () => {
  const faces = await createFaceAnalyzer()();
  if (E.isLeft(faces)) return faces;
  const opened: { readonly dispose: () => void }[] = [];
  const close = (): Promise<void> => {
    opened.forEach((judge) => judge.dispose());
    return faces.right.close();
  };
  /** Opens one more; where that fails, all before are closed. */
  const open = async <A extends { readonly dispose: () => void }>(
    judge: Program<A>,
  ): Promise<E.Either<PipelineError, A>> => {
    const found = await judge(env)();
    if (E.isRight(found)) opened.push(found.right);
    else await close();
    return found;
  };
  const identity = await open(openIdentity(choice, faces.right));
  if (E.isLeft(identity)) return identity;
  const inception = choice.inception === undefined
    ? E.right(undefined)
    : await open(inceptionFeatures(choice.inception));
  if (E.isLeft(inception)) return inception;
  const lpips = choice.lpips === undefined
    ? E.right(undefined)
    : await open(lpipsDistance(choice.lpips));
  if (E.isLeft(lpips)) return lpips;
  return E.right({
    ...{ faces: faces.right, identity: identity.right, close },
    ...(inception.right && { inception: inception.right }),
    ...(lpips.right && { lpips: lpips.right }),
  });
};

/** Who judges in another way than usual, in a sentence; nothing where nobody does. */
export const judgesText = ({ identity, inception, lpips }: Judges): string => {
  const told = [
    ...(identity.name === "face-api" ? [] : [`CSIM of ${identity.name}`]),
    ...(inception ? [inception.metric] : []),
    ...(lpips ? [lpips.name] : []),
  ];
  return told.length === 0 ? "" : ` Judged by ${told.join(", ")}.`;
};

/** Why the judges cannot look at pictures of that size; nothing where they can. */
export const judgesProblem = ({ lpips }: Judges, size: number): Err<"Config"> | undefined =>
  lpips && size < lpips.leastSide
    ? {
      _tag: "Config",
      problems: [
        `Cannot compute ${lpips.name}: the pictures are ${size}×${size}, expected at least ` +
        `${lpips.leastSide}×${lpips.leastSide}`,
      ],
    }
    : undefined;
