/**
 * Running the video tools: argument arrays only, no shell, nothing on stdin, bounded memory, and
 * an end to every wait.
 *
 * @module
 */

/** How a program ended. */
export interface Ending {
  readonly success: boolean;
  /** The last line that it wrote to stderr, for people; empty where it wrote none. */
  readonly complaint: string;
  /** It was stopped because it gave nothing for too long. */
  readonly stalled: boolean;
}

/** A running program whose output is pulled. */
export interface Running {
  /** The next bytes of stdout, `undefined` at its end. */
  readonly pull: () => Promise<Uint8Array | undefined>;
  /** Ends the program if it still runs and tells how it ended. Must be called in every case. */
  readonly end: () => Promise<Ending>;
}

/** Nothing comes for so long: the program hangs. In milliseconds. */
const STALL = 60_000;
const COMPLAINT_BYTES = 4096;

/** The end of a stream as text; what came before is let go. */
const tail = async (stream: ReadableStream<Uint8Array>): Promise<string> => {
  let kept = new Uint8Array(0);
  for await (const chunk of stream) {
    const joined = new Uint8Array(kept.length + chunk.length);
    joined.set(kept);
    joined.set(chunk, kept.length);
    kept = joined.slice(-COMPLAINT_BYTES);
  }
  return new TextDecoder().decode(kept);
};

/** The last line of what a program said, without the name of its part. */
const lastLine = (text: string): string =>
  text.split("\n").map((line) => line.replace(/^\[[^\]]*\]\s*/, "").trim())
    .findLast((line) => line !== "") ?? "";

/** A program with one of its pipes open, and stderr; it must be settled in every case. */
export interface Launched {
  readonly child: Deno.ChildProcess;
  /** Kills it, where it still runs. */
  readonly kill: () => void;
  /** Kills it where `work` takes longer, which is a stall. */
  readonly within: <A>(milliseconds: number, work: Promise<A>) => Promise<A>;
  /** Waits for it and tells how it ended. */
  readonly settle: () => Promise<Ending>;
}

/** Starts a program; aborting the signal kills it. */
export const launch = (
  program: string,
  args: readonly string[],
  pipes: { readonly stdin: "piped" | "null"; readonly stdout: "piped" | "null" },
  signal: AbortSignal,
): Launched => {
  const child = new Deno.Command(program, { args: [...args], ...pipes, stderr: "piped" }).spawn();
  let ended = false, stalled = false;
  const status = child.status.then((result) => {
    ended = true;
    return result;
  });
  const kill = (): void => {
    if (!ended) child.kill("SIGKILL");
  };
  signal.addEventListener("abort", kill);
  if (signal.aborted) kill();
  const complaint = tail(child.stderr);
  return {
    child,
    kill,
    within: async (milliseconds, work) => {
      const timer = setTimeout(() => {
        stalled = true;
        kill();
      }, milliseconds);
      try {
        return await work;
      } finally {
        clearTimeout(timer);
      }
    },
    settle: async () => {
      const { success } = await status;
      signal.removeEventListener("abort", kill);
      return { success, complaint: lastLine(await complaint), stalled };
    },
  };
};

/** Starts a program whose output is pulled; aborting the signal kills it. */
export const start = (
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  stall: number = STALL,
): Running => {
  const { child, kill, within, settle } = launch(
    program,
    args,
    { stdin: "null", stdout: "piped" },
    signal,
  );
  const reader = child.stdout.getReader();
  return {
    pull: async () => (await within(stall, reader.read())).value,
    end: async () => {
      await reader.cancel();
      const timer = setTimeout(kill, 2_000); // a program that reads its end of the pipe exits itself
      const ending = await settle();
      clearTimeout(timer);
      return ending;
    },
  };
};

/** Runs a program to its end; its output, or `undefined` where that exceeds `limit` bytes. */
export const collect = async (
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  limit: number,
): Promise<{ readonly text: string | undefined; readonly ending: Ending }> => {
  const running = start(program, args, signal);
  const decoder = new TextDecoder();
  let text = "", bytes = 0;
  for (let chunk = await running.pull(); chunk !== undefined; chunk = await running.pull()) {
    bytes += chunk.length;
    if (bytes > limit) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: bytes > limit ? undefined : text, ending: await running.end() };
};
