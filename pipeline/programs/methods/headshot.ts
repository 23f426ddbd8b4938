/**
 * The paper's own system as a method: E, G with P and D, trained adversarially; a person is an
 * embedding, and after fine-tuning networks of their own (sections 3.1 to 3.3).
 *
 * @module
 */
import type { Model } from "../../../models/adversarial.ts";
import type { ContentNetworks } from "../../../models/content_loss.ts";
import {
  exactUpdates,
  fineTunings,
  fineTuningSteps,
  leastUpdates,
} from "../../../models/fine_tuning.ts";
import { projectEmbedding, splitCoefficients } from "../../../models/generator.ts";
import { plainWeights, type Tensors } from "../../../models/parameters.ts";
import { countParameters, type PresetName } from "../../../models/presets.ts";
import { F, RTE } from "../../core/fp.ts";
import type { Frame } from "../../core/image.ts";
import { type Owned, owned, upload } from "../../core/owned.ts";
import { adversarialStep } from "../adversarial_step.ts";
import { embedFrames, embedPerson, foldModel } from "../embed.ts";
import { fineTune, type FineTuneOptions } from "../fine_tune.ts";
import type {
  FewShot,
  LearntPerson,
  MethodSetting,
  MethodTraining,
  TrainableMethod,
  TrainedMethod,
} from "../method.ts";
import { rasterizerOf } from "../person.ts";
import { openPerson, type PersonRenderer, renderLandmarks } from "../render.ts";
import { filesToState, stateToFiles } from "../state_files.ts";
import { loadModel, modelFrom, type TrainedModel } from "../trained_model.ts";
import { averagedWeights, createTrainState, settleRows, type TrainState } from "../train_state.ts";

/** Frames that are synthesised at once: bounds the memory of a long drive. */
const renderedAtOnce = 8;

const drivenByLandmarks = (renderer: Owned<PersonRenderer>): Owned<LearntPerson> =>
  owned({
    render: (frames) => {
      const chunks = Array.from(
        { length: Math.ceil(frames.length / renderedAtOnce) },
        (_, i) => frames.slice(i * renderedAtOnce, (i + 1) * renderedAtOnce),
      );
      return F.pipe(
        chunks,
        RTE.traverseSeqArray((chunk) =>
          renderLandmarks(renderer)(chunk.map(({ landmarks }) => landmarks))
        ),
        RTE.map((images) => images.flat()),
      );
    },
  }, () => renderer[Symbol.dispose]());

/** ê of T frames, used as it is, with folded weights that are on the device already. */
const quickly = (preset: PresetName, model: Model, weights: Tensors): FewShot => {
  const { architecture, gain } = model;
  return {
    name: "feed-forward",
    learn: F.flow(
      upload("few-shot embedding", (sources: readonly Frame[]) =>
        splitCoefficients(
          projectEmbedding(plainWeights(weights), embedFrames(model, weights, sources)),
          architecture,
          gain,
        )),
      RTE.map((affines) =>
        drivenByLandmarks(
          owned(
            { architecture, weights, affines: affines.value, rasterizer: rasterizerOf(preset) },
            () => affines[Symbol.dispose](),
          ),
        )
      ),
    ),
  };
};

/** Embedding, then fine-tuning (section 3.3), in the paper's way or another one. */
export const fineTuned = (
  model: TrainedModel,
  { name, ...options }: FineTuneOptions & { readonly name: string },
): FewShot => {
  const learn = (given: FineTuneOptions): FewShot["learn"] => (frames) =>
    F.pipe(
      embedPerson(model)(frames),
      RTE.flatMap((person) => fineTune(model, given)({ person, frames })),
      RTE.flatMap(openPerson),
      RTE.map(drivenByLandmarks),
    );
  const settings = { ...fineTunings[model.config.preset], ...options.settings };
  return {
    name,
    learn: learn(options),
    practice: {
      updates: (frames, least) =>
        fineTuningSteps({ ...settings, ...(least && leastUpdates(least)) }, frames),
      learn: (updates, copies = settings.movedCopies) =>
        learn({
          ...options,
          settings: { ...options.settings, ...exactUpdates(updates), movedCopies: copies },
        }),
    },
  };
};

const modelOf = (
  { preset: { architecture, training: { pooling, gain } } }: MethodSetting,
): Model => ({
  architecture,
  pooling,
  gain,
});

const trainingOf = (
  setting: MethodSetting,
  content: ContentNetworks,
  state: Owned<TrainState>,
): Owned<MethodTraining> =>
  owned({
    steps: () => state.value.step,
    step: adversarialStep(setting.preset, content, state),
    settle: settleRows(state),
    files: F.pipe(settleRows(state), RTE.flatMap(() => stateToFiles(state))),
    trained: F.pipe(
      averagedWeights(state),
      RTE.map((weights): Owned<TrainedMethod> =>
        owned(
          { fewShot: [quickly(setting.name, modelOf(setting), weights.value)] },
          () => weights[Symbol.dispose](),
        )
      ),
    ),
  }, () => state[Symbol.dispose]());

/** Feed-forward and fine-tuned (section 3.3), as `evaluate` compares them. */
const open: TrainableMethod["open"] = (model) =>
  F.pipe(
    upload("networks", foldModel)(model),
    RTE.map((weights): Owned<TrainedMethod> => {
      const { preset } = model.config;
      return owned({
        source: model.hash,
        fewShot: [
          quickly(preset, modelFrom(model.config), weights.value),
          fineTuned(model, { name: "fine-tuned" }),
        ],
      }, () => weights[Symbol.dispose]());
    }),
  );

/** Zakharov et al. 2019. */
export const headshot: TrainableMethod = {
  name: "headshot",
  about: "the paper's system: adversarial meta-learning, then few-shot learning",
  parameters: ({ name, sequences }) => ({ ...countParameters(name, sequences) }),
  create: (setting, content) =>
    F.pipe(
      createTrainState(setting.preset, setting.sequences),
      RTE.map((state) => trainingOf(setting, content, state)),
    ),
  restore: (setting, content, { path, files }) =>
    F.pipe(
      filesToState({ path, preset: setting.preset, sequences: setting.sequences, files }),
      RTE.map((state) => trainingOf(setting, content, state)),
    ),
  open,
  load: F.flow(loadModel, RTE.flatMap(open)),
};
