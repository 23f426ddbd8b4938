/**
 * One face through a clip. Between detections the face is followed by its own landmarks, which is
 * twice as quick and steadier: the landmark network is given the upright square around the last
 * landmarks, and an error in that square shrinks to a third with each pass.
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
const LADDER: readonly DetectOptions[] = [
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

/** Movement between two frames, in face sides: below it one pass of the network is enough. */
const STILL = 0.04;
/** Movement or growth beyond which landmarks are not believed without a detection. */
const JUMP = 0.3;

/** Movement between two passes over one frame that shows a face stays below this. */
const DRIFT = 0.15;

/** How far two landmark sets are apart in place and size, in face sides. */
const movement = (from: Landmarks, to: Landmarks): number => {
  const [x0, y0] = faceCentre(from), [x1, y1] = faceCentre(to);
  const side = faceSide(from);
  return Math.max(Math.hypot(x1 - x0, y1 - y0) / side, Math.abs(Math.log(faceSide(to) / side)));
};

/** Two passes of the network agree; on a face they do, on anything else they drift. */
const settled = (first: Landmarks, second: Landmarks | undefined): second is Landmarks =>
  second !== undefined && movement(first, second) < DRIFT;

/** Landmarks again, from an upright view around the last ones; `undefined` where they degrade. */
const refine = (
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

/** What a picture shows: the face, and whether another one rivals it (over half its area). */
export interface FoundFace {
  readonly landmarks: Landmarks;
  /** Confidence that it is a human face, {@link SURE} to 1. */
  readonly score: number;
  readonly rival: boolean;
}

/**
 * What the quick detector must say of the upright close view before a face is believed. Measured:
 * people and painted portraits 0.54 to 1, a dog that the careful detector takes for a face at
 * 0.93 gets 0.40, a cat nothing.
 */
const SURE = 0.5;

/** The quick detector's opinion of the upright close view of a face. */
const closeScore = (
  analyzer: FaceAnalyzer,
  image: Image,
  landmarks: Landmarks,
): TE.TaskEither<Err<"Backend">, number> =>
  F.pipe(
    analyzer.detect(uprightView(image, squareAround(landmarks, SEARCH), SEARCH_VIEW), {
      inputSize: SEARCH_VIEW,
      limit: 1,
    }),
    TE.map(([best]) => best?.score ?? 0),
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
 * detector finds one that a close look confirms. `careful` false stops after the quick detector. Error: `Backend`.
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
    const refined = await refine(analyzer, image, chosen.face.landmarks)();
    if (E.isLeft(refined)) return refined;
    if (!settled(chosen.face.landmarks, refined.right)) continue; // no face after all
    const score = await closeScore(analyzer, image, refined.right)();
    if (E.isLeft(score)) return score;
    if (score.right < SURE) continue;
    return E.right({ landmarks: refined.right, score: score.right, rival: chosen.rival });
  }
  return E.right(undefined);
};

/** Follows one face; frames are given in order, one at a time. */
export interface FaceTracker {
  /** The landmarks in the next frame, in its pixels; `undefined` where the face is not seen. */
  readonly next: (image: Image) => TE.TaskEither<Err<"Backend">, Landmarks | undefined>;
  /** The tracks of all frames so far, less those that a later detection refuted; and counts. */
  readonly result: () => Tracks;
}

/** A face through a clip. */
export interface Tracks {
  /** One entry a frame, in its pixels. */
  readonly landmarks: readonly (Landmarks | undefined)[];
  /** Frames on which a detector was run. */
  readonly detections: number;
  /** Frames where the face jumped and another large face was there too. */
  readonly ambiguous: number;
}

/** After so many failures of all detectors only the quick one is tried on the rest of a clip. */
const PATIENCE = 6;

/**
 * Makes a tracker. A followed face is confirmed by a detection every `confirmEvery` frames (about
 * half a second of video is right: landmarks alone cannot tell a face from a wall); where neither
 * this frame nor the one before confirms it, the frames since the last confirmation do not count.
 */
export const makeFaceTracker = (analyzer: FaceAnalyzer, confirmEvery: number): FaceTracker => {
  const landmarks: (Landmarks | undefined)[] = [];
  let last: Landmarks | undefined;
  let place: Landmarks | undefined; // where the face was last seen, also after it is lost
  let before: Image | undefined;
  let unconfirmed = 0, failures = 0, detections = 0, ambiguous = 0;

  const follow = (image: Image, from: Landmarks) =>
    F.pipe(
      refine(analyzer, image, from),
      TE.flatMap((first) => {
        if (first === undefined || movement(from, first) > JUMP) return TE.right(undefined);
        return movement(from, first) < STILL ? TE.right(first) : refine(analyzer, image, first);
      }),
    );

  /** Looks for the face where it is thought to be, upright and close: quick, and tilt is no harm. */
  const confirm = (
    image: Image,
    from: Landmarks,
    within: number,
  ): TE.TaskEither<Err<"Backend">, Landmarks | undefined> => {
    const square = squareAround(from, SEARCH);
    const view = uprightView(image, square, SEARCH_VIEW);
    return F.pipe(
      analyzer.detect(view, { inputSize: SEARCH_VIEW, limit: 2 }),
      TE.map((faces) =>
        faces.map((face) => fromUprightView(face.landmarks, square, SEARCH_VIEW))
          .find((landmarks) => movement(from, landmarks) < within)
      ),
      TE.flatMap((found) =>
        found === undefined ? TE.right(undefined) : F.pipe(
          refine(analyzer, image, found),
          TE.map((refined) => settled(found, refined) ? refined : undefined),
        )
      ),
    );
  };

  /** The face is not where it was: was it still there in the frame before? If not, since when? */
  const review = (): TE.TaskEither<Err<"Backend">, void> =>
    before === undefined || last === undefined || unconfirmed === 0 ? TE.right(undefined) : F.pipe(
      confirm(before, last, JUMP),
      TE.map((confirmed) => {
        if (confirmed !== undefined) return;
        for (let i = landmarks.length - unconfirmed; i < landmarks.length; i++) {
          landmarks[i] = undefined;
        }
      }),
    );

  const search = (image: Image): TE.TaskEither<Err<"Backend">, Landmarks | undefined> =>
    F.pipe(
      review(),
      TE.flatMap(() =>
        findFace(analyzer, image, {
          careful: failures < PATIENCE,
          ...(place === undefined ? {} : { near: place }),
        })
      ),
      TE.map((found) => {
        if (found === undefined) {
          failures++;
          return undefined;
        }
        const jumped = place !== undefined && movement(place, found.landmarks) > 2 * JUMP;
        if (found.rival && jumped) {
          ambiguous++;
          return undefined;
        }
        return found.landmarks;
      }),
    );

  const detect = (image: Image) =>
    F.pipe(
      TE.fromIO(() => detections++),
      TE.flatMap(() =>
        place === undefined
          ? TE.right(undefined)
          : confirm(image, place, last === undefined ? 2 * JUMP : JUMP)
      ),
      TE.flatMap((confirmed) => confirmed === undefined ? search(image) : TE.right(confirmed)),
      TE.map((found) => {
        unconfirmed = 0;
        return found;
      }),
    );

  return {
    next: (image) =>
      F.pipe(
        last !== undefined && unconfirmed + 1 < confirmEvery
          ? follow(image, last)
          : TE.right(undefined),
        TE.flatMap((followed) => {
          if (followed === undefined) return detect(image);
          unconfirmed++;
          return TE.right(followed);
        }),
        TE.map((found) => {
          landmarks.push(found);
          last = found;
          place = found ?? place;
          before = image;
          return found;
        }),
      ),
    result: () => ({ landmarks, detections, ambiguous }),
  };
};
