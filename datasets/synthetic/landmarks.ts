/**
 * The 68 landmarks of a head, exactly: points of its surface, projected like everything else.
 *
 * @module
 */
import type { Landmarks } from "../../pipeline/core/image.ts";
import {
  browHalf,
  browLine,
  type Eye,
  type Features,
  lowerLid,
  lowerLipBottom,
  lowerLipTop,
  upperLid,
  upperLipBottom,
  upperLipTop,
} from "./features.ts";
import { faceSurface, type Head, headPoint } from "./head.ts";
import { stepAtHeight } from "./head_shape.ts";
import type { Mover } from "./mesh.ts";
import { type Camera, project } from "./raster.ts";

type Point = readonly [number, number];

const browPoints = (f: Features, side: -1 | 1): readonly Point[] =>
  [0.08, 0.32, 0.56, 0.8, 1].map((v): Point => {
    const x = f.browInner + v * (f.browOuter - f.browInner);
    return [side * x, browLine(f, x) - browHalf(f, x)];
  });

/** From the corner at the left of the picture, clockwise, as the convention has it. */
const eyePoints = (eye: Eye): readonly Point[] => {
  const at = (right: number, lid: typeof upperLid): Point => [
    eye.x + right * eye.half,
    lid(eye, eye.side * right),
  ];
  return [
    at(-1, upperLid),
    at(-0.36, upperLid),
    at(0.36, upperLid),
    at(1, upperLid),
    at(0.36, lowerLid),
    at(-0.36, lowerLid),
  ];
};

const mouthPoints = (f: Features): readonly Point[] => {
  const at = (u: number, edge: typeof upperLipTop): Point => [u * f.mouthHalf, edge(f, u)];
  return [
    ...[-1, -0.56, -0.2, 0, 0.2, 0.56, 1].map((u) => at(u, upperLipTop)),
    ...[0.6, 0.26, 0, -0.26, -0.6].map((u) => at(u, lowerLipBottom)),
    ...[-0.84, -0.24, 0, 0.24, 0.84].map((u) => at(u, upperLipBottom)),
    ...[0.24, 0, -0.24].map((u) => at(u, lowerLipTop)),
  ];
};

const nosePoints = (f: Features): readonly Point[] => [
  ...[0, 0.35, 0.7, 1].map((v): Point => [0, 1 + v * (f.noseTipY + 0.5)]),
  ...[-0.72, -0.38, 0, 0.38, 0.72].map((v): Point => [
    v * f.noseHalf,
    f.noseBaseY + 0.4 - 5 * v * v,
  ]),
];

/** Landmarks 17 to 67 in the frontal view. */
export const frontalPoints = (f: Features): readonly Point[] => [
  ...[...browPoints(f, -1)].reverse(),
  ...browPoints(f, 1),
  ...nosePoints(f),
  ...eyePoints(f.eyes[0]),
  ...eyePoints(f.eyes[1]),
  ...mouthPoints(f),
];

/** Rest heights of the jaw landmarks from the ear (0) to the chin (8), as knots of the profile. */
const JAW_KNOTS = [7, 8.05, 8.97, 9.83, 10.8, 11.7, 12.4, 13.25, 14.45] as const;
/** Their angles on the cross-section, in degrees, for a face seen from the front. */
const JAW_ANGLES = [90, 90, 90, 88, 78, 69, 56, 41, 0] as const;

/**
 * The jaw line: where the outline of the face is seen, but never behind the jaw. On the side that
 * turns away the outline slides forward over the cheek.
 */
const jawPoint = (
  head: Head,
  index: number,
  move: Mover,
  camera: Camera,
): Point => {
  const side = index < 8 ? -1 : 1, i = index < 8 ? index : 16 - index;
  const step = (JAW_KNOTS[i] ?? 0) * (head.profile.steps / 15);
  const most = (JAW_ANGLES[i] ?? 0) / 180 * Math.PI, point = new Float32Array(3);
  const seen = (angle: number): Point => {
    headPoint(head, step, side * angle, (x, y, z) => move(x, y, z, point, 0));
    return project(camera, 1, point[0]!, point[1]!, point[2]!);
  };
  let best = seen(most);
  for (let angle = most - 0.06; angle > most - 1.1 && angle > 0; angle -= 0.06) {
    const next = seen(angle);
    if (side * (next[0] - best[0]) <= 0) break;
    best = next;
  }
  return best;
};

/** The 68 landmarks of a posed head in a picture of `size` pixels. // [68, 2] */
export const headLandmarks = (head: Head, move: Mover, camera: Camera, size: number): Landmarks => {
  const landmarks = new Float32Array(136), point = new Float32Array(3);
  for (let i = 0; i <= 16; i++) landmarks.set(jawPoint(head, i, move, camera), 2 * i);
  frontalPoints(head.features).forEach(([x, y], i) => {
    const surface = faceSurface(head, x, y);
    move(...surface, point, 0);
    landmarks.set(project(camera, 1, point[0]!, point[1]!, point[2]!), 2 * (17 + i));
  });
  return landmarks.map((v) => v * size);
};

/** A step of the profile at that height, for callers that place things beside the face. */
export const stepOf = (head: Head, y: number): number => stepAtHeight(head.profile, y);
