/**
 * What users wait for: a step of meta-learning, a generated frame, an embedding.
 * Inputs are noise: time does not depend on them.
 *
 * @module
 */
import { type Tensor, tf } from "../backends/tf.ts";
import { loadContentNetworks } from "../models/content_loss.ts";
import { embed } from "../models/embedder.ts";
import { generate } from "../models/generator.ts";
import { plainWeights } from "../models/parameters.ts";
import type { Preset } from "../models/presets.ts";
import type { HasBackend, HasClock, HasRng } from "../pipeline/core/env.ts";
import { owned } from "../pipeline/core/owned.ts";
import { adversarialStep } from "../pipeline/programs/adversarial_step.ts";
import type { DeviceStep } from "../pipeline/programs/device_batch.ts";
import { averagedWeights, createTrainState } from "../pipeline/programs/train_state.ts";
import { type Effort, seconds, timeOf } from "../pipeline/core/timing.ts";
import { need } from "./untrained.ts";

/** Sequences in W where nothing else is asked for: all tables use as many. */
export const videosInW = 100;

type Env = HasBackend & HasRng & HasClock;

const images = (count: number, { architecture: { size } }: Preset): Tensor =>
  tf.randomUniform([count, size, size, 3], -1, 1);

const episode = (preset: Preset): DeviceStep => {
  const { batch, shots } = preset.training;
  return {
    step: 0,
    rows: Array.from({ length: batch }, (_, row) => row),
    parts: [{
      sources: images(batch * shots, preset),
      sourceLandmarks: images(batch * shots, preset),
      target: images(batch, preset),
      targetLandmarks: images(batch, preset),
      selector: tf.eye(batch),
    }],
  };
};

/** `preset` with the settings under which two implementations compare: content is pixels. */
export const comparable = (
  preset: Preset,
  { shots, batch }: { readonly shots: number; readonly batch: number },
): Preset => ({
  ...preset,
  training: {
    ...preset.training,
    shots,
    batch,
    accumulate: 1,
    discriminatorSteps: 2,
    match: { start: 80, end: 80, from: 0, to: 0 },
    matchRows: false,
    content: [{ network: "pixels", taps: [], weight: 1 }],
  },
});

/** A step of meta-learning to run again and again, on networks that nobody trained. */
export interface UntrainedStep {
  /** E, G and P once, D and W twice, the figures read; the seconds without making the inputs. */
  readonly run: () => Promise<number>;
  /** Gives the networks back. */
  readonly dispose: () => void;
}

/** Networks, optimisers and a row of W for each of `videos`. */
export const untrainedStep = async (
  env: Env,
  preset: Preset,
  videos: number,
): Promise<UntrainedStep> => {
  const { backend } = env;
  const content = await need(loadContentNetworks(preset.training.content)(env));
  const state = await need(createTrainState(preset, videos)(env));
  const step = adversarialStep(preset, content.value, state);
  return {
    run: async () => {
      const made = owned(await need(backend.run("inputs", () => episode(preset))), backend.dispose);
      return await seconds(async () => {
        const report = await need(step(made)(env));
        await need(backend.read("figures", () => report.value.values.data()));
        report[Symbol.dispose]();
      }, env.now);
    },
    dispose: () => {
      state[Symbol.dispose]();
      content[Symbol.dispose]();
    },
  };
};

/** Median seconds of one step of meta-learning. */
export const metaStepSeconds = async (
  env: Env,
  preset: Preset,
  effort: Effort,
  videos = videosInW,
): Promise<number> => {
  const step = await untrainedStep(env, preset, videos);
  try {
    return await timeOf(step.run, effort);
  } finally {
    step.dispose();
  }
};

/** A frame from a landmark image and an embedding, and an embedding of one frame; both read. */
export const inferenceSeconds = async (env: Env, preset: Preset, effort: Effort) => {
  const { backend } = env, { architecture, training } = preset;
  const state = await need(createTrainState(preset, 1)(env));
  const folded = await need(averagedWeights(state)(env)), weights = plainWeights(folded.value);
  state[Symbol.dispose]();
  const inputs = await need(backend.run("inputs", () => ({
    frame: images(1, preset),
    landmarks: images(1, preset),
    embedding: tf.randomUniform([1, architecture.embedding]),
  })));
  const read = (make: () => Tensor) => (): Promise<number> =>
    seconds(async () => {
      const made = await need(backend.run("inference", make));
      await need(backend.read("result", () => made.data()));
      backend.dispose(made);
    }, env.now);
  const { frame, landmarks, embedding } = inputs;
  const frameSeconds = await timeOf(
    read(() => generate(weights, architecture, landmarks, embedding, training.gain)),
    effort,
  );
  const embedSeconds = await timeOf(
    read(() => embed(weights, architecture, frame, landmarks, training.pooling)),
    effort,
  );
  backend.dispose(inputs);
  folded[Symbol.dispose]();
  return { frameSeconds, embedSeconds };
};
