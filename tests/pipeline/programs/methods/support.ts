/** What every method that can be trained must do, on one clip of one synthetic head. */
import assert from "node:assert/strict";
import type { StateFiles } from "../../../../pipeline/programs/state_files.ts";
import type { Dataset } from "../../../../datasets/dataset.ts";
import { episodes } from "../../../../datasets/sample.ts";
import { syntheticHeads } from "../../../../datasets/synthetic.ts";
import { type ContentNetworks, loadContentNetworks } from "../../../../models/content_loss.ts";
import { type Preset, type PresetName, presets } from "../../../../models/presets.ts";
import { fromIterable, runCollect, take, through } from "../../../../pipeline/core/flow.ts";
import { type Env, makeEnv } from "../../../../pipeline/core/env.ts";
import { F } from "../../../../pipeline/core/fp.ts";
import type { Frame, Image } from "../../../../pipeline/core/image.ts";
import type { Owned } from "../../../../pipeline/core/owned.ts";
import { landmarkMaps, toDevice } from "../../../../pipeline/programs/device_batch.ts";
import type {
  FewShot,
  MethodSetting,
  MethodTraining,
  TrainableMethod,
} from "../../../../pipeline/programs/method.ts";
import { expectRight, numbersOf, onBackend } from "../../../models/support.ts";

/** One clip of a head that moves a lot: the only one that is trained on. */
export const clipOf = (size: number, framesPerVideo = 12): Dataset =>
  syntheticHeads({
    size,
    identities: 2,
    videos: 1,
    framesPerVideo,
    secondsPerFrame: 0.5,
    heldOut: 1,
    seed: 7,
  });

/** All frames of the clip. */
export const framesOf = async (clip: Dataset): Promise<readonly Frame[]> => {
  const [sequence] = clip.train;
  assert.ok(sequence);
  return await expectRight(
    clip.read(sequence, Array.from({ length: sequence.frames }, (_, i) => i)),
  );
};

/** Mean |a − b| of pictures, in [0, 1]. */
export const l1Of = (a: readonly Image[], b: readonly Image[]): number => {
  let sum = 0, count = 0;
  a.forEach(({ data }, i) =>
    data.forEach((value, k) => {
      sum += Math.abs(value - (b[i]?.data[k] ?? NaN)) / 255;
      count++;
    })
  );
  return sum / count;
};

/** The picture that is the mean of all. */
export const meanOf = (images: readonly Image[]): Image => {
  const [first] = images;
  assert.ok(first);
  const data = first.data.map((_, k) =>
    Math.round(images.reduce((sum, image) => sum + (image.data[k] ?? 0), 0) / images.length)
  );
  return { ...first, data };
};

/** How a method is tried. */
export interface Trial {
  readonly method: TrainableMethod;
  readonly preset: PresetName;
  readonly training: Partial<Preset["training"]>;
  readonly clip: Dataset;
}

/** A preset with other training, for one sequence. */
export const settingOf = ({ preset, training }: Trial): MethodSetting => ({
  name: preset,
  preset: { ...presets[preset], training: { ...presets[preset].training, ...training } },
  sequences: 1,
});

/** A method in training, and how its steps are done. */
export interface Training {
  readonly env: Env;
  readonly setting: MethodSetting;
  readonly content: ContentNetworks;
  readonly training: Owned<MethodTraining>;
  /** Does this many steps; the figures of the last one. */
  readonly practise: (steps: number) => Promise<Readonly<Record<string, number>>>;
}

/** Does `steps` steps from where a training is. */
export const practise = async (
  env: Env,
  { preset: { training: { shots, batch } } }: MethodSetting,
  clip: Dataset,
  training: Owned<MethodTraining>,
  steps: number,
): Promise<Readonly<Record<string, number>>> => {
  let figures: Readonly<Record<string, number>> = {};
  const batches = await expectRight(
    F.pipe(
      episodes(clip, { shots, batch, from: training.value.steps() }),
      take(steps),
      runCollect,
    )(env),
  );
  for (const episode of batches) {
    const [report] = await expectRight(
      F.pipe(
        fromIterable([episode]),
        through(landmarkMaps),
        through(toDevice(1)),
        through(training.value.step),
        runCollect,
      )(env),
    );
    assert.ok(report);
    const { names, values } = report.value;
    const numbers = await numbersOf(values);
    figures = Object.fromEntries(names.map((name, i) => [name, numbers[i] ?? NaN]));
    report[Symbol.dispose]();
  }
  return figures;
};

/** Runs a test with a new state of a method on `wasm`; every tensor must be freed after it. */
export const trying = (trial: Trial, test: (training: Training) => Promise<void>): Promise<void> =>
  onBackend("wasm", async (backend) => {
    const env = makeEnv({ backend, seed: 4 }), setting = settingOf(trial);
    const content = await expectRight(loadContentNetworks(setting.preset.training.content)(env));
    {
      using training = await expectRight(trial.method.create(setting, content.value)(env));
      await test({
        env,
        setting,
        content: content.value,
        training,
        practise: (steps) => practise(env, setting, trial.clip, training, steps),
      });
    }
    content[Symbol.dispose]();
    assert.equal(backend.tensors(), 0, "tensors that stay behind");
  });

/** Learns a person from some frames and makes pictures for others. */
export const reenact = async (
  env: Env,
  fewShot: FewShot,
  sources: readonly Frame[],
  driving: readonly Frame[],
): Promise<readonly Image[]> => {
  using person = await expectRight(fewShot.learn(sources)(env));
  return await expectRight(person.value.render(driving)(env));
};

/** Trains on a clip: L1 of what is then made of its frames, and that of their mean. */
export const learnClip = async (
  { env, training, practise }: Training,
  clip: Dataset,
  steps: number,
  sources: number,
): Promise<{ readonly l1: number; readonly flat: number }> => {
  const frames = await framesOf(clip), truths = frames.map(({ image }) => image);
  await practise(steps);
  using trained = await expectRight(training.value.trained(env));
  const made = await reenact(env, trained.value.fewShot[0], frames.slice(0, sources), frames);
  const mean = meanOf(truths);
  return { l1: l1Of(made, truths), flat: l1Of(truths.map(() => mean), truths) };
};

/** Fails unless two steps after some others are the same from a checkpoint; gives its files. */
export const goOn = async (
  { method, clip }: Trial,
  { env, setting, content, training, practise: go }: Training,
  steps: number,
): Promise<StateFiles> => {
  await go(steps);
  const files = await expectRight(training.value.files(env));
  using second = await expectRight(
    method.restore(setting, content, { path: "memory", files })(env),
  );
  assert.equal(second.value.steps(), steps);
  const expected = await go(2);
  assert.deepEqual(await practise(env, setting, clip, second, 2), expected);
  return files;
};
