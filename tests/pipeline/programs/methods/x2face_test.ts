/** X2Face: its size, that it overfits one clip, that it resumes and is loaded as it was saved. */
import assert from "node:assert/strict";
import {
  drivingParameters,
  embeddingParameters,
  x2faceSizes,
} from "../../../../models/baselines/x2face.ts";
import { countNumbers } from "../../../../models/baselines/parameters.ts";
import { x2face } from "../../../../pipeline/programs/methods/x2face.ts";
import { clipOf, goOn, learnClip, type Trial, trying } from "./support.ts";

Deno.test("X2Face has the original's parameters at 256", () => {
  const sizes = x2faceSizes["paper-256"];
  // Counted by hand over the layers of the original: 39.16 M and 25.61 M.
  assert.equal(countNumbers(embeddingParameters(sizes)), 39_157_760);
  assert.equal(countNumbers(drivingParameters(sizes)), 25_614_080);
});

const allSteps = Deno.env.get("HEADSHOT_ALL_STEPS") === "1";
const steps = allSteps ? 600 : 150;

const trial: Trial = {
  method: x2face,
  preset: "test-16",
  training: {
    steps,
    shots: 1,
    batch: 8,
    generatorRate: 1.5e-3,
    rateDecay: { from: 0.5, to: 0.05 },
  },
  clip: clipOf(16),
};

// It warps, and so learns slower than what paints: half of the mean frame takes 600 steps.
Deno.test(`X2Face overfits one clip in ${steps} steps (HEADSHOT_ALL_STEPS=1: 600)`, () =>
  trying(trial, async (training) => {
    const { l1, flat } = await learnClip(training, trial.clip, steps, 3);
    assert.ok(l1 < 0.05, `L1 is ${l1}`);
    const share = allSteps ? 0.5 : 0.75;
    assert.ok(l1 < share * flat, `L1 is ${l1}, that of the mean frame ${flat}`);
  }));

Deno.test("X2Face goes on from a checkpoint as if it had never stopped", () =>
  trying(trial, async (training) => void await goOn(trial, training, 3)));
