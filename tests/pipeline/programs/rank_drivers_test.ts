/** Ranking: who has the same face comes first; what cannot be used is told and left out. */
import assert from "node:assert/strict";
import { geometryFit } from "../../../datasets/track/fit.ts";
import { mapPoints } from "../../../datasets/track/geometry.ts";
import { trackText } from "../../../datasets/track/landmark_track.ts";
import { syntheticTrack } from "../../../datasets/track/synthetic_driver.ts";
import { F, TE } from "../../../pipeline/core/fp.ts";
import type { TrainEvent } from "../../../pipeline/core/events.ts";
import type { Image, Landmarks } from "../../../pipeline/core/image.ts";
import { withFaces } from "../../../pipeline/programs/open_driver.ts";
import { rankDrivers } from "../../../pipeline/programs/rank_drivers.ts";
import {
  left,
  personFrames,
  right,
  videoTest,
  withFolder,
  writeVideo,
} from "../../datasets/video_fixtures.ts";
import { film } from "../../datasets/track/support.ts";
import { testPerson } from "./driven.ts";

const environment = () => {
  const events: TrainEvent[] = [];
  const emit = (event: TrainEvent): void => void events.push(event);
  return { events, env: { signal: new AbortController().signal, emit } };
};

Deno.test("fit: the same face is at 0 wherever it is, another shape is farther than another motion", () => {
  const own = film(8).frames;
  const moved = own.map((points) => mapPoints(points, ([x, y]) => [2 * x - y, x + 2 * y + 50]));
  assert.ok(geometryFit(own.slice(0, 5), moved) < 1e-3);
  const again = geometryFit(own, film(8, 60, 1).frames);
  for (const other of [11, 23, 27, 40, 53]) {
    const fit = geometryFit(own, film(other).frames);
    assert.ok(again < fit, `person ${other}: ${fit}, the same person: ${again}`);
  }
});

Deno.test("rank: saved tracks by geometry, the best first, broken ones told and left out", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/deep`);
    // The test person is synthetic person 5: another video of theirs, and two other people.
    const save = (name: string, identity: number, video: number) =>
      Deno.writeTextFile(
        `${folder}/${name}.json`,
        trackText(syntheticTrack({ identity, video, size: 100, frames: 60 })),
      );
    await save("other", 27, 0);
    await save("deep/self", 5, 0);
    await save("another", 8, 0);
    await Deno.writeTextFile(`${folder}/broken.json`, "{");
    await Deno.writeTextFile(`${folder}/notes.txt`, "no driver");
    await Deno.writeTextFile(`${folder}/program.ts`, "export const no = 'MPEG';");
    const { events, env } = environment();
    const ranked = await right(rankDrivers({ drivers: folder })(testPerson())(env));
    assert.equal(ranked[0]?.path, `${folder}/deep/self.json`);
    assert.equal(ranked.length, 3);
    const fits = ranked.map(({ geometry }) => geometry);
    assert.deepEqual(fits, fits.toSorted((a, b) => a - b));
    const skipped = events.flatMap((event) => event._tag === "SampleSkipped" ? [event.error] : []);
    assert.deepEqual(skipped.map(({ key }) => key), [`${folder}/broken.json`]);
  }));

Deno.test("rank: an empty folder and one that is not there are refused", () =>
  withFolder(async (folder) => {
    const { env } = environment();
    for (const drivers of [folder, `${folder}/none`]) {
      const error = await left(rankDrivers({ drivers })(testPerson())(env));
      assert.equal(error._tag, "Data");
      assert.match(
        "message" in error ? error.message : "",
        /^Cannot rank the drivers of .*expected/,
      );
    }
  }));

const landmarksOf = (image: Image): Promise<Landmarks> =>
  right(withFaces((faces) =>
    F.pipe(
      faces,
      TE.flatMap((analyzer) => analyzer.detect(image)),
      TE.map(([face]) => face?.landmarks ?? new Float32Array(136)),
    )
  ));

videoTest(
  "rank: by CSIM the film of the same person comes first",
  () =>
    withFolder(async (folder) => {
      const [own, other] = [await personFrames(0, 3), await personFrames(1, 2)];
      await writeVideo(`${folder}/a-other.mp4`, other);
      await writeVideo(`${folder}/b-own.mp4`, own.slice(1));
      const { env } = environment();
      const person = testPerson();
      const drivers = await right(rankDrivers({ drivers: folder, by: "geometry" })(person)(env));
      assert.equal(drivers.length, 2);
      // A portrait of the first person, large enough to be recognised, with its landmarks.
      const image = own[0]!;
      const portrait = { image, landmarks: await landmarksOf(image) };
      const liked = await right(
        rankDrivers({ drivers: folder, by: "csim" })({
          ...person,
          rasterizer: { size: 128, thickness: 1 },
          portrait,
        })(env),
      );
      assert.deepEqual(liked.map(({ path }) => path), [
        `${folder}/b-own.mp4`,
        `${folder}/a-other.mp4`,
      ]);
      const [first, second] = liked.map(({ csim }) => csim ?? NaN);
      assert.ok(first! > second! + 0.02, `${first}, ${second}`);
    }),
);
