/**
 * Mistakes that somebody could make in the metrics, the losses and the sampler, each with the quick
 * test that must notice it. Written by hand: a mutant stands for a kind of mistake, so that one
 * that survives means a test that is missing.
 */

/** One mistake in one place. */
export interface Mutant {
  /** What goes wrong. */
  readonly mistake: string;
  /** The file, from the root of the repository. */
  readonly file: string;
  /** What stands there, exactly once. */
  readonly find: string;
  /** What is put in its place. */
  readonly replace: string;
  /** The file of the test that must fail. */
  readonly killedBy: string;
}

const inFile = (
  file: string,
  killedBy: string,
  mistakes: Readonly<Record<string, readonly [find: string, replace: string]>>,
): readonly Mutant[] =>
  Object.entries(mistakes).map(([mistake, [find, replace]]) => ({
    mistake,
    file,
    find,
    replace,
    killedBy,
  }));

const metricsTest = "tests/pipeline/metrics/metrics_test.ts";

/** All of them. */
export const mutants: readonly Mutant[] = [
  ...inFile("pipeline/metrics/ssim.ts", metricsTest, {
    "SSIM with a window of another width": ["/ 4.5)", "/ 4)"],
    "SSIM with a constant of another range": ["(0.03 * 255) ** 2", "(0.03 * 1) ** 2"],
    "SSIM with correlation instead of covariance": ["- x * y;", ";"],
    "SSIM of the first channel only": ["[0, 1, 2].map", "[0, 0, 0].map"],
    "SSIM over the wrong axis of the window": [
      "across[(y + k) * inner + x]",
      "across[y * inner + x]",
    ],
  }),
  ...inFile("pipeline/metrics/pixels.ts", metricsTest, {
    "pixel error on the scale of 0 to 1": ["/ 127.5", "/ 255"],
    "pixel error without the absolute value": ["sum += Math.abs((", "sum += (("],
  }),
  ...inFile("pipeline/metrics/landmarks.ts", metricsTest, {
    "landmark error in distances of other eye corners": [
      "rightEyeCorner = 36",
      "rightEyeCorner = 39",
    ],
    "landmark error in eye distances of what was found": [
      "eyeDistance(truth);",
      "eyeDistance(found);",
    ],
    "landmark error as a sum": ["sum / points / eyes", "sum / eyes"],
  }),
  ...inFile("pipeline/metrics/csim.ts", metricsTest, {
    "CSIM of vectors that are not normalised": ["((b[i] ?? 0) / second)", "(b[i] ?? 0)"],
    "CSIM of nothing is a number that is none": [
      "if (first === 0 || second === 0) return 0;",
      "",
    ],
  }),
  ...inFile("pipeline/metrics/bootstrap.ts", metricsTest, {
    "an interval over frames, not over people": [
      "people.flatMap(() => draw.pick(people))",
      "people.flat().map(() => draw.pick(people.flat()))",
    ],
    "an interval of one side": ["quantile(means, (1 - level) / 2)", "quantile(means, 1 - level)"],
  }),
  ...inFile("pipeline/metrics/frechet.ts", "tests/pipeline/metrics/frechet_test.ts", {
    "Fréchet distance without the means": ["means + traces - 2 * root", "traces - 2 * root"],
    "Fréchet distance with half of the cross term": [
      "means + traces - 2 * root",
      "means + traces - root",
    ],
    "a kernel of another degree": ["base * base * base", "base * base"],
    "a kernel distance that is biased": ["if (same && i % (a.count + 1) === 0) continue;", ""],
  }),
  ...inFile("pipeline/metrics/roc.ts", "tests/pipeline/metrics/roc_test.ts", {
    "an area in which equal values do not count": [
      "(before(value, false) + before(value, true)) / 2",
      "before(value, false)",
    ],
  }),
  ...inFile("models/losses.ts", "tests/models/losses_test.ts", {
    "a generator that wants to be found out": ["tf.neg(tf.mean(fakeScore))", "tf.mean(fakeScore)"],
    "feature matching as a sum over the blocks": [
      "tf.div(sumOf(terms), terms.length)",
      "sumOf(terms)",
    ],
    "a hinge loss with its sides exchanged": [
      "relu(tf.add(1, fakeScore))",
      "relu(tf.sub(1, fakeScore))",
    ],
    "a hinge loss without the hinge": [
      "tf.mean(relu(tf.sub(1, realScore)))",
      "tf.mean(tf.sub(1, realScore))",
    ],
    "a margin of another width": ["tf.sub(1, realScore)", "tf.sub(2, realScore)"],
    "a sum that forgets its first term": [
      "rest.reduce((sum, scalar) => tf.add(sum, scalar), head)",
      "rest.reduce((sum, scalar) => tf.add(sum, scalar))",
    ],
  }),
  ...inFile("pipeline/metrics/following.ts", "tests/pipeline/metrics/following_test.ts", {
    "a face that is not found follows perfectly": [
      "{ landmarkError: undetectedError, undetected: 1 }",
      "{ landmarkError: 0, undetected: 1 }",
    ],
    "a face that is far away counts worse than none": [
      "Math.min(undetectedError, landmarkError(landmarks, found))",
      "landmarkError(landmarks, found)",
    ],
    "soft faces that are looked at as photos are": ["[160, 224, 128, 96]", "[160, 224]"],
  }),
  ...inFile("datasets/moved.ts", "tests/datasets/moved_test.ts", {
    "landmarks that stay where they were": ["toUprightView(landmarks, square, size)", "landmarks"],
    "a movement to the other side": ["size / 2 - right * side", "size / 2 + right * side"],
    "the same movement for every copy": [".fold(i).fold(k).draw()", ".draw()"],
  }),
  ...inFile("models/fine_tuning.ts", "tests/models/fine_tuning_test.ts", {
    "as many copies of each of many frames as of one": [
      "Math.ceil(movedCopies / frames)",
      "Math.ceil(movedCopies)",
    ],
  }),
  ...inFile("datasets/sample.ts", "tests/datasets/sample_test.ts", {
    "a target among the sources": [
      "const [target, ...sources] = frames;",
      "const [target] = frames, sources = frames.slice(0, shots);",
    ],
    "frames that do not depend on the step": [
      ".fold(step).fold(place).fold(row).draw()",
      ".fold(place).fold(row).draw()",
    ],
    "the same frames in every place of a batch": [
      ".fold(step).fold(place).fold(row).draw()",
      ".fold(step).fold(row).draw()",
    ],
    "a sequence with a frame too few is taken": [
      "sequence.frames < shots + 1",
      "sequence.frames < shots",
    ],
    "every epoch in the same order": ['rng.fold("sequences").fold(epoch)', 'rng.fold("sequences")'],
    "a bad sequence ends the batch": [
      "for (let attempt = 0; drawn.length < batch;)",
      "for (let attempt = 0; drawn.length + attempt < batch;)",
    ],
    "a run that goes on from the start": ["let step = from;;", "let step = 0;;"],
  }),
];
