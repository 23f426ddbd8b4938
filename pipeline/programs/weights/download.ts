/**
 * Downloads of files whose SHA-256 is known beforehand: they go on where they were cut, and a file
 * is in its place only when its sum is right.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { abortedBy } from "../../core/abort.ts";
import type { Err } from "../../core/errors.ts";
import { fileProblem, openFile } from "../../core/files.ts";
import { E, type TaskEither } from "../../core/fp.ts";
import { MAX_FILE_BYTES } from "../../core/safetensors.ts";

/** What is downloaded, and where to. */
export interface Download {
  readonly url: string;
  /** SHA-256 in lower-case hex, whole or at least its first 8 digits. */
  readonly sha256: string;
  /** Where the file is put; a piece of it lies beside as `PATH.part`. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Told of bytes that are there, and of all that will be where the server says so. */
  readonly progress?: (done: number, of: number | undefined) => void;
  /** How often a cut connection is taken up again. Default 3. */
  readonly retries?: number;
  /** A connection that is silent so long counts as cut, in milliseconds. Default 30 000. */
  readonly silence?: number;
}

type Failure = Err<"BadFile" | "Aborted">;

/** What a piece of work ends with: it is done, may be tried again, or is hopeless. */
type Attempt =
  | { readonly kind: "whole" }
  | { readonly kind: "cut"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string };

const cut = (message: string): Attempt => ({ kind: "cut", message });
const failed = (message: string): Attempt => ({ kind: "failed", message });

const sizeOf = (path: string): Promise<number> => Deno.stat(path).then(({ size }) => size, () => 0);

/** The SHA-256 of a file in hex; undefined where there is none. */
export const fileSha256 = async (path: string): Promise<string | undefined> => {
  try {
    using file = await openFile(path);
    const hash = createHash("sha256");
    for await (const chunk of file.readable) hash.update(chunk);
    return hash.digest("hex");
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
};

/** Where the body of a response goes on, and how large the whole is; undefined where it is no range. */
const rangeOf = (response: Response): { readonly start: number; readonly total?: number } => {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(
    response.headers.get("content-range") ?? "",
  ) ?? [];
  const length = Number(response.headers.get("content-length") ?? NaN);
  if (response.status === 206 && start !== undefined) {
    return { start: Number(start), ...(total === "*" ? {} : { total: Number(total) }) };
  }
  return { start: 0, ...(Number.isFinite(length) ? { total: length } : {}) };
};

const fetchFrom = async (
  { url, signal }: Download,
  from: number,
): Promise<Response | Attempt> => {
  try {
    return await fetch(url, {
      signal,
      // Compressed answers have other lengths, and cannot be gone on with.
      headers: { "accept-encoding": "identity", ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
    });
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    return cause instanceof TypeError && /invalid url|scheme/i.test(problem)
      ? failed(`the address is ${JSON.stringify(url)}, expected an URL`)
      : cut(`the server cannot be reached (${problem.replace(/^.*?: /, "").slice(0, 200)})`);
  }
};

const nextChunk = async (
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  silence: number,
): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>> | "silent"> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waited = new Promise<"silent">((resolve) => {
    timer = setTimeout(() => resolve("silent"), silence);
  });
  try {
    return await Promise.race([reader.read(), waited]);
  } finally {
    clearTimeout(timer);
  }
};

/** Writes a body at the end of the piece. */
const append = async (
  file: Deno.FsFile,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  at: number,
  total: number | undefined,
  { progress, silence = 30_000 }: Download,
): Promise<Attempt> => {
  const reader = body.getReader();
  let done = at;
  try {
    for (;;) {
      let next: Awaited<ReturnType<typeof nextChunk>>;
      try {
        next = await nextChunk(reader, silence);
      } catch {
        return cut(`the connection was cut after ${done} bytes`);
      }
      if (next === "silent") return cut(`the server was silent after ${done} bytes`);
      if (next.done) break;
      done += next.value.length;
      if (done > MAX_FILE_BYTES) return failed(`it has more than ${MAX_FILE_BYTES} bytes`);
      for (let written = 0; written < next.value.length;) {
        written += await file.write(next.value.subarray(written));
      }
      progress?.(done, total);
    }
    await file.sync();
  } finally {
    await reader.cancel().catch(() => {});
  }
  return total === undefined || done === total
    ? { kind: "whole" }
    : done < total
    ? cut(`the connection was cut after ${done} of ${total} bytes`)
    : failed(`the server sent ${done} bytes, expected ${total}`);
};

const attempt = async (download: Download, part: string): Promise<Attempt> => {
  const have = await sizeOf(part);
  const response = await fetchFrom(download, have);
  if ("kind" in response) return response;
  const { status, body } = response;
  const { start, total } = rangeOf(response);
  if (status === 416 && have > 0) { // nothing is left to send, or the file there is another one
    await body?.cancel();
    return { kind: "whole" };
  }
  if (!response.ok || !body || (start !== 0 && start !== have)) {
    await body?.cancel();
    const message = `the server answered ${status}${start ? ` from byte ${start}` : ""}`;
    return status >= 500 || status === 429 ? cut(message) : failed(message);
  }
  if ((total ?? 0) > MAX_FILE_BYTES) {
    await body.cancel();
    return failed(`it has ${total} bytes, expected at most ${MAX_FILE_BYTES}`);
  }
  try {
    using file = await Deno.open(part, { write: true, create: true, truncate: start === 0 });
    await file.seek(start, Deno.SeekMode.Start);
    return await append(file, body, start, total, download);
  } catch (cause) {
    return failed(fileProblem(cause));
  }
};

const place = async (part: string, { path, sha256 }: Download): Promise<string | undefined> => {
  const found = await fileSha256(part) ?? "";
  if (!found.startsWith(sha256)) {
    await Deno.remove(part).catch(() => {});
    return `its SHA-256 is ${found}, expected ${sha256}${
      sha256.length < 64 ? "…" : ""
    }; it was removed`;
  }
  await Deno.rename(part, path);
  return undefined;
};

/**
 * Downloads a file to its place and gives its SHA-256. What is there already and has the right sum
 * is not loaded again; a piece is gone on with; a piece that ends with a wrong sum is loaded once
 * more from its start. `BadFile` in one sentence for everything that goes wrong.
 */
export const downloadFile = (download: Download): TaskEither<Failure, string> => async () => {
  const { url, path, sha256, signal, retries = 3 } = download, part = `${path}.part`;
  const refuse = (problem: string) =>
    E.left<Failure>({
      _tag: "BadFile",
      path,
      message: `Cannot fetch ${url}: ${problem}`,
    });
  if (!/^[0-9a-f]{8,64}$/.test(sha256)) {
    return refuse(`its SHA-256 is given as "${sha256}", expected 64 hexadecimal digits`);
  }
  try {
    const there = await fileSha256(path);
    if (there?.startsWith(sha256)) return E.right(there);
    let resumed = await sizeOf(part) > 0;
    for (let tries = 0;;) {
      const ended = await attempt(download, part);
      if (signal.aborted) {
        return E.left(abortedBy(signal));
      }
      if (ended.kind === "failed") return refuse(ended.message);
      if (ended.kind === "cut") {
        if (tries++ >= retries) return refuse(`${ended.message}; run it again to go on`);
        continue;
      }
      const wrong = await place(part, download);
      if (wrong === undefined) return E.right(await fileSha256(path) ?? "");
      if (!resumed) return refuse(wrong);
      resumed = false; // the piece may have been of another file
    }
  } catch (cause) {
    return refuse(fileProblem(cause));
  }
};
