/** What `prepare` knows before it opens a video: shares, splits, plans, tables. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E } from "../../pipeline/core/fp.ts";
import { findClips } from "../../datasets/prepare/find_clips.ts";
import { makePlan, splitPeople, workName } from "../../datasets/prepare/plan.ts";
import type { PreparedSettings } from "../../datasets/prepare/types.ts";
import { findShare } from "../../datasets/prepare/share.ts";
import { parseTable } from "../../datasets/prepare/table.ts";
import { left, right, withFolder } from "./video_fixtures.ts";

const settings: PreparedSettings = {
  ...{ size: 64, fps: 5, frames: 300, minFrames: 9, format: "jpeg", quality: 95 },
  ...{ validation: 0.1, test: 0.1, clipsPerShard: 1 },
};

Deno.test("prepare: the share of an array job", () => {
  const share = (shard: string | undefined, env: Record<string, string>) => {
    const found = findShare(shard, (name) => env[name]);
    return E.isRight(found) ? `${found.right.index}/${found.right.count}` : found.left.problems[0];
  };
  const slurm = {
    SLURM_ARRAY_TASK_ID: "3",
    SLURM_ARRAY_TASK_COUNT: "4",
    SLURM_ARRAY_TASK_MIN: "1",
  };
  assert.equal(share(undefined, {}), "0/1");
  assert.equal(share("2/8", slurm), "1/8");
  assert.equal(share(undefined, slurm), "2/4");
  assert.equal(share(undefined, { ...slurm, SLURM_PROCID: "0", SLURM_NTASKS: "1" }), "2/4");
  assert.equal(share(undefined, { SLURM_PROCID: "0", SLURM_NTASKS: "2" }), "0/2");
  const mpi = { OMPI_COMM_WORLD_RANK: "5", OMPI_COMM_WORLD_SIZE: "6" };
  assert.equal(share(undefined, mpi), "5/6");
  assert.equal(share("auto/4", { JOB_COMPLETION_INDEX: "3" }), "3/4");
  for (const wrong of ["0/2", "3/2", "1", "1/2/3", "-1/2", "a/b", "1/0", ""]) {
    assert.match(share(wrong, {}) ?? "", /^Cannot do part ".*": expected i\/n/, wrong);
  }
  assert.match(share("auto/4", {}) ?? "", /no array job says which/);
  assert.match(share("auto/3", { JOB_COMPLETION_INDEX: "3" }) ?? "", /expected --shard auto\/n/);
  assert.match(share(undefined, { JOB_COMPLETION_INDEX: "0" }) ?? "", /is not told/);
  assert.match(share(undefined, { ...slurm, SLURM_ARRAY_TASK_ID: "9" }) ?? "", /array with gaps/);
});

Deno.test("prepare: people are split by their names alone, everybody once", () => {
  const people = Array.from({ length: 400 }, (_, i) => `id${i}`);
  const splits = splitPeople(people, settings);
  const count = (split: string) => [...splits.values()].filter((each) => each === split).length;
  for (const split of ["validation", "test"]) {
    assert(count(split) > 20 && count(split) < 60, `${split} has ${count(split)}`);
  }
  const more = splitPeople([...people, "someone", "else"], settings);
  for (const name of people) assert.equal(more.get(name), splits.get(name));
  const few = (n: number, shares = settings) =>
    [...splitPeople(people.slice(0, n), shares).values()].sort().join();
  assert.equal(few(1), "train");
  assert.equal(few(2), "train,validation");
  assert.equal(few(3), "test,train,validation");
  assert.equal(few(3, { ...settings, test: 0 }), "train,train,validation");
  assert.equal(few(3, { ...settings, test: 0, validation: 0 }), "train,train,train");
});

Deno.test("prepare: a plan depends on names and sizes; copies of a file are found; n parts are all", () =>
  withFolder(async (root) => {
    for (let i = 0; i < 12; i++) {
      await Deno.mkdir(`${root}/id${i}/v`, { recursive: true });
      await Deno.writeTextFile(`${root}/id${i}/v/a.mp4`, `video ${i}`.repeat(20_000));
    }
    await Deno.copyFile(`${root}/id3/v/a.mp4`, `${root}/id7/v/b.mp4`);
    await Deno.writeFile(`${root}/id1/v/zero.mp4`, new Uint8Array());
    await Deno.writeFile(`${root}/id2/v/zero.mp4`, new Uint8Array());
    const plan = await makePlan(await right(findClips(root)), settings);
    assert.equal(plan.clips, 15);
    const rejects = plan.shards.flatMap(({ rejects }) => rejects);
    assert.deepEqual(rejects.map(({ key, reason }) => [key, reason]), [
      ["id7/v/b.mp4", "duplicate"],
    ]);
    const keys = plan.shards.flatMap(({ clips }) => clips.map(({ key }) => key));
    assert.equal(new Set(keys).size, 14);
    assert.equal(keys.length, 14);
    const homes = new Map<string, Set<string>>();
    for (const { name, clips } of plan.shards) {
      for (const { identity } of clips) {
        homes.set(identity, (homes.get(identity) ?? new Set()).add(name));
      }
    }
    assert([...homes.values()].every(({ size }) => size === 1));

    await Deno.utime(`${root}/id5/v/a.mp4`, 1, 1); // a copy of a folder has other times
    const touched = await makePlan(await right(findClips(root)), settings);
    assert.deepEqual(touched.shards.map(({ plan }) => plan), plan.shards.map(({ plan }) => plan));
    const [before, after] = [plan, touched].map((each) =>
      each.shards.flatMap(({ clips }) => clips).filter(({ identity }) => identity === "id5")
        .map((clip) => workName(clip, settings)).join()
    );
    assert.notEqual(before, after);
    await Deno.writeTextFile(`${root}/id5/v/a.mp4`, "another length");
    const changed = await makePlan(await right(findClips(root)), settings);
    const others = changed.shards.filter(({ plan: own }, i) => own !== plan.shards[i]?.plan);
    assert.deepEqual(others.map(({ name }) => [name]), [[...homes.get("id5") ?? []]]);
  }));

Deno.test("prepare: tables as spreadsheets write them", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "é", " ", "'") });
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  fc.assert(fc.property(
    fc.array(fc.tuple(cell, cell), { minLength: 1 }),
    fc.constantFrom("\n", "\r\n"),
    fc.boolean(),
    (rows, end, lastEnd) => {
      const lines = ["file,identity", ...rows.map((row) => row.map(quote).join(","))];
      const parsed = parseTable(lines.join(end) + (lastEnd ? end : ""), ["file", "identity"]);
      assert(E.isRight(parsed));
      const found = parsed.right.map(({ cells }) => [cells.file, cells.identity]);
      assert.deepEqual(found, rows);
    },
  ));
  const problem = (text: string) => {
    const parsed = parseTable(text, ["file", "identity"]);
    return E.isLeft(parsed) ? parsed.left : "";
  };
  assert.match(problem("a,b\n"), /no column file and identity/);
  assert.match(problem('file,identity\n"a'), /line 2 has a quote that does not end/);
});

Deno.test("prepare: a flat folder: the name's beginning is the person", () =>
  withFolder(async (root) => {
    const names = ["ada_1.mp4", "ada_2.jpg", "ada_3.png", "bob.mkv", "-i_$(x)'.mp4", "notes.txt"];
    for (const name of names) await Deno.writeTextFile(`${root}/${name}`, name);
    const shown = (clips: readonly { identity: string; video: string; frames?: unknown }[]) =>
      clips.map(({ identity, video, frames }) => `${identity} ${video} ${frames ? "photo" : ""}`);
    assert.deepEqual(shown(await right(findClips(root))), [
      "-i -i_$(x)' ",
      "ada ada_1 ",
      "ada photos photo",
      "ada photos photo",
      "bob bob ",
    ]);
    const dashes = await right(findClips(root, { separator: "." }));
    assert(dashes.every(({ identity }) => !identity.includes(".")));
    const table = `${root}/people.csv`;
    await Deno.writeTextFile(table, "identity,file,video\nAda,ada_1.mp4,\nAda,ada_2.jpg,album\n");
    assert.deepEqual(shown(await right(findClips(root, { identities: table }))), [
      "Ada ada_1 ",
      "Ada album photo",
    ]);
    const refuse = async (text: string): Promise<string> => {
      await Deno.writeTextFile(table, text);
      return (await left(findClips(root, { identities: table }))).message;
    };
    const lines = ["../x.mp4,a", "/etc/x.mp4,a", "gone.mp4,a", "bob.mkv,", "ada_1.mp4,a"];
    const message = await refuse(`file,identity\n${lines.join("\n")}\nada_1.mp4,b\nnotes.txt,c\n`);
    for (
      const part of [
        /line 2: "\.\.\/x\.mp4" is no path inside/,
        /line 3: "\/etc\/x\.mp4" is no path/,
        /line 4: gone\.mp4: it does not exist/,
        /line 5: bob\.mkv has no identity/,
        /line 7: ada_1\.mp4 is there twice/,
        / and 1 more, expected/,
      ]
    ) assert.match(message, part);
    assert.match(await refuse("file,identity\n"), /it names no file/);
    assert.match((await left(findClips(`${root}/none`))).message, /it does not exist/);
    await Deno.mkdir(`${root}/empty`);
    assert.match((await left(findClips(`${root}/empty`))).message, /it holds no clip/);
  }));
