/**
 * The embedded default dataset: talking heads that are painted on demand, of people who do not
 * exist. Seeded, with exact landmarks; nothing is read from disk.
 *
 * @module
 */
import { E, type Either } from "../pipeline/core/fp.ts";
import type { Err } from "../pipeline/core/errors.ts";
import type { Frame } from "../pipeline/core/image.ts";
import { makeRng } from "../pipeline/core/rng.ts";
import type { Dataset, Sequence } from "./dataset.ts";
import { makeRecent } from "./recent.ts";
import { makeRenderer, renderAt, type Renderer } from "./synthetic/render.ts";
import { type Scene, sceneOf } from "./synthetic/scene.ts";

/** How many heads, and how they are painted. */
export interface SyntheticOptions {
  /** Side of a frame in pixels; the same picture at every size. */
  readonly size: number;
  /** People in all; default 1200. */
  readonly identities?: number;
  /** Videos of each person, in other clothes, light and places; default 3. */
  readonly videos?: number;
  /** Default 24. */
  readonly framesPerVideo?: number;
  /** Time between frames; default 0.12. */
  readonly secondsPerFrame?: number;
  /** People kept for evaluation, the last ones; default 60. */
  readonly heldOut?: number;
  /** Another seed gives other people; default 1. */
  readonly seed?: number;
  /** Memory for frames painted lately, in bytes; default 64 MiB. */
  readonly cacheBytes?: number;
}

/** One frame of the synthetic world. */
export interface SyntheticFrame {
  /** Chooses the world: who its people are. */
  readonly seed: number;
  /** Number of the person, from 0. */
  readonly identity: number;
  /** Number of the person's video, from 0. */
  readonly video: number;
  /** Moment of the video. */
  readonly seconds: number;
  /** Side of the frame in pixels. */
  readonly size: number;
  /** How long the video is; its crop depends on that. Default 2.76, 24 frames. */
  readonly duration?: number;
}

/** A scene with what paints it. */
interface Stage {
  readonly scene: Scene;
  readonly render: Renderer;
}

const DEFAULT_FRAMES = 24, DEFAULT_STEP = 0.12;

const openStage = (seed: number, identity: number, video: number, duration: number): Stage => {
  const scene = sceneOf(makeRng(seed), identity, video, duration);
  return { scene, render: makeRenderer(scene) };
};

/** The people whose pictures are told apart by number, as they are called in a dataset. */
export const syntheticName = (identity: number): string =>
  `synthetic-${String(identity).padStart(5, "0")}`;

/**
 * Paints one frame: a pure function of its argument. With `motion` the head moves and speaks like
 * that other video while person, clothes, light and place stay: the ground truth of puppeteering.
 *
 * @example
 * ```ts
 * import { paintSyntheticFrame } from "./synthetic.ts";
 * const frame = paintSyntheticFrame({ seed: 1, identity: 7, video: 0, seconds: 0.5, size: 64 });
 * if (frame.image.width !== 64 || frame.landmarks.length !== 136) throw new Error("unexpected");
 * ```
 */
export const paintSyntheticFrame = (
  { seed, identity, video, seconds, size, duration = DEFAULT_STEP * (DEFAULT_FRAMES - 1) }:
    SyntheticFrame,
  motion?: { readonly identity: number; readonly video: number },
): Frame => {
  const { scene, render } = openStage(seed, identity, video, duration);
  const { trajectory } = motion === undefined
    ? scene
    : sceneOf(makeRng(seed), motion.identity, motion.video, duration);
  return render(trajectory.pose(seconds), trajectory.expression(seconds), size);
};

const positive = (what: string, n: number): number => {
  if (Number.isInteger(n) && n > 0) return n;
  throw new RangeError(`Cannot make synthetic heads: ${what} is ${n}, expected a positive integer`);
};

const unreadable = (key: string, message: string): Either<Err<"BadSample">, never> =>
  E.left({ _tag: "BadSample", key, reason: "unreadable", message });

/**
 * The dataset of synthetic heads: at least a thousand people in a few videos each, split by
 * person. Frame i of a video is a pure function of (seed, person, video, i, size). Errors of
 * `read`: `BadSample` for a sequence or a frame that does not exist.
 *
 * @example
 * ```ts
 * import { syntheticHeads } from "./synthetic.ts";
 * const heads = syntheticHeads({ size: 32 });
 * const [sequence] = heads.train;
 * if (sequence === undefined) throw new Error("nobody is there");
 * const frames = await heads.read(sequence, [0, 23])();
 * if (frames._tag === "Left" || frames.right[1]?.image.width !== 32) throw new Error("unexpected");
 * ```
 */
export const syntheticHeads = (options: SyntheticOptions): Dataset => {
  const size = positive("size", options.size);
  const identities = positive("identities", options.identities ?? 1200);
  const videos = positive("videos", options.videos ?? 3);
  const frames = positive("framesPerVideo", options.framesPerVideo ?? DEFAULT_FRAMES);
  const { secondsPerFrame = DEFAULT_STEP, seed = 1, cacheBytes = 64 * 2 ** 20 } = options;
  const heldOut = options.heldOut ?? Math.min(60, Math.floor(identities / 2));
  if (!(heldOut >= 0 && heldOut < identities)) {
    throw new RangeError(
      `Cannot make synthetic heads: ${heldOut} of ${identities} people are held out, expected fewer`,
    );
  }
  const duration = secondsPerFrame * (frames - 1);
  const sequences = new Map<string, { readonly identity: number; readonly video: number }>();
  const of = (identity: number): readonly Sequence[] =>
    Array.from({ length: videos }, (_, video) => {
      sequences.set(`${syntheticName(identity)}/${video}`, { identity, video });
      return { identity: syntheticName(identity), video: String(video), frames };
    });
  const people = Array.from({ length: identities }, (_, i) => of(i));
  const bytes = size * size * 3 + 136 * 4;
  const stages = makeRecent<string, Stage>(24),
    painted = makeRecent<string, Frame>(cacheBytes / bytes);
  return {
    name: "synthetic",
    size,
    train: people.slice(0, identities - heldOut).flat(),
    heldOut: people.slice(identities - heldOut).flat(),
    read: ({ identity, video }, indices) => () => {
      const key = `${identity}/${video}`, known = sequences.get(key);
      if (known === undefined) {
        return Promise.resolve(unreadable(key, "nobody of that name is in this dataset"));
      }
      const missing = indices.find((i) => !Number.isInteger(i) || i < 0 || i >= frames);
      if (missing !== undefined) {
        return Promise.resolve(
          unreadable(key, `frame ${missing} does not exist, expected 0 to ${frames - 1}`),
        );
      }
      return Promise.resolve(E.right(indices.map((i) =>
        painted(`${key}/${i}`, () => {
          const { scene, render } = stages(
            key,
            () => openStage(seed, known.identity, known.video, duration),
          );
          return renderAt(scene, render, i * secondsPerFrame, size);
        })
      )));
    },
  };
};
