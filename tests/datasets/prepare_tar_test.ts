/** Shards as tar files: written, read back, forged; disks that are full. */
import assert from "node:assert/strict";
import { unpackTar } from "npm:modern-tar@0.8.6";
import { writeWhole } from "../../datasets/prepare/digest.ts";
import { BLOCK, packMembers, TAR_END, walkTar } from "../../datasets/prepare/tar.ts";
import { left, withFolder } from "./video_fixtures.ts";

const names = ["0123456789abcdef-000001.jpg", "0123456789abcdef-000001.json"] as const;

Deno.test("prepare: what is packed is a tar file, and is read back by the library and the walker", () =>
  withFolder(async (root) => {
    const members = [
      { name: names[0], data: crypto.getRandomValues(new Uint8Array(1300)) },
      { name: names[1], data: new TextEncoder().encode("{}") },
      { name: "fedcba9876543210-000000.webp", data: new Uint8Array(BLOCK) },
    ];
    const [first, rest] = [members.slice(0, 2), members.slice(2)];
    const parts = [await packMembers(first), await packMembers(rest), TAR_END];
    const tar = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    const read = await unpackTar(tar, { strict: true });
    assert.deepEqual(read.map(({ header, data }) => ({ name: header.name, data })), members);
    await Deno.writeFile(`${root}/a.tar`, tar);
    const found = await Array.fromAsync(walkTar(`${root}/a.tar`));
    assert.deepEqual(found.map((each) => "problem" in each ? each : { ...each, offset: 0 }), [
      ...members.map((member) => ({ ...member, offset: 0 })),
    ]);
    assert.deepEqual(await packMembers(first), parts[0], "the same bytes again");
  }));

Deno.test("prepare: hostile tar files give problems, and nothing of theirs is used", () =>
  withFolder(async (root) => {
    const good = await packMembers([{ name: names[0], data: new Uint8Array(700) }]);
    /** A header with another field, its checksum right. */
    const forge = (change: (header: Uint8Array) => void): Uint8Array => {
      const header = good.slice(0, BLOCK);
      change(header);
      header.fill(32, 148, 156);
      const sum = header.reduce((all, byte) => all + byte, 0);
      header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
      return header;
    };
    const text = (at: number, value: string) => (header: Uint8Array) =>
      void header.set(new TextEncoder().encode(value), at);
    const named = (name: string) =>
      forge((header) => {
        header.fill(0, 0, 100);
        text(0, name)(header);
      });
    const typed = (type: string) =>
      forge((header) => {
        text(156, type)(header);
        text(124, "00000000000")(header);
      });
    const walk = async (...blocks: readonly Uint8Array[]): Promise<readonly string[]> => {
      const bytes = new Blob(blocks as Uint8Array<ArrayBuffer>[]);
      await Deno.writeFile(`${root}/a.tar`, bytes.stream());
      const found = await Array.fromAsync(walkTar(`${root}/a.tar`));
      return found.map((each) => "problem" in each ? each.problem : each.name);
    };
    const body = good.subarray(BLOCK);
    for (const name of ["../x", "/etc/passwd", "a/../../b.jpg", "é.jpg"]) {
      const [problem, next] = await walk(named(name), body, good, TAR_END);
      assert.match(problem ?? "", /is refused as a name/, name);
      assert.equal(next, names[0]);
    }
    const prefixed = forge(text(345, "../.."));
    assert.match((await walk(prefixed, body, TAR_END))[0] ?? "", /^"\.\.\/\.\..* is refused/);
    const types = { "1": "hard link", "2": "a link", "3": "device", "5": "folder", x: "extended" };
    for (const [type, what] of Object.entries(types)) {
      const [problem, next] = await walk(typed(type), good, TAR_END);
      assert.match(problem ?? "", new RegExp(what));
      assert.equal(next, names[0]);
    }
    const bomb = forge(text(124, "77777777777"));
    assert.match((await walk(bomb, body, TAR_END))[0] ?? "", /tells a size of 8589934591 bytes/);
    const flipped = good.slice();
    flipped[20]! ^= 1;
    assert.deepEqual(await walk(flipped, TAR_END), ["its header is damaged"]);
    assert.deepEqual(await walk(good.subarray(0, 900), new Uint8Array()), [
      `it ends inside of ${names[0]}`,
    ]);
    assert.deepEqual(await walk(good), [names[0], "it ends without an end mark"]);
    assert.match((await walk(good, TAR_END, good))[1] ?? "", /bytes follow the last member/);
    assert.match((await walk(crypto.getRandomValues(new Uint8Array(5000))))[0] ?? "", /damaged/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(root), ({ name }) => name), ["a.tar"]);
  }));

Deno.test("prepare: a full disk is one sentence and leaves nothing behind", () =>
  withFolder(async (root) => {
    const error = await left(writeWhole(
      `${root}/a.tar`,
      (function* () {
        yield new Uint8Array(10);
        throw new Error("No space left on device (os error 28)");
      })(),
    ));
    assert.match(error.message, /^Cannot write .*a\.tar: the disk is full, expected/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(root)), []);
    const missing = await left(writeWhole(`${root}/no/a.tar`, [new Uint8Array(1)]));
    assert.match(missing.message, /it does not exist/);
  }));
