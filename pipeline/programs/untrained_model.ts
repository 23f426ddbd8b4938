/**
 * Networks that nobody has trained, as if from a checkpoint: for times, which do not depend on what
 * the networks know.
 *
 * @module
 */
import { type ContentNetworks, loadContentNetworks } from "../../models/content_loss.ts";
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { Owned } from "../core/owned.ts";
import { bracket } from "../core/stage.ts";
import type { MethodTraining, TrainableMethod } from "./method.ts";
import { presetOf, type RunConfig } from "./run_config.ts";
import type { TrainedModel } from "./trained_model.ts";

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** A method's networks as they start from the seed. Errors: those of backend and content. */
export const untrainedModel = (
  method: TrainableMethod,
  config: RunConfig,
): Program<TrainedModel> => {
  const setting = { name: config.preset, preset: presetOf(config), sequences: 1 };
  return bracket(
    () => loadContentNetworks(config.training.content),
    (content: Owned<ContentNetworks>): Program<TrainedModel> =>
      bracket(
        () => method.create(setting, content.value),
        (training: Owned<MethodTraining>): Program<TrainedModel> =>
          F.pipe(
            training.value.files,
            RTE.map(({ weights }): TrainedModel => ({
              path: "untrained networks",
              hash: "0".repeat(64),
              config,
              weights,
            })),
          ),
        (training) => training[Symbol.dispose](),
      )(undefined),
    (content) => content[Symbol.dispose](),
  )(undefined);
};
