/** Requests that no page of a study sends: the server refuses them, goes on, and keeps nothing. */
import assert from "node:assert/strict";
import { beginRating, onStudy, votesIn } from "./support.ts";

/** Sends bytes as they are and reads what comes back; with `more` to come, until it is answered. */
const sendRaw = async (
  port: number,
  bytes: string | Uint8Array,
  more = false,
): Promise<string> => {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  for (let done = 0; done < data.length;) done += await connection.write(data.subarray(done));
  if (!more) await connection.closeWrite().catch(() => {});
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return await new Blob(chunks as BlobPart[]).text();
    chunks.push(buffer.slice(0, count));
    if (more) return await new Blob(chunks as BlobPart[]).text();
  }
};

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

const raw = (
  port: number,
  line: string,
  headers: readonly string[] = [],
  body = "",
  more = false,
): Promise<string> =>
  sendRaw(
    port,
    [`${line} HTTP/1.1`, `Host: 127.0.0.1:${port}`, "Connection: close", ...headers, "", body]
      .join("\r\n"),
    more,
  );

Deno.test("addresses: nothing outside of the study, whatever is in the path", () =>
  onStudy(async (served) => {
    const paths = [
      "/study.sqlite",
      "/../study.sqlite",
      "/..%2f..%2fetc%2fpasswd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/....//....//etc/passwd",
      "/pictures/../../etc/passwd",
      "/pictures/1/1.png%00.txt",
      "/pictures/-1/1.png",
      "/pictures/1/4.png",
      "/pictures/1e3/1.png",
      "/pictures/99999999999999999999/1.png",
      "/page/index.html",
      "//etc/passwd",
      "/%",
      "/%ff%fe",
      `/${"a".repeat(5000)}`,
      "/api/study/",
      "/__proto__",
      "/constructor",
    ];
    for (const path of paths) {
      const answer = await raw(served.port, `GET ${path}`);
      assert.equal(statusOf(answer), 404, `${path}: ${answer.slice(0, 80)}`);
      assert.ok(!answer.includes("root:"), path);
    }
    assert.deepEqual(served.broken, []);
  }));

Deno.test("methods: what an address does not do is 405 and says what it does", () =>
  onStudy(async ({ port }) => {
    const cases = [
      ["DELETE /", "GET, HEAD"],
      ["PUT /api/votes", "POST"],
      ["GET /api/votes", "POST"],
      ["POST /api/study", "GET, HEAD"],
      ["PATCH /pictures/1/1.png", "GET, HEAD"],
      ["constructor /", "GET, HEAD"],
    ] as const;
    for (const [line, allow] of cases) {
      const answer = await raw(port, line);
      assert.equal(statusOf(answer), 405, line);
      assert.match(answer, new RegExp(`\r\nallow: ${allow}\r\n`, "i"), line);
    }
    assert.equal(statusOf(await raw(port, "HEAD /")), 200);
  }));

Deno.test("bodies: too large, endless, slow, cut, of another type, no JSON, wrong values", () =>
  onStudy(
    async (served) => {
      const { url, port } = served, rater = await beginRating(url);
      const wrong = [
        ["", 400, /it is no JSON|there is none/],
        ["{", 400, /it is no JSON/],
        ["\u0000\u0001", 400, /it is no JSON/],
        ["[]", 400, /expected an object/],
        ["null", 400, /expected an object/],
        ['"1"', 400, /expected an object/],
        [{}, 400, /number is missing.*place is missing, expected 1, 2 or 3/],
        [{ number: 1, place: 4 }, 400, /place is 4, expected 1, 2 or 3/],
        [{ number: "1", place: 1 }, 400, /number is .*1.*, expected a positive integer/],
        [{ number: 1.5, place: 1 }, 400, /number is 1\.5/],
        [{ number: 1, place: 1, slot: 0 }, 400, /slot is not a key/],
        [{ number: 1, place: 1, seconds: -1 }, 400, /seconds is -1/],
        ['{"number":1,"place":1,"seconds":1e999}', 400, /seconds is Infinity/],
        [`${"[".repeat(1000)}`, 400, /it is no JSON/],
        [{ number: 1, place: 1, more: "x".repeat(5000) }, 413, /expected at most 1024 bytes/],
      ] as const;
      for (const [body, status, says] of wrong) {
        const answer = await rater.vote(body);
        const text = await answer.text();
        assert.equal(answer.status, status, `${JSON.stringify(body).slice(0, 60)}: ${text}`);
        assert.match(text, says);
      }
      const typed = await fetch(`${url}/api/votes`, {
        method: "POST",
        headers: { cookie: rater.cookie, origin: url },
        body: new URLSearchParams({ number: "1", place: "1" }),
      });
      assert.equal(typed.status, 415);
      await typed.body?.cancel();
      const nobody = await fetch(`${url}/api/votes`, {
        method: "POST",
        headers: { "content-type": "application/json", cookie: "study_x=1" },
        body: '{"number":1,"place":1}',
      });
      assert.equal(nobody.status, 401);
      await nobody.body?.cancel();
      const posted = ["Content-Type: application/json", `Cookie: ${rater.cookie}`];
      const chunk = `400\r\n${"x".repeat(1024)}\r\n`;
      const endless = await raw(
        port,
        "POST /api/votes",
        [...posted, "Transfer-Encoding: chunked"],
        chunk.repeat(50),
        true,
      );
      assert.equal(statusOf(endless), 413);
      const slow = await raw(port, "POST /api/votes", [...posted, "Content-Length: 20"], "{", true);
      assert.equal(statusOf(slow), 408);
      await raw(port, "POST /api/votes", [...posted, "Content-Length: 20"], "{"); // cut
      assert.equal(votesIn(served), 0);
      assert.deepEqual(served.broken, []);
    },
    {},
    { patience: 1500 },
  ));

Deno.test("other names and other pages: a rebound host, a foreign origin are refused", () =>
  onStudy(
    async (served) => {
      const { url, port } = served, rater = await beginRating(url);
      const ask = (host: string, more: readonly string[] = []) =>
        sendRaw(
          port,
          [`GET /api/study HTTP/1.1`, `Host: ${host}`, "Connection: close", ...more, "", ""]
            .join("\r\n"),
        );
      for (
        const host of [
          "evil.example",
          `evil.example:${port}`,
          `localhost.evil.example:${port}`,
          `127.0.0.1.nip.example:${port}`,
          "127.0.0.1",
          `127.0.0.1:${port + 1}`,
          `10.0.0.1:${port}`,
          "",
          "%",
          `a@127.0.0.1:${port}`,
        ]
      ) {
        const status = statusOf(await ask(host));
        assert.ok(status === 421 || status === 400, `${host}: ${status}`);
      }
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "study.example.org"]) {
        assert.equal(statusOf(await ask(host)), 200, host);
      }
      const vote = (headers: Readonly<Record<string, string>>) =>
        fetch(`${url}/api/votes`, {
          method: "POST",
          headers: { "content-type": "application/json", cookie: rater.cookie, ...headers },
          body: '{"number":1,"place":1}',
        });
      const foreign = [
        { origin: "http://evil.example" },
        { origin: "null" },
        { origin: `http://127.0.0.1:${port + 1}` },
        { origin: `https://127.0.0.1:${port}` },
        { origin: `http://localhost:${port}` }, // ours, but not the one that was called
        { origin: "https://study.example.org" },
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
      ];
      for (const headers of foreign) {
        const answer = await vote(headers);
        assert.equal(answer.status, 403, JSON.stringify(headers));
        await answer.body?.cancel();
      }
      assert.equal(votesIn(served), 0);
      const own = await vote({ origin: url, "sec-fetch-site": "same-origin" });
      assert.equal(own.status, 200);
      await own.body?.cancel();
    },
    {},
    { origins: ["https://study.example.org"] },
  ));

Deno.test("what is no HTTP: the server closes it and goes on", () =>
  onStudy(async (served) => {
    const { url, port } = served;
    const noise = crypto.getRandomValues(new Uint8Array(4096));
    for (
      const bytes of [
        noise,
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        `GET / HTTP/1.1\r\nX: ${"y".repeat(1_000_000)}\r\n\r\n`,
        "POST /api/votes HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        "POST /api/votes HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u0016\u0003\u0001\u0002\u0000\u0001",
      ]
    ) {
      const answer = await sendRaw(port, bytes);
      assert.ok(!/^HTTP\/1\.1 [25]/.test(answer), answer.slice(0, 100));
    }
    const state = await fetch(`${url}/api/study`);
    assert.equal(state.status, 200);
    await state.body?.cancel();
    assert.deepEqual(served.broken, []);
  }));
