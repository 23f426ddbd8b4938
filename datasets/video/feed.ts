/**
 * Running a video tool that reads pictures from a pipe: the other end of `process.ts`.
 *
 * @module
 */
import { type Ending, lastLine, tail } from "./process.ts";

/** A running program whose input is pushed. */
export interface Fed {
  /** Gives bytes; waits until they are taken. False where the program takes no more. */
  readonly push: (bytes: Uint8Array) => Promise<boolean>;
  /** Ends the input, waits for the program and tells how it ended. */
  readonly end: () => Promise<Ending>;
  /** Kills the program. Either this or {@link Fed.end} must be called in every case. */
  readonly kill: () => Promise<void>;
}

/** Nothing is taken for so long: the program hangs. In milliseconds. */
const STALL = 60_000;
/** An encoder may still have to write what it holds, and move it about for streaming. */
const LAST_STALL = 10 * STALL;

/** Starts a program that reads stdin; aborting the signal kills it. */
export const feed = (program: string, args: readonly string[], signal: AbortSignal): Fed => {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let ended = false, stalled = false;
  const status = child.status.then((result) => {
    ended = true;
    return result;
  });
  const stop = (): void => {
    if (!ended) child.kill("SIGKILL");
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const complaint = tail(child.stderr), writer = child.stdin.getWriter();
  writer.closed.catch(() => {}); // told by push and by the exit status
  const within = async <A>(milliseconds: number, work: Promise<A>): Promise<A> => {
    const timer = setTimeout(() => {
      stalled = true;
      stop();
    }, milliseconds);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  };
  const settle = async (): Promise<Ending> => {
    const { success } = await within(LAST_STALL, status);
    signal.removeEventListener("abort", stop);
    return { success, complaint: lastLine(await complaint), stalled };
  };
  return {
    push: (bytes) => within(STALL, writer.write(bytes).then(() => true, () => false)),
    end: async () => {
      await writer.close().catch(() => {});
      return await settle();
    },
    kill: async () => {
      stop();
      await writer.abort().catch(() => {});
      await settle();
    },
  };
};
