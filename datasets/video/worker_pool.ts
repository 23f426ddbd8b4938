/**
 * Workers that do one clip at a time, one a core. A worker that dies takes one clip with it: it is
 * reported and replaced.
 *
 * @module
 */
import { E, type TE } from "../../pipeline/core/fp.ts";
import { abortedBy } from "../../pipeline/core/abort.ts";
import type { Err } from "../../pipeline/core/errors.ts";

/** Tells a worker to end its clip as soon as it can. */
export interface StopRequest {
  readonly kind: "stop";
}

/** Does clips on several cores. */
export interface WorkerPool<Request, Er, A> {
  /** Does a clip on the next free worker. */
  readonly run: (request: Request) => TE.TaskEither<Er | Err<"Aborted" | "Backend">, A>;
  readonly close: () => void;
}

/** One worker: idle, or with one clip. */
const employ = <Request, Er, A>(url: URL) => {
  type Reply = E.Either<Er | Err<"Backend">, A>;
  const worker = new Worker(url.href, { type: "module", name: "clips" });
  let settle: ((reply: Reply) => void) | undefined;
  let dead: string | undefined;
  const answer = (reply: Reply): void => {
    settle?.(reply);
    settle = undefined;
  };
  const died = (why: string): void => {
    dead = why;
    worker.terminate();
    answer(E.left({
      _tag: "Backend",
      op: WORKER_DIED,
      message: `a worker that prepares clips died (${why})`,
    }));
  };
  worker.onmessage = ({ data }: MessageEvent<Reply>) => answer(data);
  worker.onerror = (event) => {
    event.preventDefault();
    died(event.message);
  };
  return {
    alive: () => dead === undefined,
    run: (request: Request) =>
      new Promise<Reply>((resolve) => {
        settle = resolve;
        if (dead === undefined) worker.postMessage(request);
        else died(dead);
      }),
    stop: () => worker.postMessage({ kind: "stop" } satisfies StopRequest),
    close: () => worker.terminate(),
  };
};

/** The op of the `Backend` error of a worker that died. */
export const WORKER_DIED = "clips";

/** Makes a pool of up to `size` workers of that module, started as they are needed. */
export const makeWorkerPool = <Request, Er, A>(
  size: number,
  signal: AbortSignal,
  url: URL,
): WorkerPool<Request, Er, A> => {
  type Employee = ReturnType<typeof employ<Request, Er, A>>;
  const idle: Employee[] = [];
  const busy = new Set<Employee>();
  const waiting: (() => void)[] = [];
  const stop = (): void => busy.forEach((worker) => worker.stop());
  signal.addEventListener("abort", stop);
  return {
    run: (request) => async () => {
      while (busy.size >= size) await new Promise<void>((resolve) => waiting.push(resolve));
      if (signal.aborted) {
        waiting.shift()?.(); // pass it on: nobody else will
        return E.left(abortedBy(signal));
      }
      const worker = idle.pop() ?? employ<Request, Er, A>(url);
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
