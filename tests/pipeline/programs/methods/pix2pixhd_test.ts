/** pix2pixHD: its size, that it overfits one clip, resumes, and learns a person by fine-tuning. */
import assert from "node:assert/strict";
import { countNumbers } from "../../../../models/baselines/parameters.ts";
import {
  judgeParameters,
  paintParameters,
  pix2pixhdSizes,
} from "../../../../models/baselines/pix2pixhd.ts";
import { E } from "../../../../pipeline/core/fp.ts";
import { uploadTensors } from "../../../../pipeline/programs/host_tensors.ts";
import { pix2pixhd } from "../../../../pipeline/programs/methods/pix2pixhd.ts";
import { tuning } from "../../../../pipeline/programs/methods/pix2pixhd_tuning.ts";
import { decodeRunConfig } from "../../../../pipeline/programs/run_config.ts";
import { expectRight } from "../../../models/support.ts";
import { clipOf, framesOf, goOn, l1Of, learnClip, reenact, type Trial, trying } from "./support.ts";

Deno.test("pix2pixHD has the original's parameters at 256", () => {
  const sizes = pix2pixhdSizes["paper-256"];
  // Counted by hand over the layers of the original: 182.4 M and 2.77 M for each scale.
  assert.equal(countNumbers(paintParameters(sizes)), 182_443_267);
  assert.equal(countNumbers(judgeParameters(sizes, 0)), 2_767_809);
  assert.equal(countNumbers(judgeParameters(sizes, 1)), 2_767_809);
});

const steps = 150;

const trial: Trial = {
  method: pix2pixhd,
  preset: "test-16",
  training: {
    steps,
    shots: 1,
    batch: 4,
    generatorRate: 2e-3,
    discriminatorRate: 5e-4,
    adversarial: 0.1,
    featureMatching: 1,
    rateDecay: { from: 0.5, to: 0.05 },
  },
  clip: clipOf(16),
};

Deno.test(`pix2pixHD overfits one clip in ${steps} steps`, () =>
  trying(trial, async (training) => {
    const { l1, flat } = await learnClip(training, trial.clip, steps, 1);
    assert.ok(l1 < 0.05, `L1 is ${l1}`);
    assert.ok(l1 < flat / 2, `L1 is ${l1}, that of the mean frame ${flat}`);
  }));

Deno.test("pix2pixHD goes on from a checkpoint as if it had never stopped", () =>
  trying(trial, async (training) => {
    const { env, setting, content } = training, files = await goOn(trial, training, 2);
    const { counters: _, ...state } = files.state;
    const broken = await pix2pixhd.restore(setting, content, {
      path: "memory",
      files: { ...files, state },
    })(env)();
    if (E.isRight(broken)) assert.fail("a checkpoint without counters was restored");
    assert.match(JSON.stringify(broken.left), /counters are not there/);
  }));

Deno.test("pix2pixHD's fine-tuning brings it nearer to the person and leaves the model alone", () =>
  trying(trial, async ({ env, training }) => {
    const config = decodeRunConfig({
      preset: "test-16",
      training: { content: [{ network: "pixels", taps: [], weight: 10 }] },
    });
    if (E.isLeft(config)) assert.fail(config.left.problems.join("\n"));
    const sources = (await framesOf(trial.clip)).slice(0, 4);
    const truths = sources.map(({ image }) => image);
    const { weights } = await expectRight(training.value.files(env));
    using trained = await expectRight(training.value.trained(env));
    const device = await expectRight(env.backend.run("weights", () => uploadTensors(weights)));
    const before = await reenact(env, trained.value.fewShot[0], sources, sources);
    const tuned = await reenact(env, tuning(config.right, device), sources, sources);
    env.backend.dispose(device);
    const after = await reenact(env, trained.value.fewShot[0], sources, sources);
    assert.ok(l1Of(tuned, truths) < 0.95 * l1Of(before, truths));
    assert.deepEqual(after, before);
  }));
