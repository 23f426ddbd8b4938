/**
 * SIGINT and SIGTERM stop a run politely the first time and at once the second.
 *
 * @module
 */
import type { Aborted } from "./errors.ts";

/** The signals that stop a run. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** What happens on signals, replaceable for tests and for messages. */
export interface SignalOptions {
  /** Told at the first signal: the place to say that the step is being finished. */
  readonly onStop?: (signal: StopSignal) => void;
  /** Ends the process at the second signal with 130 or 143; `Deno.exit` by default. */
  readonly exit?: (code: number) => void;
}

// Windows has no SIGTERM to listen for.
const stops: readonly StopSignal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/**
 * Runs `use` with an `AbortSignal` that the first SIGINT or SIGTERM aborts, its reason an
 * {@link Aborted} value. The handlers are removed when `use` ends, however it ends.
 */
export const withSignals = async <A>(
  use: (signal: AbortSignal) => Promise<A>,
  { onStop, exit = Deno.exit }: SignalOptions = {},
): Promise<A> => {
  const controller = new AbortController();
  const handlers = stops.map((signal) => {
    const handle = (): void => {
      if (controller.signal.aborted) return exit(signal === "SIGTERM" ? 143 : 130);
      const reason: Aborted = { _tag: "Aborted", reason: `${signal} was received`, signal };
      controller.abort(reason);
      onStop?.(signal);
    };
    return { signal, handle };
  });
  for (const { signal, handle } of handlers) Deno.addSignalListener(signal, handle);
  try {
    return await use(controller.signal);
  } finally {
    for (const { signal, handle } of handlers) Deno.removeSignalListener(signal, handle);
  }
};
