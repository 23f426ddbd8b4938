/** Driving, ranking and the demo as a user runs them: a tiny model, real files, exit codes. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { trackText } from "../../datasets/track/landmark_track.ts";
import { syntheticTrack } from "../../datasets/track/synthetic_driver.ts";
import { encodePerson } from "../../pipeline/programs/person_file.ts";
import { videoTest } from "../datasets/video_fixtures.ts";
import { probe, testPerson } from "../pipeline/programs/driven.ts";
import { inFolder, namesIn, runCli, tiny } from "./support.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** A folder with a person in it. */
const withPerson = (test: (folder: string) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/ada.safetensors`, encodePerson(testPerson()));
    await test(folder);
  });

const drive = ["drive", "--person", "ada.safetensors", "--backend", "cpu"] as const;

const refused = (name: string, args: readonly string[], code: number, says: RegExp): void =>
  Deno.test(name, () =>
    withPerson(async (folder) => {
      const ended = await runCli(args, folder);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, says);
      assert.equal(ended.stdout, "");
      assert.deepEqual(await namesIn(folder), ["ada.safetensors"]);
    }));

refused(
  "drive: without its options each is named",
  ["drive"],
  2,
  /person is missing[^]*driver is missing[^]*out is missing/,
);
refused(
  "drive: a misspelt way of retargeting is answered with the right one",
  [...drive, "--driver", "synthetic:1", "--out", "film", "--retarget", "relativ"],
  2,
  /retarget is "relativ", expected one of none, relative, parts \(did you mean relative\?\)/,
);
refused(
  "drive: a person that is not there is named",
  ["drive", "--person", "bob.safetensors", "--driver", "synthetic:1", "--out", "film"],
  1,
  /Cannot read bob\.safetensors: it does not exist/,
);
refused(
  "rank: a folder without drivers is refused",
  ["rank", "--person", "ada.safetensors", "--drivers", ".", "--by", "csim"],
  1,
  /Cannot rank the drivers of \.: it holds none, expected a folder of videos/,
);

Deno.test("drive: a track and a synthetic person to folders of pictures", () =>
  withPerson(async (folder) => {
    const track = syntheticTrack({ identity: 9, size: 64, frames: 4, framesPerSecond: 12 });
    await Deno.writeTextFile(`${folder}/nod.json`, trackText(track));
    const ended = await runCli(
      [...drive, "--driver", "nod.json", "--out", "film", "--json"],
      folder,
    );
    assert.equal(ended.code, 0, ended.stderr);
    const result = JSON.parse(ended.stdout);
    assert.deepEqual([result.frames, result.framesPerSecond, result.marked], [4, 12, true]);
    assert.equal((await namesIn(`${folder}/film`)).length, 4);
    const options = ["--driver", "synthetic:7/2", "--frames", "3", "--enlarge", "2", "--no-mark"];
    const other = await runCli([...drive, ...options, "--out", "other", "--side-by-side"], folder);
    assert.equal(other.code, 0, other.stderr);
    assert.match(other.stderr, /Wrote other: 3 frames, 25 a second/);
    assert.match(other.stderr, /no visible mark: say that it is synthetic/);
    const ranked = await runCli(
      ["rank", "--person", "ada.safetensors", "--drivers", ".", "--json"],
      folder,
    );
    assert.equal(ranked.code, 0, ranked.stderr);
    assert.deepEqual(JSON.parse(ranked.stdout).drivers.map((d: { path: string }) => d.path), [
      "./nod.json",
    ]);
  }));

Deno.test("drive: where no tool can be run, a film is refused in one sentence with exit code 1", () =>
  withPerson(async (folder) => {
    const permissions = [
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-sys",
    ];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", ...permissions, "--config", config, cli],
        ...[...drive, "--driver", "synthetic:1", "--out", "film.mp4"],
      ],
      cwd: folder,
      stdout: "null",
      stderr: "piped",
    }).output();
    const said = new TextDecoder().decode(stderr).trim();
    assert.equal(code, 1, said);
    assert.match(
      said,
      /^Cannot write film\.mp4: ffmpeg .*one of the two.*; a folder of pictures needs neither$/m,
    );
    assert.deepEqual(await namesIn(folder), ["ada.safetensors"]);
  }));

videoTest(
  "demo: from the newest run to a film and a person that drives again",
  () =>
    inFolder(async (folder) => {
      const trained = await runCli(
        ["meta-train", ...tiny, "--backend", "wasm", "--steps", "2", "--run", "runs/tiny"],
        folder,
      );
      assert.equal(trained.code, 0, trained.stderr);
      const ended = await runCli(
        ["demo", "--shots", "2", "--frames", "5", "--backend", "wasm", "--json"],
        folder,
      );
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(
        ended.stderr,
        /Using the model of runs\/tiny\/checkpoints\/step-000002: test-16/,
      );
      assert.equal(JSON.parse(ended.stdout).film.frames, 5);
      assert.deepEqual((await namesIn(`${folder}/demo`)).toSorted(), [
        "film.mp4",
        "person.safetensors",
      ]);
      const { streams: [video], format } = await probe(`${folder}/demo/film.mp4`);
      assert.deepEqual([video?.width, video?.height], [4 * 256, 256]);
      assert.match(format.tags?.comment ?? "", /Person: fine-tuned, preset test-16/);
      const again = await runCli([
        ...["drive", "--person", "demo/person.safetensors", "--driver", "synthetic:3"],
        ...["--frames", "3", "--out", "again", "--backend", "wasm"],
      ], folder);
      assert.equal(again.code, 0, again.stderr);
    }),
);
