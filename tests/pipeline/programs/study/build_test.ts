/** Triplets of synthetic heads, who is left out, and studies that are stopped. */
import assert from "node:assert/strict";
import type { Dataset } from "../../../../datasets/dataset.ts";
import { decodeImage } from "../../../../datasets/codec.ts";
import { syntheticHeads } from "../../../../datasets/synthetic.ts";
import type { Env } from "../../../../pipeline/core/env.ts";
import { makeRng } from "../../../../pipeline/core/rng.ts";
import { E, RTE, TE } from "../../../../pipeline/core/fp.ts";
import { owned } from "../../../../pipeline/core/owned.ts";
import type { NamedMethod } from "../../../../pipeline/programs/evaluate/answers.ts";
import { nearest } from "../../../../pipeline/programs/methods/nearest.ts";
import { buildStudyOf, type StudyOf } from "../../../../pipeline/programs/study/build.ts";
import { openStudy, sizeOf } from "../../../../pipeline/programs/study/store.ts";
import { drawReals } from "../../../../pipeline/programs/study/triplets.ts";
import { inFolder } from "../../../e2e/support.ts";
import { expectRight } from "../../../models/support.ts";
import { withStudy } from "./support.ts";

const heads = syntheticHeads({ size: 16, identities: 6, heldOut: 5, framesPerVideo: 12 });
const names = [...new Set(heads.heldOut.map(({ identity }) => identity))];

/** Five people: the second has two videos, the third one, the fourth too few frames. */
const dataset: Dataset = {
  ...heads,
  heldOut: heads.heldOut.filter(({ identity, video }) =>
    !(identity === names[1] && video === "2") && !(identity === names[2] && video !== "0")
  ).map((sequence) => sequence.identity === names[3] ? { ...sequence, frames: 3 } : sequence),
};

const envOf = (signal = new AbortController().signal): Env => ({
  // Nothing here computes on a device: the compiler cannot see it.
  backend: undefined as never,
  rng: makeRng(1),
  emit: () => {},
  signal,
  now: () => 0,
});

const copying = async (): Promise<NamedMethod> => ({
  label: "nearest",
  trained: await expectRight(nearest.load("")(envOf())),
});

/** Learns nobody. */
const stubborn: NamedMethod = {
  label: "stubborn",
  trained: owned({
    fewShot: [{
      name: "never",
      learn: () => RTE.left({ _tag: "NonFinite", step: 3, where: "a loss" }),
    }],
  }, () => {}),
};

const studyOf = async (out: string, change: Partial<StudyOf> = {}): Promise<StudyOf> => ({
  dataset,
  protocol: { shots: [1, 4], people: 50, frames: 3 },
  methods: [await copying()],
  seed: 1,
  rounds: 1,
  out,
  ...change,
});

Deno.test("triplets: a fake of one video, two real frames of two others; the rest is counted", () =>
  inFolder(async (folder) => {
    const size = await expectRight(buildStudyOf(await studyOf(folder))(envOf()));
    assert.deepEqual([size.triplets, size.people, size.methods], [12, 2, ["nearest, copy"]]);
    const excluded = size.excluded.map(({ person, reason }) => [person, reason]);
    assert.deepEqual(excluded, [
      [names[1], "fewer than three videos"],
      [names[2], "fewer than three videos"],
      [names[3], "too few frames"],
      [names[3], "too few frames"],
    ]);
    await withStudy(folder, async ({ database }) => {
      const rows = database.prepare(
        "SELECT person, slot, video, frame, png FROM picture JOIN triplet ON triplet = id",
      ).all();
      assert.equal(rows.length, 36);
      for (const { person, slot, video, frame, png } of rows) {
        assert.equal(slot === 0, video === "0", "the fake is of the first video");
        assert.ok(png instanceof Uint8Array);
        const image = await expectRight(decodeImage(png, "picture"));
        if (slot === 0) continue;
        const sequence = { identity: String(person), video: String(video), frames: 12 };
        const [real] = await expectRight(heads.read(sequence, [Number(frame)]));
        assert.deepEqual(image.data, real?.image.data, "a real picture is a real frame");
      }
      const seen = rows.filter(({ slot }) => slot !== 0)
        .map(({ person, video, frame }) => `${person}/${video}/${frame}`);
      assert.equal(new Set(seen).size, seen.length, "a real frame came twice");
    });
  }));

Deno.test("real frames: none again before every frame of its video has come", () => {
  const [a, b] = ["a", "b"].map((video) => ({ identity: "p", video, frames: 4 }));
  assert.ok(a && b);
  const pairs = drawReals([a, b], 8, makeRng(5).draw());
  for (const video of ["a", "b"]) {
    const indices = pairs.map((pair) =>
      pair.find(({ sequence }) => sequence.video === video)?.index
    );
    for (const half of [indices.slice(0, 4), indices.slice(4)]) {
      assert.deepEqual(half.toSorted(), [0, 1, 2, 3]);
    }
  }
});

Deno.test("a method that learns nobody is a line each, the others are shown", () =>
  inFolder(async (folder) => {
    const methods = [stubborn, await copying()];
    const study = await studyOf(folder, { methods });
    const size = await expectRight(buildStudyOf(study)(envOf()));
    assert.deepEqual([size.triplets, size.methods], [12, ["nearest, copy"]]);
    const refused = size.excluded.filter(({ reason }) => reason === "not answered");
    assert.equal(refused.length, 4);
    assert.match(refused[0]?.detail ?? "", /^T = 1, stubborn, never: .*a loss is not finite/);
  }));

Deno.test("ways to learn a person: only those that are asked for, and no others that nobody has", () =>
  inFolder(async (folder) => {
    const asked = async (...only: readonly string[]) => {
      const methods = [{ ...stubborn, only }, await copying()];
      return await buildStudyOf(await studyOf(`${folder}/${only}`, { methods }))(envOf())();
    };
    const slip = await asked("nevver"), idle = await asked("copy"), some = await asked("never");
    assert.ok(E.isLeft(slip) && slip.left._tag === "Config");
    assert.match(slip.left.problems.join(), /--ways nevver: no method .*, expected never$/);
    assert.ok(E.isLeft(idle) && idle.left._tag === "Config");
    assert.match(idle.left.problems.join(), /of stubborn: none of its ways .* --ways with never$/);
    assert.ok(E.isRight(some) && some.right.triplets === 12);
  }));

Deno.test("nobody with three videos, nothing that can be shown: a sentence, no study to serve", () =>
  inFolder(async (folder) => {
    const pairs = { ...dataset, heldOut: dataset.heldOut.filter(({ video }) => video !== "2") };
    const none = await buildStudyOf(await studyOf(folder, { dataset: pairs }))(envOf())();
    assert.ok(E.isLeft(none) && none.left._tag === "Data");
    assert.match(none.left.message, /none of 5 held-out people has 3 videos/);
    const empty = await buildStudyOf(await studyOf(folder, { methods: [stubborn] }))(envOf())();
    assert.ok(E.isLeft(empty) && empty.left._tag === "Data");
    assert.match(empty.left.message, /nothing could be shown of 2 people .*not finite/);
    const opened = await openStudy(folder);
    assert.ok(E.isLeft(opened));
    assert.match(opened.left.message, /not built to its end/);
  }));

Deno.test("stopped in the middle and gone on with: the same study; another one is refused", () =>
  inFolder(async (folder) => {
    const all = async (path: string): Promise<string> => {
      const study = await expectRight(() => openStudy(path));
      const rows = study.database.prepare(
        "SELECT person, method, shots, target, slot, video, frame, hex(png) FROM picture " +
          "JOIN triplet ON triplet = id ORDER BY id, slot",
      ).all();
      const text = JSON.stringify([rows, sizeOf(study.database)]);
      study.database.close();
      return text;
    };
    await expectRight(buildStudyOf(await studyOf(`${folder}/whole`))(envOf()));
    const stop = new AbortController();
    let read = 0;
    const stopping: Dataset = {
      ...dataset,
      read: (sequence, indices) => {
        if (++read === 20) stop.abort("a test stops it");
        return dataset.read(sequence, indices);
      },
    };
    const parts = await studyOf(`${folder}/parts`);
    const ended = await buildStudyOf({ ...parts, dataset: stopping })(envOf(stop.signal))();
    assert.ok(E.isLeft(ended) && ended.left._tag === "Aborted");
    await expectRight(buildStudyOf(parts)(envOf()));
    assert.equal(await all(`${folder}/parts`), await all(`${folder}/whole`));
    await expectRight(TE.map(() => undefined)(buildStudyOf(parts)(envOf())));
    assert.equal(await all(`${folder}/parts`), await all(`${folder}/whole`));
    const other = await buildStudyOf({ ...parts, seed: 2 })(envOf())();
    assert.ok(E.isLeft(other) && other.left._tag === "Config");
    assert.match(other.left.problems.join(), /holds another one \(seed is 1, now 2\)/);
  }));
