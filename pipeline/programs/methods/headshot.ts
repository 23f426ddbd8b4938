/**
 * The paper's own system as a method: E, G with P and D, trained adversarially; a person is an
 * embedding, and after fine-tuning networks of their own (sections 3.1 to 3.3).
 *
 * @module
 */
import type { ContentNetworks } from "../../../models/content_loss.ts";
import { projectEmbedding, splitCoefficients } from "../../../models/generator.ts";
import { plainWeights, type Tensors } from "../../../models/parameters.ts";
import { countParameters } from "../../../models/presets.ts";
import { F, RTE } from "../../core/fp.ts";
import type { Frame } from "../../core/image.ts";
import { type Owned, owned, upload } from "../../core/owned.ts";
import { adversarialStep } from "../adversarial_step.ts";
import { embedPerson } from "../embed.ts";
import { averageEmbedding } from "../embed_average.ts";
import { fineTune } from "../fine_tune.ts";
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
import { loadModel, type TrainedModel } from "../trained_model.ts";
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

/** ê of T frames, used as it is, with weights that are on the device already. */
const quickly = ({ name, preset }: MethodSetting, weights: Tensors): FewShot => {
  const { architecture, training: { pooling, gain } } = preset;
  const model = { architecture, pooling, gain };
  return {
    name: "feed-forward",
    learn: F.flow(
      upload("few-shot embedding", (sources: readonly Frame[]) =>
        splitCoefficients(
          projectEmbedding(plainWeights(weights), averageEmbedding(model, weights, sources)),
          architecture,
          gain,
        )),
      RTE.map((affines) =>
        drivenByLandmarks(
          owned(
            { architecture, weights, affines: affines.value, rasterizer: rasterizerOf(name) },
            () => affines[Symbol.dispose](),
          ),
        )
      ),
    ),
  };
};

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
          { fewShot: [quickly(setting, weights.value)] },
          () => weights[Symbol.dispose](),
        )
      ),
    ),
  }, () => state[Symbol.dispose]());

/** Feed-forward and fine-tuned (section 3.3), as `evaluate` compares them. */
const learnt = (model: TrainedModel): TrainedMethod => ({
  source: model.hash,
  fewShot: [
    {
      name: "feed-forward",
      learn: F.flow(embedPerson(model), RTE.flatMap(openPerson), RTE.map(drivenByLandmarks)),
    },
    {
      name: "fine-tuned",
      learn: (frames) =>
        F.pipe(
          embedPerson(model)(frames),
          RTE.flatMap((person) => fineTune(model)({ person, frames })),
          RTE.flatMap(openPerson),
          RTE.map(drivenByLandmarks),
        ),
    },
  ],
});

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
  load: F.flow(loadModel, RTE.map((model) => owned(learnt(model), () => {}))),
};
