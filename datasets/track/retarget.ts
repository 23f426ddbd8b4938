/**
 * Retargeting: the driver's motion on the source's face. A generator paints the face whose
 * landmarks it is given, so landmarks of somebody else give somebody else's face: the limitation
 * that the paper names (section 5).
 *
 * @module
 */
import type { Landmarks } from "../../pipeline/core/image.ts";
import {
  ALL_POINTS,
  CHIN,
  distance,
  fitSimilarity,
  gestureDistance,
  gestureOf,
  inverse,
  mapPoints,
  middleOf,
  move,
  type Point,
  pointOf,
  STEADY_POINTS,
  tiltOf,
  turn,
  upright,
} from "./geometry.ts";
import type { WholeTrack } from "./landmark_track.ts";
import { compareOpenings, followOpenings, type OpeningScale, usualOpening } from "./openness.ts";

/** How the driver's motion comes onto the source's face. */
export type RetargetName = "none" | "relative" | "parts";

/** The ways to retarget, by name. */
export const retargetNames: readonly [RetargetName, ...RetargetName[]] = [
  "none",
  "relative",
  "parts",
];

/** A frame of the source and the frame of the driver that is held most like it. */
export interface Reference {
  /** Place among the source's frames. */
  readonly source: number;
  /** Place in the track. */
  readonly driver: number;
}

/** Gestures of frames that are spread evenly, at most so many: an hour's film has enough. */
const spread = (frames: readonly Landmarks[], most: number) =>
  Array.from({ length: Math.min(most, frames.length) }, (_, i) => {
    const at = Math.floor(i * Math.max(1, frames.length / most));
    return { at, gesture: gestureOf(frames[at]!) };
  });

/**
 * The neutral reference: of all pairs the source frame and the driver frame closest in pose and
 * expression (not in the shape of the face). Throws a `RangeError` where either has no frame.
 */
export const chooseReference = (
  sources: readonly Landmarks[],
  driver: readonly Landmarks[],
): Reference => {
  const ours = spread(sources, 100), theirs = spread(driver, 3000);
  let best: Reference | undefined, least = Infinity;
  for (const a of ours) {
    for (const b of theirs) {
      const apart = gestureDistance(a.gesture, b.gesture);
      if (best !== undefined && !(apart < least)) continue;
      least = apart;
      best = { source: a.at, driver: b.at };
    }
  }
  if (best !== undefined) return best;
  throw new RangeError("Cannot retarget: the source or the driver has no frame, expected both");
};

/** What both ways of retargeting know of the two faces. */
interface Faces {
  readonly source: Landmarks;
  readonly driver: Landmarks;
  /** The source's width and height in those of the driver. */
  readonly across: number;
  readonly along: number;
  readonly openings: OpeningScale;
}

const widthOf = (up: Landmarks): number => distance(pointOf(up, 0), pointOf(up, 16));
const heightOf = (up: Landmarks): number => Math.abs(middleOf(up, 27, 39, 42)[1]);

const compareFaces = (sources: readonly Landmarks[], track: WholeTrack): Faces => {
  const { frames } = track, reference = chooseReference(sources, frames);
  const source = sources[reference.source]!, driver = frames[reference.driver]!;
  const ours = upright(source), theirs = upright(driver);
  const along = heightOf(ours) / heightOf(theirs);
  return {
    source,
    driver,
    across: widthOf(ours) / widthOf(theirs),
    along,
    openings: compareOpenings(source, driver, along, {
      right: usualOpening(frames, "right"),
      left: usualOpening(frames, "left"),
    }),
  };
};

/**
 * Motion relative to the reference: how the head moved as a whole, then what is left of each
 * point's movement, scaled by the faces' sizes and added to the source's own points.
 */
const relative = ({ source, driver, across, along }: Faces) => {
  const size = Math.sqrt(across * along);
  const from = tiltOf(driver), to = tiltOf(source);
  const steadyFrom = middleOf(driver, ...STEADY_POINTS);
  const steadyTo = middleOf(source, ...STEADY_POINTS);
  return (points: Landmarks): Landmarks => {
    const whole = fitSimilarity(driver, points, STEADY_POINTS), back = inverse(whole);
    const [mx, my] = move(whole, steadyFrom);
    const shift = turn([size * (mx - steadyFrom[0]), size * (my - steadyFrom[1])], to - from);
    const still = mapPoints(points, (point) => move(back, point));
    return mapPoints(source, (own, i) => {
      const [x, y] = pointOf(still, i), [u, v] = pointOf(driver, i);
      const [dx, dy] = turn([x - u, y - v], -from);
      const [ex, ey] = turn([across * dx, along * dy], to);
      const [px, py] = [own[0] + ex - steadyTo[0], own[1] + ey - steadyTo[1]];
      const [a, b] = whole.a;
      return [
        a * px - b * py + steadyTo[0] + shift[0],
        b * px + a * py + steadyTo[1] + shift[1],
      ];
    });
  };
};

/** The point that mirrors each point; a point of the middle line mirrors itself. */
const MIRROR: readonly number[] = ALL_POINTS.map((i) => {
  if (i <= 16) return 16 - i;
  if (i <= 26) return 43 - i;
  if (i <= 30) return i;
  if (i <= 35) return 66 - i;
  if (i <= 39) return 81 - i;
  if (i <= 41) return 87 - i;
  if (i <= 45) return 81 - i;
  if (i <= 47) return 87 - i;
  if (i <= 54) return 102 - i;
  if (i <= 59) return 114 - i;
  if (i <= 64) return 124 - i;
  return 132 - i;
});

/** A ratio of two lengths; where the lower one is next to nothing, that of the whole face. */
const ratio = (above: number, below: number, least: number, whole: number): number =>
  Math.abs(below) > least ? Math.min(2 * whole, Math.max(whole / 2, above / below)) : whole;

/**
 * Per-part scaling: every pair of symmetric points gets the source's distance, its middle the
 * source's height over the chin, and the chin the driver's movement.
 */
const parts = ({ source, driver, across, along }: Faces) => {
  const ours = upright(source), theirs = upright(driver), least = 0.08 * heightOf(theirs);
  const pair = (up: Landmarks, i: number): readonly [half: Point, middle: Point] => {
    const [x, y] = pointOf(up, i), [u, v] = pointOf(up, MIRROR[i]!);
    return [[(x - u) / 2, (y - v) / 2], [(x + u) / 2, (y + v) / 2]];
  };
  const scales = ALL_POINTS.map((i) => {
    const [half, middle] = pair(ours, i), [otherHalf, otherMiddle] = pair(theirs, i);
    return {
      apart: ratio(half[0], otherHalf[0], least / 2, across),
      height: ratio(middle[1], otherMiddle[1], least, along),
    };
  });
  const size = Math.sqrt(across * along);
  const turned = tiltOf(source) - tiltOf(driver);
  const ownChin = pointOf(source, CHIN), theirChin = pointOf(driver, CHIN);
  return (points: Landmarks): Landmarks => {
    const up = upright(points), tilt = tiltOf(points) + turned;
    const [x, y] = pointOf(points, CHIN);
    const [sx, sy] = turn([size * (x - theirChin[0]), size * (y - theirChin[1])], turned);
    return mapPoints(up, (_, i) => {
      const [half, middle] = pair(up, i), { apart, height } = scales[i]!;
      const [dx, dy] = turn(
        [across * middle[0] + apart * half[0], height * middle[1] + along * half[1]],
        tilt,
      );
      return [ownChin[0] + sx + dx, ownChin[1] + sy + dy];
    });
  };
};

/**
 * Brings a driver's track onto the source's face; pure. `sources` are landmarks of the source in
 * pixels of a crop of the track's size, at least one frame. `none` changes nothing; `relative`
 * adds the motion relative to a reference frame, scaled by face size, to the source's points;
 * `parts` scales the driver's face part by part, anchored at the chin. Eyes and mouth are as open
 * as the driver's.
 *
 * @example
 * ```ts
 * import { retarget } from "./retarget.ts";
 * import { syntheticTrack } from "./synthetic_driver.ts";
 * const source = syntheticTrack({ identity: 1, size: 64, frames: 8 });
 * const driver = syntheticTrack({ identity: 2, size: 64, frames: 20 });
 * const driven = retarget("relative", source.frames, driver);
 * if (driven.frames.length !== 20) throw new Error("unexpected");
 * ```
 */
export const retarget = (
  how: RetargetName,
  sources: readonly Landmarks[],
  track: WholeTrack,
): WholeTrack => {
  if (how === "none") return track;
  const faces = compareFaces(sources, track);
  const apply = how === "relative" ? relative(faces) : parts(faces);
  return {
    ...track,
    frames: track.frames.map((points) => followOpenings(apply(points), points, faces.openings)),
  };
};
