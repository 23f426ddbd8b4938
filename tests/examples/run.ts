/** A run folder at the size of the tests, for examples that start from one: nobody trained it. */
import { createTrainState } from "../../pipeline/programs/train_state.ts";
import { openRun } from "../../pipeline/programs/checkpoint/run_folder.ts";
import { saveCheckpoint } from "../../pipeline/programs/checkpoint/store.ts";
import type { Env } from "../../pipeline/core/env.ts";
import { decodeRunConfig, presetOf } from "../../pipeline/programs/run_config.ts";
import { stateToFiles } from "../../pipeline/programs/state_files.ts";
import { TE } from "../../pipeline/core/fp.ts";
import { expectRight } from "../models/support.ts";

/** Writes a run of `test-16` with one checkpoint to a new folder. */
export const writeRun = async (path: string, env: Env): Promise<void> => {
  const config = await expectRight(
    TE.fromEither(decodeRunConfig({ preset: "test-16", run: path })),
  );
  using run = await expectRight(openRun({ path, config, resume: false })(env));
  using state = await expectRight(createTrainState(presetOf(config), 3)(env));
  const files = await expectRight(stateToFiles(state)(env));
  await expectRight(
    saveCheckpoint(run)({ step: 1, seed: 1, architecture: "test-16", config, ...files })(env),
  );
};
