/**
 * A face detector that was trained on photographs looks at synthetic heads. Forty of them by
 * default; HEADSHOT_ALL_HEADS=1 takes 500, about a minute on two idle cores.
 */
import assert from "node:assert/strict";
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import { syntheticHeads } from "../../datasets/synthetic.ts";
import { E, type TE } from "../../pipeline/core/fp.ts";
import type { Frame, Landmarks } from "../../pipeline/core/image.ts";

const right = async <Er, A>(task: TE.TaskEither<Er, A>): Promise<A> => {
  const result = await task();
  if (E.isLeft(result)) assert.fail(JSON.stringify(result.left));
  return result.right;
};

const eyeDistance = (landmarks: Landmarks): number => {
  const centre = (first: number, axis: 0 | 1) =>
    [0, 1, 2, 3, 4, 5].reduce((sum, i) => sum + landmarks[2 * (first + i) + axis]! / 6, 0);
  return Math.hypot(centre(42, 0) - centre(36, 0), centre(42, 1) - centre(36, 1));
};

/** Mean distance of 68 landmarks over the distance between the middles of the eyes. */
const landmarkError = (truth: Landmarks, found: Landmarks): number => {
  let sum = 0;
  for (let i = 0; i < 136; i += 2) {
    sum += Math.hypot(found[i]! - truth[i]!, found[i + 1]! - truth[i + 1]!);
  }
  return sum / 68 / eyeDistance(truth);
};

const find = async (analyzer: FaceAnalyzer, { image }: Frame): Promise<Landmarks | undefined> => {
  for (const detector of ["tiny", "ssd"] as const) {
    const [face] = await right(analyzer.detect(image, { detector }));
    if (face !== undefined) return face.landmarks;
  }
  return undefined;
};

const HEADS = Deno.env.get("HEADSHOT_ALL_HEADS") === "1" ? 500 : 40;

Deno.test(`synthetic: a face detector finds ${HEADS} heads and agrees about their landmarks`, async () => {
  const heads = syntheticHeads({ size: 128 });
  const people = heads.train.length / 3;
  const analyzer = await right(createFaceAnalyzer());
  const errors: number[] = [];
  try {
    for (let i = 0; i < HEADS; i++) {
      const row = 3 * Math.floor(i * people / HEADS) + i % 3, sequence = heads.train[row];
      assert.ok(sequence);
      const [frame] = await right(heads.read(sequence, [i * 7 % 24]));
      assert.ok(frame);
      const found = await find(analyzer, frame);
      if (found !== undefined) errors.push(landmarkError(frame.landmarks, found));
    }
  } finally {
    await analyzer.close();
  }
  const error = errors.reduce((sum, e) => sum + e, 0) / errors.length;
  const note = `${errors.length} of ${HEADS} found, landmark error ${error.toFixed(4)}`;
  assert.ok(errors.length >= 0.95 * HEADS, note);
  assert.ok(error < 0.08, note);
});
