/** What `verify` says of a prepared folder whose files were tampered with. */
import assert from "node:assert/strict";
import type { RTE } from "../../pipeline/core/fp.ts";
import type { HasAbort, HasEvents } from "../../pipeline/core/env.ts";
import type { TrainEvent } from "../../pipeline/core/events.ts";
import { sha256 } from "../../datasets/prepare/digest.ts";
import { packMembers, TAR_END } from "../../datasets/prepare/tar.ts";
import { verifyPrepared } from "../../datasets/prepare/verify.ts";
import { preparedVideos } from "../../datasets/prepared.ts";
import { left, right } from "./video_fixtures.ts";

/** Runs a program of `prepare`; nobody stops it. */
export const run = <Er, A>(
  program: RTE.ReaderTaskEither<HasEvents & HasAbort, Er, A>,
  emit: (event: TrainEvent) => void = () => {},
) => program({ emit, signal: new AbortController().signal });

/** Everything that may happen to a shard is found, alone and by its name. */
export const verifyDamaged = async (path: string): Promise<void> => {
  const problems = async (): Promise<readonly string[]> =>
    (await right(run(verifyPrepared({ path })))).problems;
  const sound = await right(run(verifyPrepared({ path, pictures: 3 })));
  assert.deepEqual(sound.problems, []);
  assert.equal(sound.pictures.length, 3);
  assert.equal(sound.sequences, 4);
  const strict = await right(run(verifyPrepared({ path, shots: 12 })));
  assert(strict.problems.every((problem) => /^sequence .* frames, expected 13$/.test(problem)));
  assert.equal(strict.problems.length, 3);

  const name = sound.shards.find(({ frames }) => frames > 15)!.name;
  const tar = `${path}/shards/${name}.tar`, list = `${path}/shards/${name}.json`;
  const bytes = await Deno.readFile(tar), text = await Deno.readTextFile(list);
  const damaged = async (wrong: Uint8Array, ...expected: readonly RegExp[]): Promise<void> => {
    await Deno.writeFile(tar, wrong);
    const found = await problems();
    for (const each of expected) assert(found.some((problem) => each.test(problem)), `${found}`);
    assert(found.every((problem) => problem.startsWith(name)), `${found}`);
  };
  const at = (offset: number): Uint8Array => bytes.map((b, i) => i === offset ? b ^ 4 : b);
  await damaged(at(700), /SHA-256 is not the one of the index/);
  await damaged(at(10), /its header is damaged/, /samples of \d+ are missing/);
  await damaged(bytes.subarray(0, bytes.length / 2), /bytes, expected/, /ends inside of|end mark/);
  const stranger = await packMembers([{ name: "0123456789abcdef-000000.jpg", data: at(1) }]);
  const longer = new Uint8Array(bytes.length + stranger.length);
  longer.set(bytes.subarray(0, bytes.length - TAR_END.length));
  longer.set(stranger, bytes.length - TAR_END.length);
  await damaged(longer, /0123456789abcdef-000000.jpg is there, expected nothing more/);
  await Deno.remove(tar);
  assert.match((await problems()).join(), /Cannot read .*: it does not exist/);
  await Deno.writeFile(tar, bytes);

  // Lists that lie, their hashes made to fit.
  const index = await Deno.readTextFile(`${path}/index.json`);
  const lie = async (from: RegExp, to: string, expected: RegExp): Promise<void> => {
    const changed = text.replace(from, to);
    assert.notEqual(changed, text);
    await Deno.writeTextFile(list, changed);
    assert.match((await problems()).join("\n"), /SHA-256 of its list is not the index's/);
    await Deno.writeTextFile(`${path}/index.json`, index.replace(sha256(text), sha256(changed)));
    assert.match((await problems()).join("\n"), expected);
    await Deno.writeTextFile(`${path}/index.json`, index);
  };
  const elsewhere = name.startsWith("train") ? "validation" : "train";
  const rival = sound.shards.find(({ split, frames }) => split === elsewhere && frames > 0)!;
  const rivals = JSON.parse(await Deno.readTextFile(`${path}/shards/${rival.name}.json`));
  const { identity } = rivals.clips[0];
  await lie(/"identity":"\w+"/, `"identity":"${identity}"`, new RegExp(`^${identity} is in`, "m"));
  await lie(/"numbers":\[0,/, '"numbers":[99,', /is there, expected \w{16}-000099\.jpg/);
  await lie(/"times":\[0,/, '"times":[7,', /its time is 0, not as listed/);
  await Deno.writeTextFile(list, text.replace('"clips":[', '"clips": ['));
  const unlisted = await left(preparedVideos({ path, size: 64 }));
  assert.match(unlisted.message, /is not what the index was made of, expected the same SHA-256/);
  await Deno.writeTextFile(list, text.replace('"clips":[', '"clips":[7,'));
  assert.match((await problems()).join("\n"), /"clips\.0" is not what it should be, expected the/);
  await Deno.writeTextFile(list, text);
  assert.deepEqual(await problems(), []);
  await Deno.writeTextFile(`${path}/index.json`, "{}");
  const none = await left(run(verifyPrepared({ path })));
  assert.match((none as { message: string }).message, /expected the index of prepared videos/);
};
