/**
 * The dataset that a configuration names: synthetic heads, prepared videos, or a folder of videos.
 *
 * @module
 */
import type { Dataset } from "../../datasets/dataset.ts";
import { type VideoFolder, videoFolder } from "../../datasets/folder.ts";
import { isPrepared, preparedVideos } from "../../datasets/prepared.ts";
import { syntheticHeads } from "../../datasets/synthetic.ts";
import { lostPeople } from "../../datasets/video/lost.ts";
import type { HasAbort, HasEvents } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { F, RTE } from "../core/fp.ts";
import { presetOf, type RunConfig } from "./run_config.ts";

/** What an evaluation wants that training does not. */
export interface DatasetOptions {
  /** Frames of a sequence: sampled so densely, or drawn so many. */
  readonly frames?: number;
  /** Whom prepared videos hold out: those that training watches, or those nobody has looked at. */
  readonly heldOut?: "validation" | "test";
}

/** What training has of a clip, and of a synthetic video. */
const framesOfClip = 48, framesOfVideo = 24;

const withLost = (share: number) => async (folder: VideoFolder): Promise<Dataset> => {
  const { train, heldOut, report: { rejected } } = folder;
  return { ...folder, lost: await lostPeople([...train, ...heldOut], rejected, share) };
};

const openFolder = (
  { data, cache, heldOutShare }: RunConfig,
  size: number,
  { frames = 0, heldOut = "validation" }: DatasetOptions,
): RTE.ReaderTaskEither<HasEvents & HasAbort, PipelineError, Dataset> => {
  const folder: RTE.ReaderTaskEither<HasEvents & HasAbort, PipelineError, Dataset> = F.pipe(
    videoFolder({
      ...{ path: data, size, cache, heldOutShare },
      framesPerClip: Math.max(framesOfClip, frames),
    }),
    RTE.flatMap((found) => RTE.fromTask(() => withLost(heldOutShare)(found))),
  );
  return F.pipe(
    RTE.fromTask<boolean, HasEvents & HasAbort, PipelineError>(() => isPrepared(data)),
    RTE.flatMap((prepared) =>
      prepared ? RTE.fromTaskEither(preparedVideos({ path: data, size, heldOut })) : folder
    ),
  );
};

/**
 * Opens what `config.data` names: "synthetic", a folder that `prepare` made, or a folder of
 * videos; sequences with fewer than K + 1 frames are left out.
 */
export const openDataset = (
  config: RunConfig,
  options: DatasetOptions = {},
): RTE.ReaderTaskEither<HasEvents & HasAbort, PipelineError, Dataset> => {
  const { architecture: { size }, training: { shots } } = presetOf(config);
  if (config.data === "synthetic") {
    const framesPerVideo = Math.max(framesOfVideo, options.frames ?? 0);
    return RTE.right(syntheticHeads({ size, seed: 1, framesPerVideo }));
  }
  return F.pipe(
    openFolder(config, size, options),
    RTE.map((dataset) => ({
      ...dataset,
      train: dataset.train.filter(({ frames }) => frames > shots),
    })),
    RTE.filterOrElseW(
      (dataset) => dataset.train.length > 0,
      (dataset): PipelineError => ({
        _tag: "Data",
        path: config.data,
        message: `Cannot train on ${dataset.name}: no sequence has ${shots + 1} frames with a ` +
          `face, expected at least one`,
      }),
    ),
  );
};
