/**
 * Eyes and mouth as open as the driver's: a shut lid must shut on any face, and lips must meet.
 *
 * @module
 */
import type { Landmarks } from "../../pipeline/core/image.ts";
import { LID_PAIRS, openingOf, tiltOf, turn, upright } from "./geometry.ts";

/** Factors from the driver's openings to the source's, both in pixels. */
export interface OpeningScale {
  readonly right: number;
  readonly left: number;
  readonly lips: number;
}

/** An eye opened by less than this part of its usual opening is blinking: no measure of it. */
const BLINK = 0.6;
/** An eye that is less open than this part of its width is shut. */
const SHUT = 0.12;
const EYES = { right: [36, 39], left: [42, 45] } as const;

/**
 * How the openings of two people compare: eyes as in their reference frames, where both are open,
 * lips as the faces' heights. `usual` are the driver's usual openings (see {@link usualOpening}).
 */
export const compareOpenings = (
  source: Landmarks,
  driver: Landmarks,
  height: number,
  usual: { readonly right: number; readonly left: number },
): OpeningScale => {
  const from = upright(driver), to = upright(source);
  const eye = (side: "right" | "left"): number => {
    const [inner, outer] = EYES[side];
    const open = openingOf(to, LID_PAIRS[side]);
    const width = Math.abs(to[2 * outer]! - to[2 * inner]!);
    if (!(open > SHUT * width)) return height;
    const seen = openingOf(from, LID_PAIRS[side]);
    const measure = seen > BLINK * usual[side] ? seen : usual[side];
    return measure > 0 ? Math.min(2, Math.max(0.5, open / measure / height)) * height : height;
  };
  return { right: eye("right"), left: eye("left"), lips: height };
};

/** The opening that an eye has most of the time while it is open, in pixels. */
export const usualOpening = (frames: readonly Landmarks[], side: "right" | "left"): number => {
  const all = frames.map((points) => openingOf(upright(points), LID_PAIRS[side]));
  return all.toSorted((a, b) => a - b)[Math.floor(0.8 * (all.length - 1))] ?? 0;
};

/** Outer points that move with each inner pair, and how far with it: corners stay. */
const OUTER: readonly {
  readonly above: readonly (readonly [point: number, part: number])[];
  readonly below: readonly (readonly [point: number, part: number])[];
}[] = [
  { above: [[49, 0.5], [50, 1]], below: [[59, 0.5], [58, 1]] },
  { above: [[51, 1]], below: [[57, 1]] },
  { above: [[53, 0.5], [52, 1]], below: [[55, 0.5], [56, 1]] },
];

/**
 * The landmarks `points` with eyes and mouth as open as `driver` has them, times the scale: pairs
 * of points move apart or together, the outer lips along with the inner ones.
 */
export const followOpenings = (
  points: Landmarks,
  driver: Landmarks,
  scale: OpeningScale,
): Landmarks => {
  const tilt = tiltOf(points), out = points.slice();
  const here = upright(points), there = upright(driver);
  const shift = (i: number, down: number): void => {
    const [x, y] = turn([0, down], tilt);
    out[2 * i] = out[2 * i]! + x;
    out[2 * i + 1] = out[2 * i + 1]! + y;
  };
  for (const part of ["right", "left", "lips"] as const) {
    LID_PAIRS[part].forEach((pair, k) => {
      const wanted = scale[part] * openingOf(there, [pair]);
      const apart = (wanted - openingOf(here, [pair])) / 2;
      shift(pair[0], -apart);
      shift(pair[1], apart);
      if (part !== "lips") return;
      OUTER[k]?.above.forEach(([i, along]) => shift(i, -along * apart));
      OUTER[k]?.below.forEach(([i, along]) => shift(i, along * apart));
    });
  }
  return out;
};
