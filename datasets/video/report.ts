/**
 * The account of how the clips of a folder were prepared.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import type { BadSample, RejectReason } from "../../pipeline/core/errors.ts";
import type { ClipIndex } from "./clip_file.ts";
import type { PreparedFigures } from "./clip_worker.ts";

/** Filled while clips are prepared, read when all are. */
export interface FolderReport {
  /** Clips of the folder. */
  readonly clips: number;
  /** Clips whose fate is known. */
  settled: number;
  /** Clips with frames. */
  usable: number;
  /** Usable frames. */
  frames: number;
  /** Clips that were in the cache already. */
  cached: number;
  /** Clips without, counted by reason. */
  readonly rejects: Map<RejectReason, number>;
  /** Clips without, each with its reason. */
  readonly rejected: BadSample[];
  /** Of the clips prepared by this run. */
  readonly figures: PreparedFigures[];
  /** From the first look at the folder to the last clip. */
  seconds: number;
}

/** The report before the first clip. */
export const emptyReport = (clips: number): FolderReport => ({
  clips,
  settled: 0,
  usable: 0,
  frames: 0,
  cached: 0,
  rejects: new Map(),
  rejected: [],
  figures: [],
  seconds: 0,
});

/** Enters a clip. */
export const noteClip = (report: FolderReport, clip: E.Either<BadSample, ClipIndex>): void => {
  report.settled++;
  if (E.isRight(clip)) {
    report.usable++;
    report.frames += clip.right.offsets.length - 1;
  } else {
    const { reason } = clip.left;
    report.rejects.set(reason, (report.rejects.get(reason) ?? 0) + 1);
    report.rejected.push(clip.left);
  }
};

/** The rejects for people: "no face 3, unreadable 1", most frequent first. */
export const describeReport = ({ rejects }: FolderReport): string =>
  [...rejects].sort((a, b) => b[1] - a[1])
    .map(([reason, count]) => `${reason} ${count}`).join(", ");
