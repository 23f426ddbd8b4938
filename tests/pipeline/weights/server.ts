/** A file server for tests of downloads: ranges, cuts, silence, wrong answers. */

/** How it behaves on its n-th request; what is left out is as it should be. */
export interface Manners {
  /** Ends the connection after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Sends the whole file whatever range is asked for. */
  readonly ignoreRange?: boolean;
  /** Answers with this status and no file. */
  readonly status?: number;
  /** Goes silent after so many bytes. */
  readonly silentAfter?: number;
  /** Claims that the file is longer by so much. */
  readonly claimed?: number;
}

/** A running server. */
export interface FileServer {
  readonly url: string;
  /** The `range` headers of the requests that came. */
  readonly ranges: readonly (string | null)[];
  readonly close: () => Promise<void>;
}

/** Serves bytes on a free port of this machine; `manners` of the n-th request, the last for the rest. */
export const serveFile = (
  bytes: Uint8Array<ArrayBuffer>,
  manners: readonly Manners[] = [{}],
): FileServer => {
  const ranges: (string | null)[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const how = manners[Math.min(ranges.length, manners.length - 1)] ?? {};
      const range = request.headers.get("range");
      ranges.push(range);
      if (how.status !== undefined) return new Response("no", { status: how.status });
      const from = how.ignoreRange ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
      if (from >= bytes.length) return new Response(null, { status: 416 });
      const body = bytes.subarray(from), end = how.cutAfter ?? how.silentAfter ?? body.length;
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(body.subarray(0, end));
          // Closed early, against the length that was told: the connection breaks.
          if (how.silentAfter === undefined) controller.close();
        },
      });
      const partial = range !== null && !how.ignoreRange;
      return new Response(stream, {
        status: partial ? 206 : 200,
        headers: {
          "content-length": String(body.length + (how.claimed ?? 0)),
          ...(partial
            ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
            : {}),
        },
      });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/weights`,
    ranges,
    close: () => server.shutdown(),
  };
};
