/** Files that never end, or are not files: cut off at the reader's limit, refused in a sentence. */
import assert from "node:assert/strict";
import { readImage } from "../../datasets/codec.ts";
import { readTrack } from "../../datasets/track/landmark_track.ts";
import { readConfigFile } from "../../pipeline/core/config_file.ts";
import { E, type TE } from "../../pipeline/core/fp.ts";
import { readSafetensorsFile } from "../../pipeline/core/safetensors.ts";

const onUnix = Deno.build.os !== "windows";

const messageOf = async <A>(read: TE.TaskEither<unknown, A>): Promise<string> => {
  const result = await read();
  assert.ok(E.isLeft(result), "it was read");
  return JSON.stringify(result.left);
};

/** Of this test file: others run beside it in the same process. */
const ownMemory = (): number => {
  const { heapTotal, external } = Deno.memoryUsage();
  return heapTotal + external;
};

Deno.test({
  name: `a file without end is refused, with little memory${onUnix ? "" : " (needs /dev/zero)"}`,
  ignore: !onUnix,
  fn: async () => {
    const readers: Readonly<Record<string, (path: string) => TE.TaskEither<unknown, unknown>>> = {
      configuration: readConfigFile,
      picture: readImage,
      weights: readSafetensorsFile,
      track: readTrack,
    };
    for (const [what, read] of Object.entries(readers)) {
      const before = ownMemory(), from = performance.now();
      const said = await messageOf(read("/dev/zero"));
      assert.match(said, /Cannot read \/dev\/zero: /, what);
      assert.ok(ownMemory() - before < 1e9, `${what} takes much memory`);
      assert.ok(performance.now() - from < 20_000, `${what} takes long`);
    }
  },
});

Deno.test({
  name: `a picture that is a pipe, a folder or a link in a circle is refused at once${
    onUnix ? "" : " (needs pipes)"
  }`,
  ignore: !onUnix,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const made = await new Deno.Command("mkfifo", { args: [`${folder}/pipe.png`] }).output();
      assert.ok(made.success);
      await Deno.symlink(`${folder}/loop.png`, `${folder}/loop.png`);
      for (const path of [`${folder}/pipe.png`, folder, `${folder}/loop.png`]) {
        assert.match(await messageOf(readImage(path)), /Cannot read /, path);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
