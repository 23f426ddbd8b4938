/**
 * pix2pixHD as a method (section 4 of the paper compares with it): trained on all people to paint
 * frames from landmark images, then fine-tuned on the T frames of one.
 *
 * @module
 */
import {
  allJudgeParameters,
  paintParameters,
  type Pix2pixHDArchitecture,
  pix2pixhdSizes,
} from "../../../models/baselines/pix2pixhd.ts";
import type { ContentNetworks } from "../../../models/content_loss.ts";
import type { Tensors } from "../../../models/parameters.ts";
import { F, RTE } from "../../core/fp.ts";
import { type Owned, owned } from "../../core/owned.ts";
import { rateFactor } from "../adversarial_step.ts";
import type { FewShot, MethodSetting, TrainableMethod } from "../method.ts";
import { openBaseline, readBaseline, trainBaseline } from "./baseline_model.ts";
import {
  type BaselineShape,
  type BaselineState,
  countBaseline,
  createBaseline,
  restoreBaseline,
} from "./baseline_state.ts";
import { advancePaint } from "./pix2pixhd_step.ts";
import { painting, tuning } from "./pix2pixhd_tuning.ts";

const shapeOf = (sizes: Pix2pixHDArchitecture): BaselineShape => ({
  networks: { generator: paintParameters(sizes), discriminators: allJudgeParameters(sizes) },
  running: [],
});

/** The networks as they are: one face for all people. */
const untuned = (sizes: Pix2pixHDArchitecture, weights: Tensors): FewShot => ({
  name: "untuned",
  learn: () => RTE.right(owned(painting(sizes, weights), () => {})),
});

const trainingOf =
  ({ name, preset: { training } }: MethodSetting, content: ContentNetworks) =>
  (state: Owned<BaselineState>) => {
    const sizes = pix2pixhdSizes[name];
    return trainBaseline(state, {
      advance: (now, { step, parts }) => {
        const factor = rateFactor(training, step);
        return advancePaint(
          {
            sizes,
            content,
            weights: training,
            rates: {
              generator: training.generatorRate * factor,
              discriminators: training.discriminatorRate * factor,
            },
          },
          now,
          parts.map(({ target, targetLandmarks }) => ({
            frames: target,
            landmarks: targetLandmarks,
          })),
        );
      },
      trained: (weights) => ({ fewShot: [untuned(sizes, weights)] }),
    });
  };

const open = openBaseline((config, weights) => [
  untuned(pix2pixhdSizes[config.preset], weights),
  tuning(config, weights),
]);

/** Wang et al. 2018. */
export const pix2pixhd: TrainableMethod = {
  name: "pix2pixhd",
  about: "pix2pixHD: paints frames from landmark images alone, fine-tuned on the source frames",
  parameters: ({ name }) => countBaseline(shapeOf(pix2pixhdSizes[name])),
  create: (setting, content) =>
    F.pipe(
      createBaseline(shapeOf(pix2pixhdSizes[setting.name])),
      RTE.map(trainingOf(setting, content)),
    ),
  restore: (setting, content, source) =>
    F.pipe(
      restoreBaseline(shapeOf(pix2pixhdSizes[setting.name]), source),
      RTE.map(trainingOf(setting, content)),
    ),
  open,
  load: F.flow(
    readBaseline(({ preset }) => shapeOf(pix2pixhdSizes[preset])),
    RTE.flatMap(open),
  ),
};
