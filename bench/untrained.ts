/**
 * Somebody to measure with: networks that nobody trained, a synthetic person embedded by them.
 * Times do not depend on what networks know.
 *
 * @module
 */
import { syntheticHeads } from "../datasets/synthetic.ts";
import type { PresetName } from "../models/presets.ts";
import type { Env } from "../pipeline/core/env.ts";
import { type PipelineError, renderError } from "../pipeline/core/errors.ts";
import { E, type TaskEither } from "../pipeline/core/fp.ts";
import type { Frame } from "../pipeline/core/image.ts";
import { embedPerson } from "../pipeline/programs/embed.ts";
import { headshot } from "../pipeline/programs/methods/headshot.ts";
import type { Person } from "../pipeline/programs/person.ts";
import { decodeRunConfig } from "../pipeline/programs/run_config.ts";
import { modelFrom, type TrainedModel } from "../pipeline/programs/trained_model.ts";
import { untrainedModel } from "../pipeline/programs/untrained_model.ts";

/** The value of a task; a bench has no use for its failure. */
export const need = async <A>(task: TaskEither<PipelineError, A>): Promise<A> => {
  const result = await task();
  if (E.isLeft(result)) throw new Error(renderError(result.left));
  return result.right;
};

/** A preset's networks as they start; content is pixels, so that no weights of others are needed. */
export const untrained = async (env: Env, preset: PresetName): Promise<TrainedModel> => {
  const content = [{ network: "pixels", taps: [], weight: 10 }];
  const config = decodeRunConfig({ preset, training: { content } });
  if (E.isLeft(config)) throw new Error(renderError(config.left));
  return await need(untrainedModel(headshot, config.right)(env));
};

/** Frames of one synthetic person, crops of the model's size. // [T] */
export const framesOf = async (trained: TrainedModel, count: number): Promise<readonly Frame[]> => {
  const { size } = modelFrom(trained.config).architecture;
  const heads = syntheticHeads({ size, identities: 2, videos: 2 });
  const [sequence] = heads.train;
  if (!sequence) throw new Error("Cannot bench: there is nobody"); // a bug
  const indices = Array.from({ length: count }, (_, i) => i % sequence.frames);
  return await need(heads.read(sequence, indices));
};

/** That person, embedded from those frames. */
export const personOf = (
  env: Env,
  trained: TrainedModel,
  frames: readonly Frame[],
): Promise<Person<"embedded">> => need(embedPerson(trained)(frames)(env));
