/** Downloads from a server on this machine: ranges, cuts, wrong sums, a full disk. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { renderError } from "../../../pipeline/core/errors.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { type Download, downloadFile } from "../../../pipeline/programs/weights/download.ts";
import { type FileServer, type Manners, serveFile } from "./server.ts";

const file = new Uint8Array(300_000).map((_, i) => (i * 2654435761) >>> 13);
const sum = createHash("sha256").update(file).digest("hex");

interface Setting {
  readonly server: FileServer;
  readonly path: string;
  readonly get: (more?: Partial<Download>) => Promise<E.Either<string, string>>;
}

const withServer = async (
  manners: readonly Manners[],
  test: (setting: Setting) => Promise<void>,
): Promise<void> => {
  const folder = await Deno.makeTempDir(), server = serveFile(file, manners);
  const path = `${folder}/weights`;
  try {
    await test({
      server,
      path,
      get: (more = {}) =>
        downloadFile({
          url: server.url,
          sha256: sum,
          path,
          signal: new AbortController().signal,
          silence: 300,
          ...more,
        })().then(E.mapLeft(renderError)),
    });
  } finally {
    await server.close();
    await Deno.remove(folder, { recursive: true });
  }
};

const assertWhole = async ({ path }: Setting, result: E.Either<string, string>): Promise<void> => {
  assert.deepEqual(result, E.right(sum));
  assert.deepEqual(await Deno.readFile(path), file);
  await assert.rejects(Deno.stat(`${path}.part`), Deno.errors.NotFound);
};

const refused = (result: E.Either<string, string>, expected: RegExp): void => {
  if (E.isRight(result)) assert.fail("it was accepted");
  assert.match(result.left, /^Cannot fetch [^\n]+$/);
  assert.match(result.left, expected);
};

Deno.test("a file comes whole, is told of, and does not come twice", () =>
  withServer([{}], async (setting) => {
    const told: number[] = [];
    const progress = (done: number, of: number | undefined): void => {
      assert.equal(of, file.length);
      told.push(done);
    };
    await assertWhole(setting, await setting.get({ progress }));
    assert.equal(told.at(-1), file.length);
    await assertWhole(setting, await setting.get());
    assert.deepEqual(setting.server.ranges, [null]);
  }));

Deno.test("the first digits of a sum are enough where no more are published", () =>
  withServer([{}], async (setting) => {
    await assertWhole(setting, await setting.get({ sha256: sum.slice(0, 8) }));
    refused(await setting.get({ sha256: sum.slice(0, 7) }), /expected 64 hexadecimal digits/);
    refused(await setting.get({ sha256: "" }), /expected 64 hexadecimal digits/);
  }));

Deno.test("a cut connection is gone on with where it was cut", () =>
  withServer([{ cutAfter: 100_000 }, { cutAfter: 50_000 }, {}], async (setting) => {
    await assertWhole(setting, await setting.get());
    assert.deepEqual(setting.server.ranges, [null, "bytes=100000-", "bytes=150000-"]);
  }));

Deno.test("a connection that stays cut ends in a sentence; the next run goes on", () =>
  withServer([{ cutAfter: 100_000 }, { status: 503 }, {}], async (setting) => {
    refused(await setting.get({ retries: 1 }), /answered 503; run it again to go on/);
    assert.equal((await Deno.stat(`${setting.path}.part`)).size, 100_000);
    await assertWhole(setting, await setting.get());
    assert.equal(setting.server.ranges.at(-1), "bytes=100000-");
  }));

Deno.test("a silent server counts as cut", () =>
  withServer([{ silentAfter: 1000 }, {}], async (setting) => {
    await assertWhole(setting, await setting.get());
  }));

Deno.test("a server without ranges sends it all again", () =>
  withServer([{ cutAfter: 100_000 }, { ignoreRange: true }], async (setting) => {
    await assertWhole(setting, await setting.get());
    assert.deepEqual(setting.server.ranges, [null, "bytes=100000-"]);
  }));

Deno.test("a piece of another file is noticed by its sum and loaded once more", () =>
  withServer([{}], async (setting) => {
    await Deno.writeFile(`${setting.path}.part`, new Uint8Array(1000));
    await assertWhole(setting, await setting.get());
    assert.deepEqual(setting.server.ranges, ["bytes=1000-", null]);
  }));

Deno.test("a piece that is longer than the file is loaded once more", () =>
  withServer([{}], async (setting) => {
    await Deno.writeFile(`${setting.path}.part`, new Uint8Array(file.length + 5));
    await assertWhole(setting, await setting.get());
  }));

Deno.test("a wrong sum is refused, and nothing stays", () =>
  withServer([{}], async ({ get, path }) => {
    refused(await get({ sha256: "0".repeat(64) }), new RegExp(`SHA-256 is ${sum}, expected 0000`));
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
    await assert.rejects(Deno.stat(`${path}.part`), Deno.errors.NotFound);
  }));

Deno.test("errors of the server and of the address are sentences", async () => {
  await withServer([{ status: 404 }], async ({ get }) => refused(await get(), /answered 404/));
  await withServer([{ claimed: 10 }], async ({ get }) => {
    const result = await get({ retries: 0 });
    refused(result, /cut|cannot be reached/);
  });
  await withServer(
    [{ claimed: 2 ** 42 }],
    async ({ get }) => refused(await get({ retries: 0 }), /has \d+ bytes, expected at most|cut/),
  );
  await withServer([{}], async ({ get, server }) => {
    refused(await get({ url: "nowhere" }), /expected an URL/);
    const gone = server.url.replace(/:\d+/, ":9");
    refused(await get({ url: gone, retries: 0 }), /cannot be reached/);
  });
});

Deno.test({
  name: "a full disk is a sentence (needs /dev/full)",
  ignore: !await Deno.stat("/dev/full").then(() => true, () => false),
  fn: () =>
    withServer([{}], async ({ get, path }) => {
      await Deno.symlink("/dev/full", `${path}.part`);
      refused(await get(), /the disk is full/);
    }),
});

Deno.test("a folder that is not there is a sentence", () =>
  withServer([{}], async ({ get, path }) => {
    refused(await get({ path: `${path}/none/weights` }), /does not exist/);
  }));

Deno.test("an interrupted download is kept", () =>
  withServer([{ silentAfter: 1000 }, {}], async (setting) => {
    const controller = new AbortController();
    const going = setting.get({
      signal: controller.signal,
      progress: () => controller.abort(new Error("asked to")),
    });
    const result = await going;
    assert.deepEqual(result, E.left("Stopped: asked to"));
    assert.equal((await Deno.stat(`${setting.path}.part`)).size, 1000);
    await assertWhole(setting, await setting.get());
  }));
