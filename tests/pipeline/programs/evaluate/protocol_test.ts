/** Who is evaluated: people held out, halves apart, sequences too short listed. */
import assert from "node:assert/strict";
import type { Dataset, Sequence } from "../../../../datasets/dataset.ts";
import { makeRng } from "../../../../pipeline/core/rng.ts";
import { E } from "../../../../pipeline/core/fp.ts";
import { makeImage } from "../../../../pipeline/core/image.ts";
import { askAbout, drawCast } from "../../../../pipeline/programs/evaluate/protocol.ts";

const people = (frames: readonly number[]): readonly Sequence[] =>
  frames.map((count, i) => ({ identity: `p${i}`, video: "v", frames: count }));

const datasetOf = (frames: readonly number[]): Dataset => ({
  name: "numbers",
  size: 8,
  train: [],
  heldOut: people(frames),
  read: (_sequence, indices) => () =>
    Promise.resolve(E.right(indices.map((i) => ({
      image: makeImage(8, 8),
      landmarks: Float32Array.of(i),
    })))),
});

const cast = async (frames: readonly number[], shots: readonly number[], count = 50) =>
  await drawCast({ shots, people: count, frames: 4 })(datasetOf(frames))({ rng: makeRng(1) })();

Deno.test("a sequence too short for a T is listed for that T and used for the others", async () => {
  const drawn = await cast([64, 20, 7], [1, 8, 32]);
  assert.ok(E.isRight(drawn));
  const { subjects, tooShort } = drawn.right;
  assert.deepEqual(
    Object.fromEntries(subjects.map(({ key, shots }) => [key, shots])),
    { "p0/v": [1, 8, 32], "p1/v": [1, 8] },
  );
  assert.deepEqual(
    tooShort.map(({ key, shots, frames, needed }) => [key, shots, frames, needed]).toSorted(),
    [["p1/v", 32, 20, 64], ["p2/v", 1, 7, 8], ["p2/v", 32, 7, 64], ["p2/v", 8, 7, 16]],
  );
});

Deno.test("nobody with frames enough is one sentence", async () => {
  const drawn = await cast([7, 3], [1]);
  assert.ok(E.isLeft(drawn));
  assert.match(drawn.left.message, /none of 2 held-out people has 8 frames/);
});

Deno.test("sources are of the first half, hold-out frames of the second", async () => {
  const dataset = datasetOf([41]);
  const [sequence] = dataset.heldOut;
  assert.ok(sequence);
  const question = await askAbout(dataset, { key: "p0/v", sequence, shots: [8] }, 8, 4);
  assert.ok(E.isRight(question));
  const at = (frames: typeof question.right.sources) => frames.map(({ landmarks }) => landmarks[0]);
  assert.equal(new Set(at(question.right.sources)).size, 8);
  assert.ok(at(question.right.sources).every((i) => i !== undefined && i < 20));
  assert.ok(at(question.right.targets).every((i) => i !== undefined && i >= 20));
});
