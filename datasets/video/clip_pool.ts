/**
 * Workers that prepare clips, one a core. A worker that dies takes one clip with it: it is
 * reported and replaced.
 *
 * @module
 */
import { E, type TE } from "../../pipeline/core/fp.ts";
import { abortedBy } from "../../pipeline/core/abort.ts";
import type { ClipReply, ClipRequest } from "./clip_worker.ts";

/** Prepares clips on several cores. */
export interface ClipPool {
  /** Prepares a clip on the next free worker. */
  readonly prepare: (
    request: Extract<ClipRequest, { readonly kind: "prepare" }>,
  ) => TE.TaskEither<
    Extract<ClipReply, { readonly _tag: "Left" }>["left"],
    Extract<ClipReply, { readonly _tag: "Right" }>["right"]
  >;
  readonly close: () => void;
}

/** One worker: idle, or with one clip. */
const employ = (url: URL) => {
  const worker = new Worker(url.href, { type: "module", name: "clips" });
  let settle: ((reply: ClipReply) => void) | undefined;
  let dead: string | undefined;
  const answer = (reply: ClipReply): void => {
    settle?.(reply);
    settle = undefined;
  };
  const died = (why: string): void => {
    dead = why;
    worker.terminate();
    answer(E.left({
      _tag: "Backend",
      op: "clips",
      message: `a worker that prepares clips died (${why})`,
    }));
  };
  worker.onmessage = ({ data }: MessageEvent<ClipReply>) => answer(data);
  worker.onerror = (event) => {
    event.preventDefault();
    died(event.message);
  };
  return {
    alive: () => dead === undefined,
    run: (request: ClipRequest) =>
      new Promise<ClipReply>((resolve) => {
        settle = resolve;
        if (dead === undefined) worker.postMessage(request);
        else died(dead);
      }),
    stop: () => worker.postMessage({ kind: "stop" } satisfies ClipRequest),
    close: () => worker.terminate(),
  };
};

/** Makes a pool of up to `size` workers, started as they are needed. */
export const makeClipPool = (
  size: number,
  signal: AbortSignal,
  url: URL = new URL("./clip_worker.ts", import.meta.url),
): ClipPool => {
  const idle: ReturnType<typeof employ>[] = [];
  const busy = new Set<ReturnType<typeof employ>>();
  const waiting: (() => void)[] = [];
  const stop = (): void => busy.forEach((worker) => worker.stop());
  signal.addEventListener("abort", stop);
  return {
    prepare: (request) => async () => {
      while (busy.size >= size) await new Promise<void>((resolve) => waiting.push(resolve));
      if (signal.aborted) {
        waiting.shift()?.(); // pass it on: nobody else will
        return E.left(abortedBy(signal));
      }
      const worker = idle.pop() ?? employ(url);
      busy.add(worker);
      const reply = await worker.run(request);
      busy.delete(worker);
      if (worker.alive()) idle.push(worker);
      waiting.shift()?.();
      return signal.aborted && E.isLeft(reply) ? E.left(abortedBy(signal)) : reply;
    },
    close: () => {
      signal.removeEventListener("abort", stop);
      [...idle, ...busy].forEach((worker) => worker.close());
    },
  };
};
