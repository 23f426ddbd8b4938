/** Opening of a folder of videos, for its tests. */
import type { TrainEvent } from "../../pipeline/core/events.ts";
import { videoFolder, type VideoFolderOptions } from "../../datasets/folder.ts";

/** Opens a folder, and keeps what it tells. */
export const open = (options: VideoFolderOptions, signal = new AbortController().signal) => {
  const events: TrainEvent[] = [];
  const opened = videoFolder(options)({ emit: (event) => events.push(event), signal });
  return { opened, events };
};
