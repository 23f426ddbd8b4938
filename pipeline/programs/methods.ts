/**
 * The methods that can be trained and compared, by name.
 *
 * @module
 */
import type { TalkingHeadMethod, TrainableMethod, TrainableName } from "./method.ts";
import { headshot } from "./methods/headshot.ts";
import { nearest } from "./methods/nearest.ts";
import { pix2pixhd } from "./methods/pix2pixhd.ts";
import { x2face } from "./methods/x2face.ts";

/** What `meta-train --method` takes. */
export const trainable: Readonly<Record<TrainableName, TrainableMethod>> = {
  headshot,
  x2face,
  pix2pixhd,
};

const untrained: readonly TalkingHeadMethod[] = [nearest];

/** The methods that need no run; what `evaluate --methods` takes. */
export const untrainedNames: readonly string[] = untrained.map(({ name }) => name);

/** All methods. */
export const methods: readonly TalkingHeadMethod[] = [...Object.values(trainable), ...untrained];
