/**
 * Running a video tool that reads pictures from a pipe: the other end of `process.ts`.
 *
 * @module
 */
import { type Ending, launch } from "./process.ts";

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
  const { child, kill, within, settle } = launch(
    program,
    args,
    { stdin: "piped", stdout: "null" },
    signal,
  );
  const writer = child.stdin.getWriter();
  writer.closed.catch(() => {}); // told by push and by the exit status
  const last = (): Promise<Ending> => within(LAST_STALL, settle());
  return {
    push: (bytes) => within(STALL, writer.write(bytes).then(() => true, () => false)),
    end: async () => {
      await writer.close().catch(() => {});
      return await last();
    },
    kill: async () => {
      kill();
      await writer.abort().catch(() => {});
      await last();
    },
  };
};
