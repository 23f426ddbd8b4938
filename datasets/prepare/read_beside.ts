/**
 * Frames out of shards, read and decoded on a worker beside whatever is computed here.
 *
 * @module
 */
import { besideUrl } from "../../pipeline/core/beside.ts";
import { E } from "../../pipeline/core/fp.ts";
import { type ReadReply, type ReadRequest, type ReadSamples, readSamples } from "./read_samples.ts";

/** What is answered for a worker that cannot answer. */
const DIED = "the worker died";
/** After so many idle milliseconds the worker ends, so that it keeps no process alive. */
const IDLE = 3000;

/**
 * Reads on a worker, so that decoding takes no time from the thread that trains. The worker starts
 * when it is needed and ends when it is idle; should it die, reading goes on here.
 */
export const readBeside = (
  url: URL = besideUrl("read_worker", import.meta.url),
): ReadSamples => {
  const waiting = new Map<number, (reply: ReadReply["read"]) => void>();
  let worker: Worker | undefined, next = 0, died = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (): void => {
    worker?.terminate();
    worker = undefined;
  };
  const start = (): Worker => {
    const started = new Worker(url.href, { type: "module", name: "frames" });
    started.onmessage = ({ data: { id, read } }: MessageEvent<ReadReply>) => {
      waiting.get(id)?.(read);
      waiting.delete(id);
      if (waiting.size > 0) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (waiting.size === 0) end();
      }, IDLE);
    };
    started.onerror = (event) => {
      event.preventDefault();
      died = true;
      end();
      waiting.forEach((settle) => settle(E.left(DIED)));
      waiting.clear();
    };
    return started;
  };
  return async (places, size) => {
    if (died) return await readSamples(places, size);
    const id = next++;
    const answered = new Promise<ReadReply["read"]>((resolve) => waiting.set(id, resolve));
    clearTimeout(timer);
    (worker ??= start()).postMessage({ id, places, size } satisfies ReadRequest);
    const read = await answered;
    return E.isLeft(read) && read.left === DIED ? await readSamples(places, size) : read;
  };
};
