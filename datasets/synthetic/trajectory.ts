/**
 * How a head moves, speaks and looks through a video: smooth functions of time.
 *
 * @module
 */
import type { Draw, Rng } from "../../pipeline/core/rng.ts";
import type { Expression, Pose } from "./expression.ts";
import { clamp, smoothstep } from "./vector.ts";

/** What a video shows at a time in seconds. */
export interface Trajectory {
  readonly pose: (seconds: number) => Pose;
  readonly expression: (seconds: number) => Expression;
}

/** A sum of three waves: mean 0, mostly within ±`size`. */
const wander = (draw: Draw, size: number, slowest: number): (t: number) => number => {
  const waves = [1, 1.7, 2.9].map((pace, i) => ({
    speed: 2 * Math.PI * slowest * pace * draw.uniform(0.8, 1.25),
    phase: draw.uniform(0, 2 * Math.PI),
    size: size * [0.7, 0.35, 0.15][i]! * draw.uniform(0.6, 1.3),
  }));
  return (t) => waves.reduce((sum, w) => sum + w.size * Math.sin(w.speed * t + w.phase), 0);
};

const DEGREE = Math.PI / 180;

const drawPose = (rng: Rng): Trajectory["pose"] => {
  const draw = rng.draw(), lively = draw.uniform(0.6, 1.25);
  const turned = 14 * clamp(draw.normal(), -1.6, 1.6), nod = 4 * clamp(draw.normal(), -1.5, 1.5);
  const tilt = 3 * clamp(draw.normal(), -2, 2);
  const yaw = wander(draw, 17 * lively, 0.22), pitch = wander(draw, 8 * lively, 0.3);
  const roll = wander(draw, 6 * lively, 0.2), x = wander(draw, 9, 0.18), y = wander(draw, 6, 0.2);
  const z = wander(draw, 22, 0.1);
  return (t) => ({
    yaw: DEGREE * clamp(turned + yaw(t), -42, 42),
    pitch: DEGREE * clamp(nod + pitch(t), -20, 20),
    roll: DEGREE * clamp(tilt + roll(t), -18, 18),
    x: x(t) + 0.5 * (turned + yaw(t)), // a turning head also moves aside
    y: y(t),
    z: z(t),
  });
};

/** Lids that shut at irregular times. */
const drawBlinks = (draw: Draw): (t: number) => number => {
  const every = draw.uniform(1.8, 4), offset = draw.uniform(0, 4), wobble = draw.uniform(0, 6);
  return (t) => {
    const beat = (t + offset + 0.4 * Math.sin(t * 0.9 + wobble)) / every;
    const since = (beat - Math.floor(beat)) * every;
    return smoothstep(0, 0.09, since) * (1 - smoothstep(0.14, 0.3, since));
  };
};

const drawExpression = (rng: Rng): Trajectory["expression"] => {
  const draw = rng.draw();
  const talks = draw.uniform() < 0.8 ? draw.uniform(0.6, 1.2) : 0.1;
  const syllables = wander(draw, 1, 1.1), phrases = wander(draw, 1, 0.3);
  const mood = draw.normal() * 0.3 + 0.15, smile = wander(draw, 0.5, 0.15);
  const pucker = wander(draw, 0.6, 0.7), brows = wander(draw, 0.65, 0.25);
  const gazeX = wander(draw, 0.6, 0.25), gazeY = wander(draw, 0.4, 0.22);
  const blink = drawBlinks(draw);
  return (t) => {
    const speaking = talks * smoothstep(-0.5, 0.4, phrases(t));
    const smiling = clamp(mood + smile(t), -0.4, 1);
    return {
      jaw: 20 * clamp(speaking * (0.32 + 0.75 * syllables(t)), 0, 1),
      smile: smiling,
      pucker: clamp(speaking * (pucker(t) - 0.15), 0, 0.8) * (1 - 0.7 * Math.max(0, smiling)),
      blink: blink(t),
      brows: clamp(brows(t), -1, 1),
      gazeX: clamp(gazeX(t), -1, 1),
      gazeY: clamp(gazeY(t), -1, 1),
    };
  };
};

/** Draws the movement of one video. */
export const drawTrajectory = (rng: Rng): Trajectory => ({
  pose: drawPose(rng.fold("pose")),
  expression: drawExpression(rng.fold("expression")),
});
