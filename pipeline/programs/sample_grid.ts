/**
 * The picture that a run shows of itself: one row a person never trained on.
 *
 * @module
 */
import { contactSheet } from "../../datasets/drawing.ts";
import { encodePng } from "../../datasets/codec.ts";
import type { Err } from "../core/errors.ts";
import { F, TE } from "../core/fp.ts";
import type { Image } from "../core/image.ts";
import { type RunFolder, writeSample } from "./checkpoint/run_folder.ts";
import { mapFrame } from "./device_batch.ts";
import type { Reenactment } from "./self_reenactment.ts";

/** How many source frames a row shows. */
const shownSources = 4;

/** Source frames | landmarks, ground truth, output of up to two targets: one row a person. */
export const sampleGrid = (reenactments: readonly Reenactment[]): Image => {
  const targets = Math.min(2, ...reenactments.map(({ outputs }) => outputs.length));
  const rows = reenactments.map(({ trial, outputs }) => [
    ...trial.sources.slice(0, shownSources).map(({ image }) => image),
    ...trial.targets.slice(0, targets).flatMap((target, i) => [
      mapFrame(target).map,
      target.image,
      outputs[i] ?? target.image,
    ]),
  ]);
  return contactSheet(rows.flat(), rows[0]?.length ?? 1, { gap: 2 });
};

/** Writes the grid of a step into the run folder and gives its path. */
export const writeGrid = (
  run: RunFolder,
  step: number,
  reenactments: readonly Reenactment[],
): TE.TaskEither<Err<"Checkpoint" | "BadFile">, string> =>
  F.pipe(
    encodePng(sampleGrid(reenactments)),
    TE.flatMap((bytes): TE.TaskEither<Err<"Checkpoint" | "BadFile">, string> =>
      writeSample(run, step, bytes)
    ),
  );
