/**
 * Serving a study to raters, until told to stop.
 *
 * @module
 */
import type { HasAbort } from "../../core/env.ts";
import type { Err } from "../../core/errors.ts";
import { E, type ReaderTaskEither } from "../../core/fp.ts";
import { loadAssets } from "./assets.ts";
import { brokenAnswer, studyHandler } from "./handler.ts";
import { openStudy } from "./store.ts";
import { countRaters, countVotes } from "./votes.ts";

/** Where a study is served. */
export interface ServeOptions {
  /** The study's folder. */
  readonly folder: string;
  /** The address to listen on; only this machine reaches a loopback address. */
  readonly hostname: string;
  /** The port; 0 takes a free one. */
  readonly port: number;
  /** Other origins that lead here, through a proxy say: "https://study.example.org". */
  readonly origins: readonly string[];
  /** Told once, with the address of the page. */
  readonly onListen: (url: string) => void;
  /** Told of what a request died of: a full disk, a bug. */
  readonly complain: (line: string) => void;
}

/** What there is when serving ends. */
export interface ServedStudy {
  /** Everybody who has begun. */
  readonly raters: number;
  /** All votes. */
  readonly votes: number;
}

const said = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause);

const whyNot = (hostname: string, port: number, cause: unknown): string => {
  if (cause instanceof Deno.errors.NotCapable) {
    return `it is not permitted (--allow-net=${hostname}:${port}), expected 127.0.0.1 or the ` +
      `command with that permission: deno run -R -W --allow-net=${hostname}:${port} cli.ts ` +
      "study serve …";
  }
  return cause instanceof Deno.errors.AddrInUse
    ? "another program listens there, expected a free --port"
    : `${said(cause)}, expected an address of this machine`;
};

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/**
 * Serves a study until the signal is aborted, which is how serving ends well: requests that are
 * being answered are answered, every vote is on the disk. Errors: `BadFile` (no whole study),
 * `Config` (nothing can listen there).
 */
export const serveStudy = (
  { folder, hostname, port, origins, onListen, complain }: ServeOptions,
): ReaderTaskEither<HasAbort, Err<"BadFile" | "Config">, ServedStudy> =>
({ signal }) =>
async () => {
  const opened = await openStudy(folder);
  if (E.isLeft(opened)) return opened;
  const study = opened.right, assets = await loadAssets();
  try {
    // The port is known only when it listens; nobody asks before.
    let handle = (_: Request): Promise<Response> => Promise.resolve(brokenAnswer());
    const listening = E.tryCatch(() =>
      Deno.serve({
        hostname,
        port,
        onListen: () => {},
        onError: (cause) => {
          complain(`Cannot answer a request: ${said(cause)}`);
          return brokenAnswer();
        },
      }, (request) => handle(request)), (cause): Err<"Config"> => ({
        _tag: "Config",
        problems: [`Cannot listen on ${hostname}:${port}: ${whyNot(hostname, port, cause)}`],
      }));
    if (E.isLeft(listening)) return listening;
    const server = listening.right, at = { hostname, port: server.addr.port, origins };
    handle = studyHandler({ study, assets, listening: at });
    const name = hostname.includes(":") ? `[${hostname}]` : hostname;
    onListen(`http://${name}:${at.port}/`);
    await untilAborted(signal);
    await server.shutdown();
    return E.right({ raters: countRaters(study.database), votes: countVotes(study.database) });
  } finally {
    study.database.close();
  }
};
