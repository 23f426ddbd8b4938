/** A model that nobody trained, and frames of one person: enough to test few-shot learning with. */
import assert from "node:assert/strict";
import { syntheticHeads } from "../../../datasets/synthetic.ts";
import { type Backend, type Env, makeEnv } from "../../../pipeline/core/env.ts";
import { E } from "../../../pipeline/core/fp.ts";
import type { Frame } from "../../../pipeline/core/image.ts";
import { decodeRunConfig, presetOf } from "../../../pipeline/programs/run_config.ts";
import { stateToFiles } from "../../../pipeline/programs/state_files.ts";
import { createTrainState } from "../../../pipeline/programs/train_state.ts";
import type { TrainedModel } from "../../../pipeline/programs/trained_model.ts";
import { expectRight } from "../../models/support.ts";

const people = syntheticHeads({ size: 16, identities: 4, videos: 1, framesPerVideo: 12 });

/** Frames of one person at 16 pixels. */
export const framesOf = async (count: number, person = 0): Promise<readonly Frame[]> => {
  const sequence = people.train[person];
  assert.ok(sequence);
  return await expectRight(
    people.read(sequence, Array.from({ length: count }, (_, i) => i)),
  );
};

/** An untrained model of the test preset, as if from a checkpoint. */
export const untrainedModel = async (env: Env, gain = "raw"): Promise<TrainedModel> => {
  const config = decodeRunConfig({ preset: "test-16", training: { gain } });
  if (E.isLeft(config)) assert.fail(config.left.problems.join("\n"));
  using state = await expectRight(createTrainState(presetOf(config.right), 3)(env));
  const { weights } = await expectRight(stateToFiles(state)(env));
  return { path: "untrained", hash: "ab".repeat(32), config: config.right, weights };
};

/** An environment whose events are dropped. */
export const envOf = (backend: Backend, seed = 1): Env => makeEnv({ backend, seed });
