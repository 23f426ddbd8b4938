/** The server of a study: what a rater gets, and what nobody gets. */
import assert from "node:assert/strict";
import { decodeImage } from "../../../../datasets/codec.ts";
import { expectRight } from "../../../models/support.ts";
import { orderFor, placesFor } from "../../../../pipeline/programs/study/order.ts";
import { beginRating, onStudy, votesIn } from "./support.ts";

Deno.test("a rater sees each triplet as its order says, votes once for each, and comes to an end", () =>
  onStudy(async (served) => {
    const { url, study: { database, facts } } = served, rater = await beginRating(url);
    const order = orderFor(facts, 1);
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

Deno.test("a full disk: no vote is answered for that is not kept, and there is no harm done", () =>
  onStudy(async (served) => {
    const { url, study: { database } } = served;
    const rater = await beginRating(url);
    const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
    database.exec(`PRAGMA max_page_count = ${pages}`);
    let raters = 0;
    for (;; raters++) { // until the last page is full
      const begun = await fetch(`${url}/api/raters`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: url },
        body: "{}",
      });
      const text = await begun.text();
      if (begun.status === 201) continue;
      assert.equal(begun.status, 500);
      assert.match(text, /the server has a problem, try again later/);
      break;
    }
    assert.match(served.broken.join(), /database or disk is full/);
    const { n } = database.prepare("SELECT count(*) AS n FROM rater").get() ?? {};
    assert.equal(n, raters + 1);
    database.exec(`PRAGMA max_page_count = ${pages + 100}`);
    const vote = await rater.vote({ number: 1, place: 1 });
    assert.deepEqual([vote.status, (await vote.json()).done, votesIn(served)], [200, 1, 1]);
    const whole = database.prepare("PRAGMA integrity_check").get();
    assert.deepEqual({ ...whole }, { integrity_check: "ok" });
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
