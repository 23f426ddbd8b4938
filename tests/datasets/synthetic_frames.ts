/** Frames of synthetic heads and how far they are apart, for their tests. */
import assert from "node:assert/strict";
import { makeRenderer } from "../../datasets/synthetic/render.ts";
import { sceneOf } from "../../datasets/synthetic/scene.ts";
import type { Dataset, Sequence } from "../../datasets/dataset.ts";
import { E } from "../../pipeline/core/fp.ts";
import type { Frame, Image, Landmarks } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";

/** A head that looks ahead. */
export const AHEAD = { yaw: 0, pitch: 0, roll: 0, x: 0, y: 0, z: 0 } as const;

/** Seconds of a video. */
export const DURATION = 2.76;

/** What paints a person in one of their videos. */
export const rendererOf = (identity: number, video = 0) =>
  makeRenderer(sceneOf(makeRng(1), identity, video, DURATION));

/** Frames of a sequence that must be there. */
export const read = async (
  dataset: Dataset,
  sequence: Sequence | undefined,
  indices: readonly number[],
): Promise<readonly Frame[]> => {
  assert.ok(sequence);
  const frames = await dataset.read(sequence, indices)();
  if (E.isLeft(frames)) assert.fail(frames.left.message);
  return frames.right;
};

/** The i-th landmark. */
export const point = (landmarks: Landmarks, i: number): readonly [number, number] => [
  landmarks[2 * i] ?? NaN,
  landmarks[2 * i + 1] ?? NaN,
];

/** The middle of the landmarks from first to last. */
export const centre = (
  landmarks: Landmarks,
  first: number,
  last: number,
): readonly [number, number] => {
  let x = 0, y = 0;
  for (let i = first; i <= last; i++) {
    x += point(landmarks, i)[0] / (last - first + 1);
    y += point(landmarks, i)[1] / (last - first + 1);
  }
  return [x, y];
};

/** How many pixels differ by more than 24 in some channel, as a share. */
export const changed = (a: Image, b: Image): number => {
  let count = 0;
  for (let i = 0; i < a.data.length; i += 3) {
    const far = [0, 1, 2].some((c) => Math.abs(a.data[i + c]! - b.data[i + c]!) > 24);
    if (far) count++;
  }
  return count / (a.width * a.height);
};

/** Mean difference of two pictures, 0 to 255. */
export const meanDifference = (a: Image, b: Image): number =>
  a.data.reduce((sum, v, i) => sum + Math.abs(v - b.data[i]!), 0) / a.data.length;

/** The mean of numbers. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, v) => sum + v, 0) / values.length;
