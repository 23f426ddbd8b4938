/**
 * The line to the worker of the face networks: a question goes there, its reply comes back.
 *
 * @module
 */
import { E, type Either, type TaskEither } from "../pipeline/core/fp.ts";
import type { Err } from "../pipeline/core/errors.ts";
import type { FaceReply, FaceRequest } from "./face_worker.ts";

/** A failure of the face networks. */
export const failure = (op: string, message: string): Err<"Backend"> => ({
  _tag: "Backend",
  op,
  message,
});

/** The request without the number that pairs it with its reply. */
type Question = FaceRequest extends infer R ? R extends unknown ? Omit<R, "id"> : never : never;

/** Asks the worker; the values of its reply. */
export type Ask = (question: Question) => TaskEither<Err<"Backend">, Float32Array>;

/** Starts the worker and pairs requests with replies; a crash fails all that are open. */
export const startWorker = (url: URL): { readonly ask: Ask; readonly stop: () => void } => {
  const worker = new Worker(url.href, { type: "module", name: "face" });
  const open = new Map<number, (answer: Either<Err<"Backend">, Float32Array>) => void>();
  let next = 0;
  let stopped: string | undefined;
  const stop = (why: string): void => {
    if (stopped !== undefined) return;
    stopped = why;
    worker.terminate();
    for (const settle of open.values()) settle(E.left(failure("faces", why)));
    open.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<FaceReply>) => {
    const settle = open.get(data.id);
    open.delete(data.id);
    settle?.(
      data.error === undefined
        ? E.right(data.values)
        : E.left(failure("faces", `the face networks failed (${data.error})`)),
    );
  };
  worker.onerror = (event) => {
    event.preventDefault(); // otherwise the whole process ends
    stop(`the worker of the face networks died (${event.message})`);
  };
  worker.onmessageerror = () => stop("the worker of the face networks sent an unreadable reply");
  const ask: Ask = (question) => () =>
    stopped !== undefined
      ? Promise.resolve(E.left(failure("faces", stopped)))
      : new Promise((resolve) => {
        const id = next++;
        open.set(id, resolve);
        const request = { ...question, id };
        const transfer = "data" in request ? [request.data.buffer as ArrayBuffer] : [];
        worker.postMessage(request, transfer); // the picture is this module's own copy
      });
  return { ask, stop: () => stop("the face analyzer is closed") };
};
