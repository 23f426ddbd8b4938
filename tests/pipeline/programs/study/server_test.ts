/** The server of a study: what a rater gets, and what nobody gets. */
import assert from "node:assert/strict";
import { decodeImage } from "../../../../datasets/codec.ts";
import { inFolder } from "../../../e2e/support.ts";
import { expectRight } from "../../../models/support.ts";
import { orderFor, placesFor } from "../../../../pipeline/programs/study/order.ts";
import { beginRating, type Serving, serving, type Sketch, sketchStudy } from "./support.ts";

const onStudy = (
  test: (serving: Serving) => Promise<void>,
  sketch: Sketch = {},
  options: Parameters<typeof serving>[2] = {},
): Promise<void> =>
  inFolder(async (folder) => {
    await sketchStudy(folder, sketch);
    await serving(folder, test, options);
  });

const votesIn = ({ study }: Serving): number =>
  Number(study.database.prepare("SELECT count(*) AS n FROM vote").get()?.["n"]);

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

Deno.test("a rater sees each triplet as its order says, votes once for each, and comes to an end", () =>
  onStudy(async (served) => {
    const { url, study: { database, facts } } = served, rater = await beginRating(url);
    const order = orderFor(facts.triplets, facts.seed, 1);
    for (const [i, triplet] of order.entries()) {
      const number = i + 1, places = placesFor(facts.seed, 1, triplet);
      for (const place of [1, 2, 3]) {
        const picture = await rater.get(`/pictures/${number}/${place}.png`);
        assert.equal(picture.headers.get("content-type"), "image/png");
        assert.equal(picture.headers.get("cache-control"), "no-store");
        const { data } = await expectRight(
          decodeImage(await picture.bytes(), "picture"),
        );
        assert.equal(data[0] === 255, places[place - 1] === 0, "the fake is red");
      }
      const voted = await rater.vote({ number, place: 2, seconds: 0.5 });
      assert.deepEqual([voted.status, await voted.json()], [
        200,
        { total: order.length, done: number, begun: true },
      ]);
      const kept = database.prepare("SELECT place, slot FROM vote WHERE triplet = ?").get(triplet);
      assert.deepEqual({ ...kept }, { place: 2, slot: places[1] });
    }
    const past = await rater.vote({ number: order.length + 1, place: 1 });
    assert.equal(past.status, 409);
    await past.body?.cancel();
  }, { people: 3, targets: 2 }));

Deno.test("a vote does not change, none is skipped, and who comes back goes on", () =>
  onStudy(async (served) => {
    const { url } = served, rater = await beginRating(url);
    const refusals = [
      [{ number: 2, place: 1 }, 409, /triplet 2 is not the next one, expected 1/],
      [{ number: 1, place: 1 }, 200, /"done":1/],
      [{ number: 1, place: 3 }, 409, /triplet 1 is answered, votes do not change.*"done":1/],
    ] as const;
    for (const [vote, status, says] of refusals) {
      const answer = await rater.vote(vote);
      assert.equal(answer.status, status);
      assert.match(await answer.text(), says);
    }
    const state = await (await rater.get("/api/study")).json();
    assert.deepEqual(state, { total: 4, done: 1, begun: true });
    assert.equal(votesIn(served), 1);
    for (const path of ["/pictures/1/1.png", "/pictures/4/1.png"]) {
      const other = await rater.get(path);
      assert.equal(other.status, 404, `${path}: before or long after where the rater is`);
      await other.body?.cancel();
    }
    const stranger = await fetch(`${url}/pictures/2/1.png`);
    assert.equal(stranger.status, 404);
    await stranger.body?.cancel();
  }));

Deno.test("nothing that is sent tells which picture is the fake", () =>
  onStudy(async ({ url, study: { database } }) => {
    const rater = await beginRating(url);
    const sent: string[] = [];
    for (const path of ["/", "/study.js", "/study.css", "/api/study"]) {
      const answer = await rater.get(path);
      assert.equal(answer.status, 200, path);
      sent.push(JSON.stringify([...answer.headers]), await answer.text());
    }
    const vote = await rater.vote({ number: 1, place: 1 });
    sent.push(JSON.stringify([...vote.headers]), await vote.text());
    const secrets = ["ours", "feed-forward", "p0", "p1", "slot", "lonely"];
    for (const secret of secrets) {
      assert.ok(!sent.slice(6).concat(sent[0] ?? "").join("\n").includes(secret), secret);
      assert.ok(!rater.cookie.includes(secret));
    }
    // Of the pictures all headers but length and time are the same.
    const headers = await Promise.all([1, 2, 3].map(async (place) => {
      const picture = await rater.get(`/pictures/2/${place}.png`);
      await picture.body?.cancel();
      return JSON.stringify([...picture.headers].filter(([name]) => !/date|length/.test(name)));
    }));
    assert.equal(new Set(headers).size, 1);
    assert.equal(database.prepare("SELECT count(*) AS n FROM rater").get()?.["n"], 1);
  }));

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
    { patience: 300 },
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

Deno.test("1,000 raters at once: every vote is kept; 1,000 votes of one rater: one is", () =>
  onStudy(async (served) => {
    const { url, study: { database } } = served;
    const raters = await Promise.all(Array.from({ length: 1000 }, () => beginRating(url)));
    assert.equal(new Set(raters.map(({ cookie }) => cookie)).size, 1000);
    const answers = await Promise.all(raters.map(async (rater, i) => {
      const answer = await rater.vote({ number: 1, place: i % 3 + 1 });
      return [answer.status, (await answer.json()).done];
    }));
    assert.ok(answers.every(([status, done]) => status === 200 && done === 1));
    assert.equal(votesIn(served), 1000);
    const places = database.prepare("SELECT place, count(*) AS n FROM vote GROUP BY place").all();
    assert.deepEqual(places.map(({ n }) => n), [334, 333, 333]);
    const [one] = raters;
    assert.ok(one);
    const same = await Promise.all(Array.from({ length: 1000 }, async () => {
      const answer = await one.vote({ number: 2, place: 1 });
      await answer.body?.cancel();
      return answer.status;
    }));
    assert.equal(same.filter((status) => status === 200).length, 1);
    assert.equal(same.filter((status) => status === 409).length, 999);
    assert.equal(votesIn(served), 1001);
    assert.deepEqual(served.broken, []);
  }));
