/**
 * One video of one person: what is worn, lit and behind, how the head moves, and the square that
 * is cut out of it.
 *
 * @module
 */
import type { Landmarks } from "../../pipeline/core/image.ts";
import type { Draw, Rng } from "../../pipeline/core/rng.ts";
import { type Background, drawBackground, drawColor } from "./background.ts";
import type { Clothes } from "./body.ts";
import type { Pose } from "./expression.ts";
import { makeHead } from "./head.ts";
import { drawIdentity, type Identity } from "./identity.ts";
import { headLandmarks } from "./landmarks.ts";
import type { Light } from "./light.ts";
import { type Mover, rigid } from "./mesh.ts";
import type { Camera } from "./raster.ts";
import { drawTrajectory, type Trajectory } from "./trajectory.ts";
import { clamp, normalize, rotation, type Vec3 } from "./vector.ts";

/** Everything that a frame of a video is painted from. */
export interface Scene {
  readonly identity: Identity;
  readonly clothes: Clothes;
  readonly background: Background;
  readonly light: Light;
  readonly trajectory: Trajectory;
  readonly camera: Camera;
}

/** Where head and neck turn, in the head's frame. */
const PIVOT: Vec3 = [0, 92, -22];

/** Moves the head. */
export const headMover = ({ yaw, pitch, roll, x, y, z }: Pose): Mover =>
  rigid(rotation(yaw, pitch, roll), PIVOT, [x, y, z]);

/** Moves the shoulders: they follow the head a little. */
export const bodyMover = ({ yaw, roll, x, y, z }: Pose): Mover =>
  rigid(rotation(0.25 * yaw, 0, 0.2 * roll), PIVOT, [0.75 * x, 0.7 * y, z]);

const drawClothes = (draw: Draw): Clothes => ({
  neckline: draw.pick(["round", "round", "vee", "wide", "turtleneck", "shirt", "suit", "hood"]),
  color: drawColor(draw, 0.015 + 0.6 * draw.uniform() ** 2, draw.uniform(0, 0.85)),
  second: drawColor(draw, 0.02 + 0.7 * draw.uniform() ** 1.5, draw.uniform(0, 0.85)),
  pattern: draw.pick(["plain", "plain", "plain", "stripes", "pinstripes", "checks"]),
});

const drawLight = (draw: Draw): Light => {
  const across = draw.uniform(-0.95, 0.95), down = -draw.uniform(0.1, 0.85);
  const warm = 0.12 * clamp(draw.normal(), -1.8, 1.8), soft = draw.uniform(0.3, 1);
  const power = draw.uniform(0.7, 1), key = power * (1.15 - 0.45 * soft);
  const around = power * (0.2 + 0.5 * soft);
  return {
    direction: normalize([across, down, draw.uniform(0.65, 1.2)]),
    key: [key * (1 + warm), key, key * (1 - warm)],
    sky: [around * (1 - 0.5 * warm), around, around * (1 + 0.5 * warm)],
    ground: [around * 0.58, around * 0.5, around * 0.45],
    rimSide: across > 0 ? -1 : 1,
    rim: draw.uniform() < 0.4 ? draw.uniform(0.3, 1.1) : 0,
  };
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half] ?? 0
    : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
};

/** The crop rule of real video, on landmarks of many frames in mm. */
const cropAround = (tracks: readonly Landmarks[]) => {
  const boxes = tracks.map((landmarks) => {
    const x = landmarks.filter((_, i) => i % 2 === 0), y = landmarks.filter((_, i) => i % 2 === 1);
    const left = Math.min(...x),
      right = Math.max(...x),
      top = Math.min(...y),
      bottom = Math.max(...y);
    return {
      x: (left + right) / 2,
      y: (top + bottom) / 2,
      side: Math.max(right - left, bottom - top),
    };
  });
  const side = median(boxes.map((box) => box.side));
  return {
    left: median(boxes.map((box) => box.x)) - side,
    top: median(boxes.map((box) => box.y)) - side / 6 - side,
    side: 2 * side,
  };
};

/** How many moments of a video decide about its crop. */
const CROP_FRAMES = 7;

/** Draws the scene of a video that lasts that long. */
export const drawScene = (rng: Rng, identity: Identity, seconds: number): Scene => {
  const trajectory = drawTrajectory(rng.fold("trajectory"));
  const distance = rng.fold("camera").draw().uniform(700, 1600);
  const millimetres: Camera = { distance, left: 0, top: 0, side: 1 };
  const tracks = Array.from({ length: CROP_FRAMES }, (_, i) => {
    const t = seconds * i / (CROP_FRAMES - 1);
    const head = makeHead(identity.shape, identity.form, trajectory.expression(t));
    return headLandmarks(head, headMover(trajectory.pose(t)), millimetres, 1);
  });
  return {
    identity,
    clothes: drawClothes(rng.fold("clothes").draw()),
    background: drawBackground(rng.fold("background").draw()),
    light: drawLight(rng.fold("light").draw()),
    trajectory,
    camera: { distance, ...cropAround(tracks) },
  };
};

/** The person with that number, and a stream for each of the person's videos. */
export const personRng = (rng: Rng, identity: number): Rng => rng.fold("identity").fold(identity);

/** The scene of one video of one person. */
export const sceneOf = (
  rng: Rng,
  identity: number,
  video: number,
  seconds: number,
): Scene => {
  const person = personRng(rng, identity);
  return drawScene(person.fold("video").fold(video), drawIdentity(person), seconds);
};
