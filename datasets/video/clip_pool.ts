/**
 * Workers that prepare clips for the cache, one a core.
 *
 * @module
 */
import { besideUrl } from "../../pipeline/core/beside.ts";
import type { E, TE } from "../../pipeline/core/fp.ts";
import type { ClipReply, ClipRequest, PreparedFigures } from "./clip_worker.ts";
import { makeWorkerPool } from "./worker_pool.ts";

type PrepareRequest = Extract<ClipRequest, { readonly kind: "prepare" }>;
type PrepareError = ClipReply extends E.Either<infer Er, unknown> ? Er : never;

/** Prepares clips on several cores. */
export interface ClipPool {
  /** Prepares a clip on the next free worker. */
  readonly prepare: (request: PrepareRequest) => TE.TaskEither<PrepareError, PreparedFigures>;
  readonly close: () => void;
}

/** Makes a pool of up to `size` workers, started as they are needed. */
export const makeClipPool = (
  size: number,
  signal: AbortSignal,
  url: URL = besideUrl("clip_worker", import.meta.url),
): ClipPool => {
  const { run, close } = makeWorkerPool<PrepareRequest, PrepareError, PreparedFigures>(
    size,
    signal,
    url,
  );
  return { prepare: run, close };
};
