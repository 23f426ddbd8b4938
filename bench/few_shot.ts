/**
 * What the owner of a person waits for first: an update of fine-tuning.
 *
 * @module
 */
import { exactUpdates } from "../models/fine_tuning.ts";
import type { PresetName } from "../models/presets.ts";
import type { Env } from "../pipeline/core/env.ts";
import { type Effort, median } from "../pipeline/core/timing.ts";
import { fineTune } from "../pipeline/programs/fine_tune.ts";
import type { Person } from "../pipeline/programs/person.ts";
import type { TrainedModel } from "../pipeline/programs/trained_model.ts";
import type { Frame } from "../pipeline/core/image.ts";
import { framesOf, need, personOf, untrained } from "./untrained.ts";

/** Frames from which a person is fine-tuned. */
export const fineTuneShots: readonly number[] = [1, 8];

/** Seconds of one update of fine-tuning of that person: G′ and ψ′ once, D′ and w′, figures read. */
export const updateSeconds = async (
  env: Env,
  trained: TrainedModel,
  person: Person<"embedded">,
  frames: readonly Frame[],
  runs: number,
): Promise<number> => {
  const updates: number[] = [], warmUp = 2;
  const settings = { ...exactUpdates(warmUp + runs), watchEvery: 1 };
  await need(
    fineTune(trained, { settings })({ person, frames })({
      ...env,
      emit: (event) => {
        if (event._tag === "StepDone" && event.step > warmUp) updates.push(event.seconds);
      },
    }),
  );
  return median(updates);
};

/** The same by the number of frames, of an untrained preset. */
export const fineTuneSeconds = async (
  env: Env,
  preset: PresetName,
  { runs }: Effort,
): Promise<Readonly<Record<string, number>>> => {
  const trained = await untrained(env, preset), times: [string, number][] = [];
  for (const count of fineTuneShots) {
    const frames = await framesOf(trained, count), person = await personOf(env, trained, frames);
    times.push([`${count}`, await updateSeconds(env, trained, person, frames, runs)]);
  }
  return Object.fromEntries(times);
};
