/**
 * Workers that pack clips, one a core.
 *
 * @module
 */
import { besideUrl } from "../../pipeline/core/beside.ts";
import { F, TE } from "../../pipeline/core/fp.ts";
import type { Clip } from "../video/discover.ts";
import { badClip } from "../video/probe.ts";
import type { VideoTools } from "../video/tools.ts";
import { makeWorkerPool, WORKER_DIED, type WorkerPool } from "../video/worker_pool.ts";
import { isPhoto } from "./find_clips.ts";
import { writeRejected } from "./pack_clip.ts";
import type { PackError, PackFigures, PackRequest } from "./pack_worker.ts";
import type { PreparedSettings } from "./types.ts";

/** A clip to do. */
export interface ClipJob {
  readonly clip: Clip;
  /** Its piece and its record without their extensions. */
  readonly target: string;
}

/** Packs clips on several cores. */
export type PackPool = WorkerPool<PackRequest, PackError, PackFigures>;

/** Makes a pool of up to `size` workers, started as they are needed. */
export const makePackPool = (
  size: number,
  signal: AbortSignal,
  url: URL = besideUrl("pack_worker", import.meta.url),
): PackPool => makeWorkerPool(size, signal, url);

/**
 * Packs a clip; the death of a worker is forgiven once, the second time it is the clip's fault.
 * Errors: `BadSample` (noted beside the target), `Data`, `Backend`, `Aborted`.
 */
export const packClip = (
  pool: PackPool,
  tools: VideoTools | undefined,
  { size, frames, fps, format, quality, minFrames }: PreparedSettings,
  { clip, target }: ClipJob,
): TE.TaskEither<PackError, PackFigures> => {
  const least = isPhoto(clip) ? 1 : minFrames;
  const run = pool.run({
    kind: "pack",
    ...{ clip, tools, target },
    prepare: { size, framesPerClip: frames, framesPerSecond: fps, minFrames: least },
    pack: { format, quality, minFrames: least },
  });
  const died = (error: PackError): boolean => error._tag === "Backend" && error.op === WORKER_DIED;
  return F.pipe(
    run,
    TE.orElse((error) => died(error) ? run : TE.left(error)),
    TE.orElse((error) => {
      if (!died(error)) return TE.left(error);
      const bad = badClip(clip.key, "unreadable", "its worker died twice");
      return F.pipe(
        writeRejected(target, bad),
        TE.flatMap((): TE.TaskEither<PackError, PackFigures> => TE.left(bad)),
      );
    }),
  );
};
