/**
 * Synthetic people as drivers: their motion as a landmark track, exactly, without painting.
 *
 * @module
 */
import { makeRng } from "../../pipeline/core/rng.ts";
import type { Image } from "../../pipeline/core/image.ts";
import { makeHead } from "../synthetic/head.ts";
import { headLandmarks } from "../synthetic/landmarks.ts";
import { makeRenderer, renderAt } from "../synthetic/render.ts";
import { headMover, type Scene, sceneOf } from "../synthetic/scene.ts";
import type { WholeTrack } from "./landmark_track.ts";

/** Which film of the synthetic world. */
export interface SyntheticFilm {
  /** Number of the person, from 0. */
  readonly identity: number;
  /** Number of the person's video, from 0; default 0. */
  readonly video?: number;
  /** Side of the crop in pixels. */
  readonly size: number;
  /** How many frames; default 100. */
  readonly frames?: number;
  /** Default 25. */
  readonly framesPerSecond?: number;
  /** Chooses the world; default 1. */
  readonly seed?: number;
  /** The head moves and speaks like this other video: the ground truth of puppeteering. */
  readonly motion?: { readonly identity: number; readonly video: number };
}

const sceneOfFilm = (film: SyntheticFilm): Scene => {
  const { identity, video = 0, frames = 100, framesPerSecond = 25, seed = 1, motion } = film;
  const rng = makeRng(seed), duration = Math.max(1, frames - 1) / framesPerSecond;
  const scene = sceneOf(rng, identity, video, duration);
  if (motion === undefined) return scene;
  return { ...scene, trajectory: sceneOf(rng, motion.identity, motion.video, duration).trajectory };
};

/**
 * The exact landmarks of a film, a pure function of its argument.
 *
 * @example
 * ```ts
 * import { syntheticTrack } from "./synthetic_driver.ts";
 * const track = syntheticTrack({ identity: 3, size: 64, frames: 5 });
 * if (track.frames.length !== 5 || track.frames[0]?.length !== 136) throw new Error("unexpected");
 * ```
 */
export const syntheticTrack = (film: SyntheticFilm): WholeTrack => {
  const { size, frames = 100, framesPerSecond = 25 } = film, scene = sceneOfFilm(film);
  const { identity: { shape, form }, trajectory, camera } = scene;
  return {
    size,
    framesPerSecond,
    frames: Array.from({ length: frames }, (_, i) => {
      const seconds = i / framesPerSecond;
      const head = makeHead(shape, form, trajectory.expression(seconds));
      return headLandmarks(head, headMover(trajectory.pose(seconds)), camera, size);
    }),
  };
};

/** The pictures of a film, painted one at a time as they are asked for. */
export const syntheticPictures = function* (film: SyntheticFilm): Generator<Image> {
  const { size, frames = 100, framesPerSecond = 25 } = film, scene = sceneOfFilm(film);
  const render = makeRenderer(scene);
  for (let i = 0; i < frames; i++) yield renderAt(scene, render, i / framesPerSecond, size).image;
};
