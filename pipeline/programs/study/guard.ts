/**
 * What a server on somebody's own machine must not be talked into: answering to another name (DNS
 * rebinding), to other pages, to bodies without end.
 *
 * @module
 */
import { E } from "../../core/fp.ts";

/** An answer that refuses. */
export interface Refusal {
  /** The HTTP status. */
  readonly status: number;
  /** What is so, and what was expected. */
  readonly problem: string;
  /** Headers that the status asks for. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where a server listens, and what else it is called. */
export interface Listening {
  /** The address that it listens on: a name or an IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
  /** Other origins that lead to it, through a proxy say: "https://study.example.org". */
  readonly origins: readonly string[];
}

const loopback = ["127.0.0.1", "localhost", "[::1]"];
const everywhere = ["0.0.0.0", "[::]"];
const isAddress = (name: string): boolean => /^(\d+\.){3}\d+$|^\[/.test(name);
const bracketed = (hostname: string): string => hostname.includes(":") ? `[${hostname}]` : hostname;

const parsed = (url: string): URL | undefined => URL.canParse(url) ? new URL(url) : undefined;

/** The names by which a server may be called, as origins. */
const isOurs = ({ hostname, port, origins }: Listening, origin: string): boolean => {
  if (origins.some((known) => parsed(known)?.origin === origin)) return true;
  const url = parsed(origin), own = bracketed(hostname);
  if (!url || !/^http:/.test(origin) || Number(url.port || 80) !== port) return false;
  // Whoever listens everywhere does not know all of its addresses; a rebound name is none.
  return url.hostname === own || (loopback.includes(own) && loopback.includes(url.hostname)) ||
    (everywhere.includes(own) && (isAddress(url.hostname) || loopback.includes(url.hostname)));
};

/** The origins that a request's Host header may stand for. */
const originsOf = (host: string): readonly string[] =>
  /^[\w.:[\]-]+$/.test(host)
    ? ["http", "https"].flatMap((scheme) => parsed(`${scheme}://${host}`)?.origin ?? [])
    : [];

/**
 * Refuses a request that was meant for another server, or that another page sends: the Host must
 * be one of ours; an Origin, where there is one, must be the same.
 */
export const refuseStrangers = (
  listening: Listening,
  { headers }: Request,
): Refusal | undefined => {
  const host = headers.get("host") ?? "", origin = headers.get("origin");
  const called = originsOf(host).filter((each) => isOurs(listening, each));
  if (called.length === 0) {
    return { status: 421, problem: "Cannot answer: this server has another name" };
  }
  const site = headers.get("sec-fetch-site");
  const isForeign = (origin !== null && !called.includes(origin)) ||
    (origin === null && site === "cross-site" && headers.get("sec-fetch-mode") !== "navigate");
  return isForeign
    ? { status: 403, problem: "Cannot answer: another page asks, expected this study's own" }
    : undefined;
};

/** How a body is read. */
export interface BodyOptions {
  /** The most bytes. */
  readonly limit: number;
  /** The longest that it may take, in milliseconds. */
  readonly patience: number;
}

const late = Symbol("late");

const readBytes = async (
  body: ReadableStream<Uint8Array>,
  { limit, patience }: BodyOptions,
): Promise<E.Either<Refusal, Uint8Array>> => {
  const reader = body.getReader(), chunks: Uint8Array[] = [];
  const { promise: timeout, resolve } = Promise.withResolvers<typeof late>();
  const timer = setTimeout(() => resolve(late), patience);
  try {
    for (let size = 0;;) {
      const read = await Promise.race([reader.read(), timeout]);
      if (read === late) {
        return E.left({ status: 408, problem: "Cannot read the body: it does not come" });
      }
      if (read.done) return E.right(new Uint8Array(await new Blob(chunks as BlobPart[]).bytes()));
      size += read.value.length;
      if (size > limit) {
        return E.left({
          status: 413,
          problem: `Cannot read the body: it is too large, expected at most ${limit} bytes`,
        });
      }
      chunks.push(read.value);
    }
  } catch {
    return E.left({ status: 400, problem: "Cannot read the body: it was cut off" });
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => {});
  }
};

/** Reads a request's JSON; other types are refused, so that a plain form of another page is. */
export const readJson = async (
  { headers, body }: Request,
  options: BodyOptions,
): Promise<E.Either<Refusal, unknown>> => {
  const type = headers.get("content-type") ?? "none";
  if (!/^application\/json(\s*;|$)/i.test(type)) {
    return E.left({
      status: 415,
      problem: `Cannot read the body: its type is ${type.slice(0, 60)}, ` +
        "expected application/json",
    });
  }
  if (body === null) return E.left({ status: 400, problem: "Cannot read the body: there is none" });
  const bytes = await readBytes(body, options);
  if (E.isLeft(bytes)) return bytes;
  return E.tryCatch(
    () => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.right)) as unknown,
    () => ({ status: 400, problem: "Cannot read the body: it is no JSON, expected an object" }),
  );
};

/** What every answer carries: nothing is kept, framed, guessed, or loaded from elsewhere. */
export const safeHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
};
