/** The repository as a web server gives it out: no import map, every module by its URL. */

const root = new URL("../../", import.meta.url);

const types: Readonly<Record<string, string>> = {
  ts: "application/typescript",
  json: "application/json",
  wasm: "application/wasm",
};

/** A server of the repository's files on the loopback. */
export interface Served extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  /** "127.0.0.1:PORT". */
  readonly host: string;
  /** Paths asked for so far. */
  readonly asked: ReadonlySet<string>;
}

/** Serves the repository; `change` may give another text for a file. */
export const serveRepository = (
  change: (path: string, text: string) => string = (_, text) => text,
): Served => {
  const asked = new Set<string>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const path = new URL(request.url).pathname.slice(1);
      asked.add(path);
      const type = types[path.split(".").at(-1) ?? ""];
      const file = type && await Deno.readFile(new URL(path, root)).catch(() => undefined);
      if (!type || !file) return new Response("no such file", { status: 404 });
      const body = type === types.wasm ? file : change(path, new TextDecoder().decode(file));
      return new Response(body, { headers: { "content-type": type } });
    },
  );
  const host = `127.0.0.1:${server.addr.port}`;
  return { url: `http://${host}/`, host, asked, [Symbol.asyncDispose]: () => server.shutdown() };
};
