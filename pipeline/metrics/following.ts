/**
 * How closely a picture follows the landmarks that it was drawn from: its face is found and looked
 * at in the way in which the landmarks of photos are.
 *
 * @module
 */
import type { FaceAnalyzer } from "../../backends/face.ts";
import { refine, settled } from "../../datasets/video/find_face.ts";
import type { Err } from "../core/errors.ts";
import { E, TE } from "../core/fp.ts";
import type { Image, Landmarks } from "../core/image.ts";
import { landmarkError } from "./landmarks.ts";

/** The landmark error of a frame in which no face is found, in eye distances. */
export const undetectedError = 1;

/** There is one face in each picture, and small synthesised ones score low: the best is taken. */
const leastScore = 0.1;

/**
 * The sides in pixels at which the detector looks at a crop, in turn. A face fills half of its
 * crop, and the detector knows small faces best: of 120 real crops of 15 people it finds all at
 * 160, 112 at 224, 81 at 416. A painted face is softer than a photo: of those that it misses at
 * both first sizes it is sure at the last two.
 */
const lookedAt = [160, 224, 128, 96] as const;

/** Who finds the landmarks, for records of what was measured how. */
export const landmarkJudge = `face-api tiny at ${lookedAt.join(", ")}, landmarks looked at twice`;

/**
 * The landmarks of the face that a crop shows, from a second, closer look; `undefined` where none
 * is found, or only something on which the two looks do not agree. `Backend` where the networks
 * fail. // [68, 2] in pixels of the crop
 */
export const findCropped = (
  faces: FaceAnalyzer,
  crop: Image,
): TE.TaskEither<Err<"Backend">, Landmarks | undefined> =>
async () => {
  for (const inputSize of lookedAt) {
    const detected = await faces.detect(crop, { inputSize, scoreThreshold: leastScore })();
    if (E.isLeft(detected)) return detected;
    const [face] = detected.right;
    if (!face) continue;
    const refined = await refine(faces, crop, face.landmarks)();
    if (E.isLeft(refined)) return refined;
    if (settled(face.landmarks, refined.right)) return refined;
  }
  return E.right(undefined);
};

/** How a picture follows landmarks. */
export interface Following {
  /** In eye distances, at most {@link undetectedError}; that where no face is found. */
  readonly landmarkError: number;
  /** 1 where no face was found, else 0. */
  readonly undetected: number;
}

/** How closely the face of a crop follows landmarks. `Backend` where the face networks fail. */
export const measureFollowing = (
  faces: FaceAnalyzer,
  crop: Image,
  landmarks: Landmarks,
): TE.TaskEither<Err<"Backend">, Following> =>
  TE.map((found: Landmarks | undefined): Following =>
    found
      ? {
        landmarkError: Math.min(undetectedError, landmarkError(landmarks, found)),
        undetected: 0,
      }
      : { landmarkError: undetectedError, undetected: 1 }
  )(findCropped(faces, crop));
