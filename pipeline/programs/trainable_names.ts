/**
 * Names of methods, apart from what a method is: configurations name them.
 *
 * @module
 */

/** The methods that `meta-train --method` takes. */
export const trainableNames = ["headshot", "x2face", "pix2pixhd"] as const;

/** The name of a method that can be trained. */
export type TrainableName = typeof trainableNames[number];
