/** Driving that fails or is stopped: one sentence, its exit code, nothing left behind. */
import assert from "node:assert/strict";
import { exitCode, renderError } from "../../../pipeline/core/errors.ts";
import { E } from "../../../pipeline/core/fp.ts";
import type { DriveOptions } from "../../../pipeline/programs/drive_options.ts";
import { ffmpeg, videoTest, withFolder } from "../../datasets/video_fixtures.ts";
import { driveTest, lossy, namesIn } from "./driven.ts";

const refused = (
  name: string,
  says: RegExp,
  code: number,
  prepare: (folder: string) => Promise<DriveOptions> | DriveOptions,
  kept: readonly string[] = [],
  test: typeof videoTest = (title, run) => Deno.test(title, run),
): void =>
  test(`drive: ${name} is refused in one sentence, nothing is left`, () =>
    withFolder(async (folder) => {
      const result = await driveTest(await prepare(folder));
      assert(E.isLeft(result));
      const said = renderError(result.left);
      assert.match(said, says);
      assert.ok(!said.includes("\n"), said);
      assert.equal(exitCode(result.left), code);
      assert.deepEqual(await namesIn(folder), kept);
    }));

refused(
  "a face that is lost for too long",
  /track\.json: face lost, the face is not seen from 0\.30 s to 0\.70 s, expected gaps of at most/,
  1,
  async (folder) => ({
    driver: await lossy(`${folder}/track.json`),
    out: `${folder}/film`,
    holdSeconds: 0.3,
  }),
  ["track.json"],
);
refused("a name that is taken", /film\.mp4: it exists, expected a new name/, 2, async (folder) => {
  await Deno.writeTextFile(`${folder}/film.mp4`, "mine");
  return { driver: "synthetic:1", out: `${folder}/film.mp4` };
}, ["film.mp4"]);
refused("an ending of no film", /films do not end in \.avi, expected \.mp4/, 2, (folder) => ({
  driver: "synthetic:1",
  out: `${folder}/film.avi`,
}));
refused("a folder that is not there", /its folder .*none does not exist/, 2, (folder) => ({
  driver: "synthetic:1",
  out: `${folder}/none/film.gif`,
}));
refused("a synthetic nobody", /synthetic:bob: it names nobody, expected synthetic:PERSON/, 2, (
  folder,
) => ({ driver: "synthetic:bob", out: `${folder}/film` }));
refused("a broken track", /track\.json: framesPerSecond is missing/, 1, async (folder) => {
  await Deno.writeTextFile(`${folder}/track.json`, '{"format": "headshot-track-1"}');
  return { driver: `${folder}/track.json`, out: `${folder}/film` };
}, ["track.json"]);
refused(
  "a video that is none",
  /Cannot use .*talk\.mp4: unreadable, ffprobe says/,
  1,
  async (folder) => {
    await Deno.writeTextFile(`${folder}/talk.mp4`, "no video");
    return { driver: `${folder}/talk.mp4`, out: `${folder}/film.mp4` };
  },
  ["talk.mp4"],
  videoTest,
);
refused(
  "a driver without a face",
  /Cannot use .*wall\.mp4: no face, none in any of 4 frames/,
  1,
  async (folder) => {
    await ffmpeg([
      ...["-f", "lavfi", "-i", "testsrc=s=160x120:r=8:d=0.5", "-c:v", "mpeg4"],
      `${folder}/wall.mp4`,
    ]);
    return { driver: `${folder}/wall.mp4`, out: `${folder}/film.mp4` };
  },
  ["wall.mp4"],
  videoTest,
);

for (const name of ["film.mp4", "film.gif", "film"]) {
  videoTest(
    `drive: aborting in the middle of ${name} leaves nothing`,
    () =>
      withFolder(async (folder) => {
        const controller = new AbortController();
        const result = await driveTest({
          driver: "synthetic:3",
          out: `${folder}/${name}`,
          batch: 2,
        }, {
          signal: controller.signal,
          emit: (event) => {
            if (event._tag === "Progress" && event.done === 5) controller.abort("enough");
          },
        });
        assert(E.isLeft(result));
        assert.equal(result.left._tag, "Aborted");
        assert.deepEqual(await namesIn(folder), []);
      }),
  );
}

videoTest(
  "drive: a film that appears meanwhile is not replaced",
  () =>
    withFolder(async (folder) => {
      const out = `${folder}/film.mp4`;
      const result = await driveTest({ driver: "synthetic:3", out, frames: 6 }, {
        emit: (event) => {
          if (event._tag === "Progress" && event.done === 2) Deno.writeTextFileSync(out, "mine");
        },
      });
      assert(E.isLeft(result));
      assert.match(renderError(result.left), /it exists by now/);
      assert.equal(await Deno.readTextFile(out), "mine");
      assert.deepEqual(await namesIn(folder), ["film.mp4"]);
    }),
);
