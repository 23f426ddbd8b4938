/**
 * The methods that can be trained and compared, by name.
 *
 * @module
 */
import type { TalkingHeadMethod, TrainableMethod, TrainableName } from "./method.ts";
import { headshot } from "./methods/headshot.ts";
import { nearest } from "./methods/nearest.ts";

/** What `meta-train --method` takes. */
export const trainable: Readonly<Record<TrainableName, TrainableMethod>> = { headshot };

/** What `evaluate --methods` takes. */
export const methods: readonly TalkingHeadMethod[] = [...Object.values(trainable), nearest];
