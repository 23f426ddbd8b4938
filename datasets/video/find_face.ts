/**
 * The face of one picture. What a detector says is checked twice: the landmark network must settle
 * on it, and a close upright look must confirm it.
 *
 * @module
 */
import { E, F, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import type { Image, Landmarks } from "../../pipeline/core/image.ts";
import type { DetectedFace, DetectOptions, FaceAnalyzer } from "../../backends/face.ts";
import { faceCentre, faceSide } from "../crop.ts";
import { fromUprightView, plausible, squareAround, uprightView } from "./turned.ts";

/** The detectors in the order in which they are tried; the first is quick, the last careful. */
export const LADDER: readonly DetectOptions[] = [
  { detector: "tiny", inputSize: 224, scoreThreshold: 0.3 },
  { detector: "tiny", inputSize: 416, scoreThreshold: 0.3 },
  { detector: "ssd", scoreThreshold: 0.5 },
];

/** The part around a face that the landmark network likes: measured, it makes passes contract. */
const MARGIN = 1.25;
const LANDMARK_VIEW = 112;
/** The part around a face in which it is looked for again, and its pixels. */
const SEARCH = 2;
const SEARCH_VIEW = 160;

/** Movement between two passes over one frame that shows a face stays below this. */
const DRIFT = 0.15;

/** How far two landmark sets are apart in place and size, in face sides. */
export const movement = (from: Landmarks, to: Landmarks): number => {
  const [x0, y0] = faceCentre(from), [x1, y1] = faceCentre(to);
  const side = faceSide(from);
  return Math.max(Math.hypot(x1 - x0, y1 - y0) / side, Math.abs(Math.log(faceSide(to) / side)));
};

/** Two passes of the network agree; on a face they do, on anything else they drift. */
export const settled = (first: Landmarks, second: Landmarks | undefined): second is Landmarks =>
  second !== undefined && movement(first, second) < DRIFT;

/** Landmarks again, from an upright view around the last ones; `undefined` where they degrade. */
export const refine = (
  analyzer: FaceAnalyzer,
  image: Image,
  landmarks: Landmarks,
): TE.TaskEither<Err<"Backend">, Landmarks | undefined> => {
  if (!plausible(landmarks)) return TE.right(undefined);
  const square = squareAround(landmarks, MARGIN);
  const view = uprightView(image, square, LANDMARK_VIEW);
  return F.pipe(
    analyzer.landmarks(view, { x: 0, y: 0, width: LANDMARK_VIEW, height: LANDMARK_VIEW }),
    TE.map((found) => fromUprightView(found, square, LANDMARK_VIEW)),
    TE.map((found) => plausible(found) ? found : undefined),
  );
};

/** What a picture shows. */
export interface FoundFace {
  readonly landmarks: Landmarks;
  /** Confidence that it is a human face, 0.5 to 1. */
  readonly score: number;
  /** Another face is there with more than half of its area. */
  readonly rival: boolean;
}

/**
 * What the quick detector must say of the upright close view before a face is believed. Measured:
 * people and painted portraits 0.54 to 1, a dog that the careful detector takes for a face at
 * 0.93 gets 0.40, a cat nothing.
 */
const SURE = 0.5;

/** What the quick detector sees close around a face: nearly always that face, best first. */
const closeFaces = (
  analyzer: FaceAnalyzer,
  image: Image,
  landmarks: Landmarks,
): TE.TaskEither<Err<"Backend">, readonly Pick<DetectedFace, "score" | "landmarks">[]> => {
  const square = squareAround(landmarks, SEARCH);
  return F.pipe(
    analyzer.detect(uprightView(image, square, SEARCH_VIEW), { inputSize: SEARCH_VIEW, limit: 2 }),
    TE.map((faces) =>
      faces.map((face) => ({
        score: face.score,
        landmarks: fromUprightView(face.landmarks, square, SEARCH_VIEW),
      }))
    ),
  );
};

/**
 * Looks for a face where it is thought to be, upright and close: quick, and tilt is no harm.
 * `undefined` where none is there, or only one that is further away than `within` face sides.
 */
export const lookClose = (
  analyzer: FaceAnalyzer,
  image: Image,
  from: Landmarks,
  within: number,
): TE.TaskEither<Err<"Backend">, Landmarks | undefined> =>
  F.pipe(
    closeFaces(analyzer, image, from),
    TE.flatMap((faces) => {
      const found = faces.find(({ landmarks }) => movement(from, landmarks) < within)?.landmarks;
      return found === undefined ? TE.right(undefined) : F.pipe(
        refine(analyzer, image, found),
        TE.map((refined) => settled(found, refined) ? refined : undefined),
      );
    }),
  );

/**
 * What two close looks make of a face that a detector reports: where exactly it is and how sure
 * that is; `undefined` where it is none.
 */
export const confirmFace = (
  analyzer: FaceAnalyzer,
  image: Image,
  reported: Landmarks,
): TE.TaskEither<Err<"Backend">, Pick<FoundFace, "landmarks" | "score"> | undefined> =>
  F.pipe(
    refine(analyzer, image, reported),
    TE.flatMap((landmarks) =>
      !settled(reported, landmarks) ? TE.right(undefined) : F.pipe(
        closeFaces(analyzer, image, landmarks),
        TE.map(([close]) =>
          close && close.score >= SURE ? { landmarks, score: close.score } : undefined
        ),
      )
    ),
  );

const area = ({ box }: DetectedFace): number => box.width * box.height;

const choose = (
  faces: readonly DetectedFace[],
  near: Landmarks | undefined,
): { readonly face: DetectedFace; readonly rival: boolean } | undefined => {
  const ranked = faces.toSorted((a, b) =>
    near === undefined
      ? area(b) - area(a)
      : movement(near, a.landmarks) - movement(near, b.landmarks)
  );
  const [face, ...others] = ranked;
  return face === undefined
    ? undefined
    : { face, rival: others.some((other) => area(other) > area(face) / 2) };
};

/**
 * Finds the face of a picture: the one nearest to `near`, else the largest; `undefined` where no
 * detector finds one that a close look confirms. `careful` false stops after the quick detector.
 * Error: `Backend`.
 */
export const findFace = (
  analyzer: FaceAnalyzer,
  image: Image,
  { near, careful = true }: { readonly near?: Landmarks; readonly careful?: boolean } = {},
): TE.TaskEither<Err<"Backend">, FoundFace | undefined> =>
async () => {
  for (const options of careful ? LADDER : LADDER.slice(0, 1)) {
    const faces = await analyzer.detect(image, options)();
    if (E.isLeft(faces)) return faces;
    const chosen = choose(faces.right, near);
    if (chosen === undefined) continue;
    const confirmed = await confirmFace(analyzer, image, chosen.face.landmarks)();
    if (E.isLeft(confirmed)) return confirmed;
    if (confirmed.right === undefined) continue; // no face after all
    return E.right({ ...confirmed.right, rival: chosen.rival });
  }
  return E.right(undefined);
};
